/** The API of one account: requests that carry its login, and where a redirect may lead. */
import { createHash } from "node:crypto";
import { IntegrationError } from "../integration.ts";
import { Addressing } from "./addressing.ts";
import type { Login } from "./credentials.ts";
import { foreignAddress } from "./errors.ts";
import { appAuthorization, FixedToken, InstallationTokens, type TokenSource } from "./login.ts";
import { type Answer, isRedirect, type Transport, type UnsignedRequest } from "./transport.ts";

export class Api {
  readonly login: Login;
  readonly transport: Transport;
  readonly addressing = new Addressing();
  readonly #tokens: TokenSource;

  constructor(login: Login, transport: Transport) {
    this.login = login;
    this.transport = transport;
    this.#tokens =
      login.kind === "app" ? new InstallationTokens(login, transport) : new FixedToken(login.token);
  }

  /** Sends a request as the account. */
  async send({ validator = null, ...request }: UnsignedRequest): Promise<Answer> {
    const { token, fresh } = await this.#tokens.take();
    const authorization = `Bearer ${token}`;
    const own = validator === null ? request.ifNoneMatch : etagFor(token, validator);
    try {
      const answer = await this.transport.send({ ...request, authorization, ifNoneMatch: own });
      const { etag } = answer.headers;
      return etag === undefined ? answer : { ...answer, validator: validatorFor(token, etag) };
    } catch (error) {
      if (!(error instanceof IntegrationError) || error.kind !== "credentials") throw error;
      this.#tokens.drop(token);
      throw fresh ? error : staleToken(error);
    }
  }

  /** Reads, and where GitHub redirects, reads there, once and on the same API only. */
  async follow(url: string, signal: AbortSignal | undefined): Promise<Answer> {
    const answer = await this.send({ method: "GET", url, signal, redirectAnswers: true });
    if (!isRedirect(answer.status)) return answer;
    return this.send({ method: "GET", url: this.ownAddress(answer.headers.location), signal });
  }

  /** The address of a repository that is known by its id; see `RepositoryApi`. */
  repositoryPath(id: string): string {
    const name = this.addressing.nameAt(this.transport.now(), id);
    return name === null ? `/repositories/${encodeURIComponent(id)}` : `/repos/${name}`;
  }

  /** Sends a request as the App itself. */
  sendAsApp(login: Extract<Login, { kind: "app" }>, request: UnsignedRequest): Promise<Answer> {
    const authorization = appAuthorization(login, this.transport.providerNow());
    return this.transport.send({ ...request, authorization, asApp: true });
  }

  /**
   * Checks an address that an answer gave us: our token goes with the request.
   *
   * @throws IntegrationError `foreign_address` where it is not below our own base address.
   */
  ownAddress(address: string | undefined): string {
    const base = `${this.transport.baseUrl}/`;
    if (address !== undefined && URL.canParse(address, base)) {
      const { href } = new URL(address, base);
      if (href.startsWith(new URL(base).href)) return href;
    }
    throw foreignAddress(this.transport.baseUrl, address);
  }
}

/** GitHub's ETags are of one token: another one's is worth nothing, and is not sent. */
function etagFor(token: string, validator: string): string | null {
  const [whose = "", etag = ""] = validator.split(" ", 2);
  return whose === nameOfToken(token) && etag !== "" ? etag : null;
}

function validatorFor(token: string, etag: string): string | null {
  return etag.includes(" ") ? null : `${nameOfToken(token)} ${etag}`;
}

/** Tells tokens apart and gives none away: it is kept in the database. */
function nameOfToken(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 12);
}

/** A kept token can be revoked before its time; a new one is made on the next attempt. */
function staleToken(error: IntegrationError): IntegrationError {
  return new IntegrationError({
    kind: "retryable",
    code: "token_expired",
    message: error.message,
    hint: "It will be tried again with a new installation token.",
    applied: "no",
    status: error.status,
    requestId: error.requestId,
    cause: error,
  });
}
