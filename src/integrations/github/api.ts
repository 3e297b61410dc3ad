/** The API of one account: requests that carry its login, and where a redirect may lead. */
import { IntegrationError } from "../integration.ts";
import type { Login } from "./credentials.ts";
import { foreignAddress } from "./errors.ts";
import { appAuthorization, FixedToken, InstallationTokens, type TokenSource } from "./login.ts";
import { Addressing } from "./repository-api.ts";
import { type Answer, type ApiRequest, isRedirect, type Transport } from "./transport.ts";

export type UnsignedRequest = Omit<ApiRequest, "authorization">;

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
  async send(request: UnsignedRequest): Promise<Answer> {
    const { token, fresh } = await this.#tokens.take();
    try {
      return await this.transport.send({ ...request, authorization: `Bearer ${token}` });
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
