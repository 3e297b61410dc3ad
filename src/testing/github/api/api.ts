/** The API: finds the route of a request, and adds the common parts of every response. */
import { createHash } from "node:crypto";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import { addMillis, type Instant, SECOND } from "../../../model/instant.ts";
import type { Random } from "../../../model/clock.ts";
import type { ApiFaults } from "../faults/index.ts";
import {
  alphanumericToken,
  GitHubFailure,
  notFound,
  type WireJsonObject,
  type World,
  writeJson,
} from "../world/index.ts";
import type { Webhooks } from "../webhooks/index.ts";
import { type AccessTokens, type ApiCaller, noAccess } from "./access.ts";
import type { RouteAnswer, IncomingRequest, Call, Route } from "./call.ts";
import type { Budget, RateLimits } from "./rate-limits.ts";
import { ROUTES } from "./routes.ts";

/** A response as it is sent. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The conditions under which a request is answered. */
export interface Conditions {
  readonly lagMs: number;
  readonly lists: ApiFaults["lists"];
}

const DOCUMENTATION = "https://docs.github.com/rest";

export class SimulatedApi {
  readonly #world: World;
  readonly #webhooks: Webhooks;
  readonly #access: AccessTokens;
  readonly #limits: RateLimits;
  readonly #faults: ApiFaults;
  readonly #random: Random;

  constructor(parts: {
    readonly world: World;
    readonly webhooks: Webhooks;
    readonly access: AccessTokens;
    readonly limits: RateLimits;
    readonly faults: ApiFaults;
    readonly random: Random;
  }) {
    this.#world = parts.world;
    this.#webhooks = parts.webhooks;
    this.#access = parts.access;
    this.#limits = parts.limits;
    this.#faults = parts.faults;
    this.#random = parts.random;
  }

  /** The caller; `null` if the credentials are not valid. */
  identify(request: IncomingRequest): ApiCaller | null {
    try {
      return this.#access.identify(request.headers.get("authorization"));
    } catch (error) {
      if (error instanceof GitHubFailure) return null;
      throw error;
    }
  }

  /** Applies the request and builds its response in one step. */
  handle(
    request: IncomingRequest,
    conditions: Conditions = { lagMs: 0, lists: "whole" },
  ): ApiResponse {
    let caller = ANONYMOUS;
    try {
      caller = this.#authenticate(request);
      this.#admit(request, caller);
      const answer = this.#answer(request, caller, conditions);
      return this.#write(request, caller, answer);
    } catch (error) {
      if (!(error instanceof GitHubFailure)) throw error;
      return this.#refuse(request, caller, error);
    }
  }

  /** The response of a failure that a fault caused, not the request. */
  fail(request: IncomingRequest, status: number): ApiResponse {
    if (status === 502 || status === 504) {
      const title = status === 502 ? "502 Bad Gateway" : "504 Gateway Time-out";
      const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>${title}</body>\r\n</html>\r\n`;
      return { status, headers: { "content-type": "text/html" }, body };
    }
    const message = FAULT_MESSAGES.get(status) ?? "Something went wrong";
    return this.#refuse(
      request,
      this.identify(request) ?? ANONYMOUS,
      new GitHubFailure(status, message),
    );
  }

  /** 403 with nothing remaining, until the rate limit resets. */
  exhaust(request: IncomingRequest): ApiResponse {
    const caller = this.identify(request) ?? ANONYMOUS;
    const { reset } = this.#limits.read(caller.key, this.#world.clock.now());
    this.#limits.set(caller.key, 0, reset);
    return this.#refuse(request, caller, rateLimited(caller));
  }

  limitSecondary(
    request: IncomingRequest,
    retryAfterSeconds: number,
    status: 403 | 429,
  ): ApiResponse {
    return this.#refuse(
      request,
      this.identify(request) ?? ANONYMOUS,
      secondaryLimited(retryAfterSeconds, status),
    );
  }

  #authenticate(request: IncomingRequest): ApiCaller {
    if (this.#faults.unauthorized) throw new GitHubFailure(401, "Bad credentials");
    return this.#access.identify(request.headers.get("authorization"));
  }

  /** All refusals that do not depend on the route. */
  #admit(request: IncomingRequest, caller: ApiCaller): void {
    const accept = request.headers.get("accept") ?? "*/*";
    if (!/\*\/\*|application\/\*|json/i.test(accept)) {
      throw new GitHubFailure(
        415,
        `Unsupported 'Accept' header: '${accept}'. Must accept 'application/json'.`,
      );
    }
    const now = this.#world.clock.now();
    if (isFree(request)) return;
    if (this.#limits.read(caller.key, now).remaining === 0) throw rateLimited(caller);
    if (this.#faults.forbidden && /^\/(repos|repositories)\//.test(request.path)) {
      throw noAccess(caller);
    }
    if (isWrite(request) && !request.path.startsWith("/app/")) {
      const busy = this.#limits.admitWrite(caller.key, now);
      if (busy !== null) throw secondaryLimited(busy.retryAfterSeconds, 403);
    }
  }

  #answer(request: IncomingRequest, caller: ApiCaller, conditions: Conditions): RouteAnswer {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const [matches, stash] = ROUTER.match(method, request.path);
    const match = matches[0];
    if (match === undefined) throw notFound();
    const [route, params] = match;
    const now = this.#world.clock.now();
    const call: Call = {
      world: this.#world,
      webhooks: this.#webhooks,
      access: this.#access,
      request,
      params: decodeParams(params, stash),
      caller,
      asOf: conditions.lagMs > 0 ? addMillis(now, -conditions.lagMs) : null,
      lists: conditions.lists,
      budget: this.#limits.read(caller.key, now),
    };
    return route(call);
  }

  #write(request: IncomingRequest, caller: ApiCaller, answer: RouteAnswer): ApiResponse {
    const now = this.#world.clock.now();
    const isRead = request.method === "GET" || request.method === "HEAD";
    const body = answer.body === undefined ? null : writeJson(answer.body);
    // The response to a change has the ETag of the next read, so both are built in the same way.
    const isSeen = isRead || request.method === "PATCH";
    const etag = body !== null && isSeen ? etagOf(body, caller) : null;
    const unchanged = isRead && etag !== null && isUnchanged(request, etag, answer.headers ?? {});
    // A conditional request for unchanged content is free for authenticated callers.
    if (!isFree(request) && !(unchanged && caller.kind !== "anonymous")) {
      this.#limits.charge(caller.key, now);
    }
    const headers = {
      ...this.#standardHeaders(this.#limits.read(caller.key, now)),
      ...this.#absolute(request, answer.headers ?? {}),
      ...(etag === null ? {} : { etag, "cache-control": "private, max-age=60, s-maxage=60" }),
    };
    if (unchanged) return { status: 304, headers, body: null };
    if (body === null) return { status: answer.status, headers, body };
    const typed = { ...headers, ...JSON_TYPE };
    return { status: answer.status, headers: typed, body: request.method === "HEAD" ? null : body };
  }

  #refuse(request: IncomingRequest, caller: ApiCaller, failure: GitHubFailure): ApiResponse {
    const now = this.#world.clock.now();
    // Invalid credentials have no rate limit to charge.
    const nobody = caller.kind === "anonymous" && request.headers.has("authorization");
    if (!isFree(request) && !nobody && this.#limits.read(caller.key, now).remaining > 0) {
      this.#limits.charge(caller.key, now);
    }
    const location = failure.location === null ? null : `${request.baseUrl}${failure.location}`;
    const body: WireJsonObject = {
      message: failure.message,
      ...failure.fields,
      ...(location === null ? {} : { url: location }),
      documentation_url: DOCUMENTATION,
      status: String(failure.status),
    };
    const headers = {
      ...this.#standardHeaders(this.#limits.read(caller.key, now)),
      ...failure.headers,
      ...(location === null ? {} : { location }),
      ...JSON_TYPE,
    };
    return { status: failure.status, headers, body: writeJson(body) };
  }

  #standardHeaders(budget: Budget): Record<string, string> {
    const now: Instant = this.#world.clock.now();
    return {
      date: new Date(Math.floor(now / SECOND) * 1_000).toUTCString(),
      server: "github.com",
      vary: "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With",
      "x-github-api-version-selected": "2022-11-28",
      "x-github-media-type": "github.v3; format=json",
      "x-github-request-id": `${alphanumericToken(this.#random, 4)}:${alphanumericToken(this.#random, 6)}`,
      "x-ratelimit-limit": String(budget.limit),
      "x-ratelimit-remaining": String(budget.remaining),
      "x-ratelimit-reset": String(Math.floor(budget.reset / SECOND)),
      "x-ratelimit-resource": "core",
      "x-ratelimit-used": String(budget.used),
    };
  }

  /** If the caller used another base address than the world's links, `location` uses the caller's. */
  #absolute(
    request: IncomingRequest,
    headers: Readonly<Record<string, string>>,
  ): Record<string, string> {
    const { location } = headers;
    if (location === undefined) return { ...headers };
    return { ...headers, location: location.replace(this.#world.apiUrl, request.baseUrl) };
  }
}

/** Whether a request changes issues or comments. Tokens and redeliveries do not count. */
export function isWrite(request: { readonly method: string }): boolean {
  return request.method !== "GET" && request.method !== "HEAD";
}

const BY_ID = "/repositories/:repositoryId{[0-9]+}";
/** The routes are compiled once for all simulators, because that costs more than using them. */
const ROUTER = routerOf(ROUTES);

function routerOf(routes: typeof ROUTES): SmartRouter<Route> {
  const router = new SmartRouter<Route>({ routers: [new RegExpRouter(), new TrieRouter()] });
  for (const [method, path, route] of routes) {
    router.add(method, path, route);
    if (path.startsWith("/repos/:owner/:repo")) {
      router.add(method, path.replace("/repos/:owner/:repo", BY_ID), route);
    }
  }
  return router;
}

const ANONYMOUS: ApiCaller = { kind: "anonymous", key: "anonymous" };
const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const FAULT_MESSAGES: ReadonlyMap<number, string> = new Map([
  [401, "Bad credentials"],
  [403, "Resource not accessible by integration"],
  [404, "Not Found"],
  [410, "This issue was deleted"],
  [422, "Validation Failed"],
  [429, "Too Many Requests"],
  [500, "Server Error"],
  [503, "Service Unavailable"],
]);

function isFree(request: IncomingRequest): boolean {
  return request.path === "/rate_limit";
}

function rateLimited(caller: ApiCaller): GitHubFailure {
  const whose = caller.kind === "token" ? `user ${caller.key}` : caller.key;
  return new GitHubFailure(403, `API rate limit exceeded for ${whose}.`);
}

function secondaryLimited(retryAfterSeconds: number, status: 403 | 429): GitHubFailure {
  return new GitHubFailure(
    status,
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    { headers: { "retry-after": String(retryAfterSeconds) } },
  );
}

/** A parameter is a text, or the index of one in the router's match. */
function decodeParams(
  params: Readonly<Record<string, string | number>>,
  stash: readonly string[] = [],
): Record<string, string> {
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      throw notFound();
    }
  };
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      decode(typeof value === "number" ? (stash[value] ?? "") : value),
    ]),
  );
}

function etagOf(body: string, caller: ApiCaller): string {
  return `W/"${createHash("sha256").update(caller.key).update("\n").update(body).digest("hex")}"`;
}

function isUnchanged(
  request: IncomingRequest,
  etag: string,
  headers: Readonly<Record<string, string>>,
): boolean {
  const wanted = request.headers.get("if-none-match");
  if (wanted !== null) {
    const tags = wanted.split(",").map((tag) => tag.trim());
    return tags.includes("*") || tags.includes(etag) || tags.includes(etag.replace("W/", ""));
  }
  const since = Date.parse(request.headers.get("if-modified-since") ?? "");
  return Date.parse(headers["last-modified"] ?? "") <= since;
}
