/** The API of one account: adds the login to requests, and checks to which address a redirect may lead. */
import { createHash } from "node:crypto";
import { IntegrationError } from "../../integration.ts";
import { Addressing } from "./addressing.ts";
import type { Login } from "./credentials.ts";
import {
  type Answer,
  foreignAddress,
  isRedirect,
  type Transport,
  type UnsignedRequest,
} from "../transport/index.ts";
import { appAuthorization, FixedToken, InstallationTokens, type TokenSource } from "./login.ts";

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

  /** Reads an address, and follows one redirect within the same API. */
  async follow(url: string, signal: AbortSignal | undefined): Promise<Answer> {
    const answer = await this.send({ method: "GET", url, signal, redirectAnswers: true });
    if (!isRedirect(answer.status)) return answer;
    return this.send({ method: "GET", url: this.ownAddress(answer.headers.location), signal });
  }

  /** The path of a repository with a known id; see `RepositoryApi`. */
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
   * Checks an address from a response, because our token is sent there.
   *
   * @throws IntegrationError `foreign_address` if it is not below our own base address.
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

/** The ETag of a validator, if it was given to this token: GitHub's ETags differ by token. */
function etagFor(token: string, validator: string): string | null {
  const [whose = "", etag = ""] = validator.split(" ", 2);
  return whose === nameOfToken(token) && etag !== "" ? etag : null;
}

function validatorFor(token: string, etag: string): string | null {
  return etag.includes(" ") ? null : `${nameOfToken(token)} ${etag}`;
}

/** Identifies a token by its hash, because validators are stored in the database. */
function nameOfToken(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 12);
}

/** A cached token can be revoked before it expires, so the next attempt uses a new one. */
function staleToken(error: IntegrationError): IntegrationError {
  return new IntegrationError({
    kind: "retryable",
    code: "token_expired",
    message: error.message,
    hint: "Tandem retries the request with a new installation token.",
    applied: "no",
    status: error.status,
    requestId: error.requestId,
    cause: error,
  });
}
