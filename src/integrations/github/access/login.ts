/** The tokens for requests: a fixed token, or those of an App's installation, made when needed. */
import { sign } from "node:crypto";
import { addMillis, type Instant, SECOND } from "../../../model/instant.ts";
import { IntegrationError } from "../../integration.ts";
import type { Login } from "./credentials.ts";
import {
  credentialsError,
  installationTokenShape,
  readAnswer,
  type Transport,
} from "../transport/index.ts";

type AppLogin = Extract<Login, { kind: "app" }>;

export interface TokenSource {
  /** A token to send. `fresh` is false if it was cached and may have been revoked since. */
  take(): Promise<{ readonly token: string; readonly fresh: boolean }>;
  /** Removes a token that GitHub refused from the cache. */
  drop(token: string): void;
}

interface Made {
  readonly token: string;
  readonly expiresAt: Instant;
}

/** A new token is made this long before the old one expires, so that none expires during a request. */
const MARGIN_MS = 60_000;

/** A token that does not change. */
export class FixedToken implements TokenSource {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  take(): Promise<{ readonly token: string; readonly fresh: boolean }> {
    return Promise.resolve({ token: this.#token, fresh: true });
  }

  drop(): void {
    // There is no other token: the account needs a person.
  }
}

/**
 * The tokens of an installation, made when needed and cached until shortly before they expire.
 *
 * Not `@octokit/auth-app`: it shares pending tokens between hosts that have the same installation
 * number, expires them by the wall clock, and waits and retries without asking.
 */
export class InstallationTokens implements TokenSource {
  readonly #login: AppLogin;
  readonly #transport: Transport;
  #current: Made | null = null;
  #making: Promise<Made> | null = null;

  constructor(login: AppLogin, transport: Transport) {
    this.#login = login;
    this.#transport = transport;
  }

  async take(): Promise<{ readonly token: string; readonly fresh: boolean }> {
    const current = this.#current;
    if (
      current !== null &&
      addMillis(this.#transport.providerNow(), MARGIN_MS) < current.expiresAt
    ) {
      return { token: current.token, fresh: false };
    }
    // One request serves all waiting callers, so only its own time-out may abort it.
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    const { token } = await this.#making;
    return { token, fresh: true };
  }

  drop(token: string): void {
    if (this.#current?.token === token) this.#current = null;
  }

  async #make(): Promise<Made> {
    try {
      const answer = await this.#transport.send({
        method: "POST",
        url: `/app/installations/${this.#login.installationId}/access_tokens`,
        authorization: appAuthorization(this.#login, this.#transport.providerNow()),
        asApp: true,
      });
      const { token, expires_at: expiresAt } = readAnswer(installationTokenShape, answer);
      this.#current = { token, expiresAt };
      return this.#current;
    } catch (error) {
      throw error instanceof IntegrationError ? notTheRequestsFault(error) : error;
    }
  }
}

/** The header by which an App authenticates itself: a JSON Web Token (RFC 7519) of nine minutes. */
export function appAuthorization(login: AppLogin, now: Instant): string {
  const seconds = Math.floor(now / SECOND);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = part({ alg: "RS256", typ: "JWT" });
  // Issued a minute in the past, as GitHub recommends, because clocks differ.
  const claims = part({ iat: seconds - 60, exp: seconds + 480, iss: login.appId });
  const signature = sign("RSA-SHA256", Buffer.from(`${header}.${claims}`), login.key);
  return `Bearer ${header}.${claims}.${signature.toString("base64url")}`;
}

/**
 * The failure of the request for a token, as the failure of the request that needed it. A 404 means here
 * that the installation is gone, not the issue. In any case the request that needed the token was not sent.
 */
function notTheRequestsFault(error: IntegrationError): IntegrationError {
  const { kind, code, message, hint, status, requestId, retryAfterMs } = error;
  if (status === 404 || (status === 403 && kind === "permanent")) {
    return credentialsError(
      "installation_unavailable",
      message,
      "The App was uninstalled or suspended, or installationId is another App's: install it again, or correct the account's credentials.",
      error,
    );
  }
  return new IntegrationError({
    kind,
    code,
    message,
    hint,
    applied: "no",
    status,
    requestId,
    retryAfterMs,
    cause: error,
  });
}
