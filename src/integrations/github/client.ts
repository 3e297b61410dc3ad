/** The API of one GitHub account: its identity, the repositories it finds, and a client for each. */
import type { Actor } from "../../model/content.ts";
import {
  type AccountClient,
  type AccountSettings,
  type Container,
  type ContainerClient,
  IntegrationError,
  type Telemetry,
} from "../integration.ts";
import {
  Api,
  installationClient,
  type Login,
  readBaseUrl,
  readCredentials,
  readUserToken,
  requireKnownHost,
} from "./access/index.ts";
import { RepositoryClient } from "./container.ts";
import { deliveryLog } from "./deliveries.ts";
import {
  appShape,
  impossible,
  readAnswer,
  repositoryShape,
  Transport,
  userShape,
} from "./transport/index.ts";

/** Settings for every account of the integration. */
export interface GitHubOptions {
  /** The API's address, for GitHub Enterprise Server. Default: `https://api.github.com`. */
  readonly baseUrl?: string;
  /**
   * Hosts that an account's own `baseUrl` may name, such as `github.example.com`. The host of `baseUrl`
   * above, `api.github.com` and this machine are always allowed. Tokens are sent to no other host.
   */
  readonly hosts?: readonly string[];
  /** More environment variables that accounts may name, besides those that begin with `GITHUB_` and the like. */
  readonly env?: readonly string[];
  /** How long a request may take, in milliseconds. Default: 10 000. */
  readonly timeoutMs?: number;
}

const PUBLIC_API = "https://api.github.com";
const TIMEOUT_MS = 10_000;
const REPOSITORY_NAME = /^[\w-]+\/(?!\.{1,2}$)[\w.-]+$/;

/**
 * Opens the API of one account. No request is made yet.
 *
 * @throws IntegrationError of kind `credentials` if the credentials cannot work.
 */
export function connect(settings: AccountSettings, options: GitHubOptions): AccountClient {
  const login = readCredentials(settings.name, settings.credentials);
  const configured = readBaseUrl(options.baseUrl ?? PUBLIC_API);
  const baseUrl = login.baseUrl ?? configured;
  requireKnownHost(settings.name, baseUrl, [configured, PUBLIC_API], options.hosts ?? []);
  const listeners: ((telemetry: Telemetry) => void)[] = [];
  const tell = (telemetry: Telemetry): void => {
    for (const listener of listeners) listener(telemetry);
  };
  const open = (as: Login, onTelemetry: typeof tell): Api => {
    const transport = new Transport({
      baseUrl,
      fetch: settings.fetch ?? globalThis.fetch,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      now: settings.now,
      setTimer: settings.setTimer ?? setRealTimer,
      onTelemetry,
    });
    return new Api(as, transport);
  };
  const api = open(login, tell);
  return {
    identity: (signal) => readIdentity(api, signal),
    findContainer: (nameOrId, signal) => findRepository(api, nameOrId, signal),
    container: (container): ContainerClient => new RepositoryClient(api, container, tell),
    ...(login.kind === "app"
      ? { deliveryLog: deliveryLog(api, login), installation: installationClient(api, login) }
      : {}),
    asUser: (name, credentials) => {
      const user = open(readUserToken(name, credentials, baseUrl), ignore);
      return {
        identity: (signal) => readIdentity(user, signal),
        container: (container) => new RepositoryClient(user, container, ignore),
      };
    },
    onTelemetry: (listener) => {
      listeners.push(listener);
    },
  };
}

/** A token writes as its user; an installation writes as the App's bot. */
async function readIdentity(api: Api, signal: AbortSignal | undefined): Promise<Actor> {
  const url = await identityPath(api, signal);
  const { id, login } = readAnswer(userShape, await api.send({ method: "GET", url, signal }));
  return { id, login };
}

async function identityPath(api: Api, signal: AbortSignal | undefined): Promise<string> {
  if (api.login.kind === "token") return "/user";
  const answer = await api.sendAsApp(api.login, { method: "GET", url: "/app", signal });
  const { slug } = readAnswer(appShape, answer);
  return `/users/${encodeURIComponent(`${slug}[bot]`)}`;
}

async function findRepository(
  api: Api,
  nameOrId: string,
  signal: AbortSignal | undefined,
): Promise<Container> {
  const wanted = nameOrId.trim();
  const answer = await api.follow(repositoryPath(wanted), signal).catch((error: unknown) => {
    throw error instanceof IntegrationError && error.kind === "not_found"
      ? repositoryNotFound(wanted, error)
      : error;
  });
  const { id, full_name: name } = readAnswer(repositoryShape, answer);
  return { id, name };
}

function repositoryPath(nameOrId: string): string {
  if (/^\d+$/.test(nameOrId)) return `/repositories/${nameOrId}`;
  if (REPOSITORY_NAME.test(nameOrId)) return `/repos/${nameOrId}`;
  throw impossible(
    "invalid_repository_name",
    `${JSON.stringify(nameOrId)} is no repository of GitHub.`,
    "Give owner/name, such as acme/site, or the repository's numeric id.",
  );
}

function repositoryNotFound(nameOrId: string, error: IntegrationError): IntegrationError {
  return new IntegrationError({
    kind: "not_found",
    code: "repository_not_found",
    message: `GitHub shows this account no repository ${nameOrId}.`,
    hint: "Check the spelling, and that the token or the App's installation includes the repository.",
    applied: "no",
    status: error.status,
    requestId: error.requestId,
    cause: error,
  });
}

function ignore(): void {
  // Nothing to report: a user's rate limit is not the account's.
}

function setRealTimer(millis: number, fire: () => void): () => void {
  const timer = setTimeout(fire, millis);
  return () => {
    clearTimeout(timer);
  };
}
