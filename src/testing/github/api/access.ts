/** The caller of the API, by token, and its permissions. */
import { verify } from "node:crypto";
import type { Random } from "../../../model/clock.ts";
import { addMillis, type Instant } from "../../../model/instant.ts";
import {
  type ActingUser,
  alphanumericToken,
  covers,
  fullNameOf,
  GitHubFailure,
  type Id,
  type Installation,
  notFound,
  type Repository,
  validationFailed,
  type World,
} from "../world/index.ts";

export interface TokenInput {
  /** The login that acts with the token; created if unknown. */
  readonly login: string;
  /** Full names; all repositories if absent. */
  readonly repositories?: readonly string[];
  readonly access?: "read" | "write";
  /**
   * Whether its user has push access. Without it users can open issues, comment, and edit their own; labels
   * and assignees of a new issue are dropped. Default: true.
   */
  readonly push?: boolean;
  /** Whether its writes are `performed_via_github_app`. Default: for logins of bots. */
  readonly viaApp?: boolean;
}

interface Grant {
  readonly actor: ActingUser;
  readonly repositories: readonly string[] | null;
  readonly access: "read" | "write";
  readonly push: boolean;
  readonly installation: Installation | null;
  readonly expiresAt: Instant | null;
}

/** `key` names the bucket of the rate limit. */
export type ApiCaller =
  | { readonly kind: "anonymous"; readonly key: string }
  | { readonly kind: "app"; readonly key: string }
  | { readonly kind: "token"; readonly key: string; readonly grant: Grant };

const HOUR_MS = 3_600_000;

export class AccessTokens {
  readonly #world: World;
  readonly #random: Random;
  readonly #grants = new Map<string, Grant>();

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** Makes a token valid. */
  grant(token: string, input: TokenInput): void {
    const { login } = this.#world.user(input.login);
    this.#grants.set(token, {
      actor: { login, viaApp: input.viaApp ?? login.endsWith("[bot]") },
      repositories: input.repositories ?? null,
      access: input.access ?? "write",
      push: input.push ?? true,
      installation: null,
      expiresAt: null,
    });
  }

  revoke(token: string): void {
    this.#grants.delete(token);
  }

  /** Creates a token of an installation, valid for one hour. */
  mint(installation: Installation): { readonly token: string; readonly expiresAt: Instant } {
    const token = `ghs_${alphanumericToken(this.#random, 36)}`;
    const expiresAt = addMillis(this.#world.now(), HOUR_MS);
    const { login } = this.#world.user(`${this.#world.app.slug}[bot]`);
    this.#grants.set(token, {
      actor: { login, viaApp: true },
      repositories: null,
      access: "write",
      push: true,
      installation,
      expiresAt,
    });
    return { token, expiresAt };
  }

  /** @throws GitHubFailure 401 if the credentials are not valid. */
  identify(authorization: string | null): ApiCaller {
    if (authorization === null) return { kind: "anonymous", key: "anonymous" };
    const [scheme = "", token = ""] = authorization.trim().split(/\s+/);
    if (!["bearer", "token"].includes(scheme.toLowerCase())) throw badCredentials();
    if (token.split(".").length === 3) return this.#identifyApp(token);
    const grant = this.#grants.get(token);
    if (grant === undefined) throw badCredentials();
    if (grant.expiresAt !== null && grant.expiresAt <= this.#world.clock.now()) {
      throw badCredentials();
    }
    const { installation, actor } = grant;
    if (installation !== null && !this.#world.installations().includes(installation)) {
      throw badCredentials();
    }
    if (installation?.suspendedAt != null) {
      throw new GitHubFailure(403, "This installation has been suspended");
    }
    const key = installation === null ? actor.login : installationKey(installation);
    return { kind: "token", key, grant };
  }

  #identifyApp(jwt: string): ApiCaller {
    const { app } = this.#world;
    const refused = new GitHubFailure(401, "A JSON web token could not be decoded");
    const [header = "", claims = "", signature = ""] = jwt.split(".");
    if (app.publicKey !== null) {
      const signed = Buffer.from(`${header}.${claims}`);
      const valid = verify(
        "RSA-SHA256",
        signed,
        app.publicKey,
        Buffer.from(signature, "base64url"),
      );
      if (!valid || ![String(app.id), app.clientId].includes(issuerOf(claims))) throw refused;
    }
    return { kind: "app", key: "app" };
  }
}

/** The bucket of the rate limit that all tokens of an installation share. */
export function installationKey(installation: Installation): string {
  return `installation:${String(installation.id)}`;
}

/** The user who writes. @throws GitHubFailure 401 without credentials, 403 if the token is read-only. */
export function actorOf(caller: ApiCaller): ActingUser {
  if (caller.kind !== "token") throw new GitHubFailure(401, "Requires authentication");
  if (caller.grant.access === "read") throw noAccess(caller);
  return caller.grant.actor;
}

/** Checks that a caller may see a repository. @throws GitHubFailure 404, which also hides private ones. */
export function checkVisible(caller: ApiCaller, repository: Repository): void {
  if (!repository.private) return;
  if (!isCovered(caller, repository)) throw notFound();
}

/** @throws GitHubFailure 401 or 403 if the caller may not write. */
export function checkWritable(caller: ApiCaller, repository: Repository): void {
  actorOf(caller);
  if (!isCovered(caller, repository)) throw noAccess(caller);
}

/** Whether the caller may label, assign, and edit texts of others. */
export function mayPush(caller: ApiCaller): boolean {
  return caller.kind === "token" && caller.grant.push;
}

/** @throws GitHubFailure 403 if the caller has no push access. */
export function checkPush(caller: ApiCaller): void {
  if (!mayPush(caller)) throw new GitHubFailure(403, "Must have admin rights to Repository.");
}

/** @throws GitHubFailure 403 if the text has another author and the caller has no push access. */
export function checkEditable(caller: ApiCaller, { author }: { readonly author: string }): void {
  if (author !== actorOf(caller).login) checkPush(caller);
}

/** @throws GitHubFailure 422 if the repository's owner has blocked the caller. */
export function checkNotBlocked(caller: ApiCaller, repository: Repository, resource: string): void {
  if (!repository.blocked.has(actorOf(caller).login)) return;
  const message = "User is blocked";
  throw validationFailed({ resource, code: "unprocessable", field: "data", message });
}

export function noAccess(caller: ApiCaller): GitHubFailure {
  const integration = caller.kind === "token" && caller.grant.actor.viaApp;
  return new GitHubFailure(
    403,
    integration
      ? "Resource not accessible by integration"
      : "Resource not accessible by personal access token",
  );
}

/** The installation of the token. @throws GitHubFailure 401 or 403. */
export function callerInstallation(caller: ApiCaller): Installation {
  if (caller.kind !== "token") throw new GitHubFailure(401, "Requires authentication");
  if (caller.grant.installation === null) throw noAccess(caller);
  return caller.grant.installation;
}

/** @throws GitHubFailure 401 unless the app itself calls. */
export function checkApp(caller: ApiCaller): void {
  if (caller.kind !== "app") throw new GitHubFailure(401, "A JSON web token could not be decoded");
}

export function callerLogin(caller: ApiCaller, app: { readonly id: Id }): string | null {
  if (caller.kind === "app") return `app:${String(app.id)}`;
  return caller.kind === "token" ? caller.grant.actor.login : null;
}

function isCovered(caller: ApiCaller, repository: Repository): boolean {
  if (caller.kind !== "token") return false;
  const { installation, repositories } = caller.grant;
  if (installation !== null) return covers(installation, repository);
  if (repositories === null) return true;
  const fullName = fullNameOf(repository).toLowerCase();
  return repositories.some((name) => name.toLowerCase() === fullName);
}

function badCredentials(): GitHubFailure {
  return new GitHubFailure(401, "Bad credentials");
}

function issuerOf(claims: string): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(claims, "base64url").toString());
    if (typeof parsed !== "object" || parsed === null || !("iss" in parsed)) return "";
    return String(parsed.iss);
  } catch {
    return "";
  }
}
