/** One request as a route sees it: parameters, body, caller, and the time that it reads from. */
import type { Instant } from "../../../model/instant.ts";
import type { ApiFaults } from "../faults/index.ts";
import {
  GitHubFailure,
  invalidRequest,
  moved,
  notFound,
  type Repository,
  type WireJson,
  type WireJsonObject,
  type World,
} from "../world/index.ts";
import type { Webhooks } from "../webhooks/index.ts";
import { type AccessTokens, type ApiCaller, checkVisible, checkWritable } from "./access.ts";
import type { Budget } from "./rate-limits.ts";

/** A request with its body, and its path without the base path. */
export interface IncomingRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: string;
  /** The root of the API as the caller addresses it, without a slash at the end. */
  readonly baseUrl: string;
}

/** The result of a route. A `body` of `undefined` means no content. */
export interface RouteAnswer {
  readonly status: number;
  readonly body: WireJson | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Call {
  readonly world: World;
  readonly webhooks: Webhooks;
  readonly access: AccessTokens;
  readonly request: IncomingRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly caller: ApiCaller;
  /** The time to read from: the past if reads are stale, `null` for now. */
  readonly asOf: Instant | null;
  readonly lists: ApiFaults["lists"];
  readonly budget: Budget;
}

export type Route = (call: Call) => RouteAnswer;

export function ok(body: WireJson, headers: Readonly<Record<string, string>> = {}): RouteAnswer {
  return { status: 200, body, headers };
}

export function created(body: WireJson, location: string): RouteAnswer {
  return { status: 201, body, headers: { location } };
}

export const NO_CONTENT: RouteAnswer = { status: 204, body: undefined };

/** @throws GitHubFailure 404, 403, or a redirect if the repository was renamed. */
export function repositoryOf(call: Call, purpose: "read" | "write"): Repository {
  const { owner = "", repo = "", repositoryId } = call.params;
  const found =
    repositoryId === undefined
      ? call.world.repositoryByName(`${owner}/${repo}`)
      : { repository: call.world.repositoryById(repositoryId), moved: false };
  if (found?.repository === undefined) throw notFound();
  const { repository } = found;
  checkVisible(call.caller, repository);
  if (found.moved) {
    const rest = call.request.path.split("/").slice(4).join("/");
    const query = call.request.query.toString();
    const path = `/repositories/${String(repository.id)}${rest === "" ? "" : `/${rest}`}`;
    const status = call.request.method === "GET" ? 301 : 307;
    throw moved(status, query === "" ? path : `${path}?${query}`);
  }
  if (purpose === "write") checkWritable(call.caller, repository);
  return repository;
}

/** A whole number from the path. @throws GitHubFailure 404. */
export function numberOf(call: Call, name: string): number {
  const number = Number(call.params[name]);
  if (!Number.isSafeInteger(number)) throw notFound();
  return number;
}

/** @throws GitHubFailure 400 if the body is not a JSON object. */
export function bodyOf(call: Call): WireJsonObject {
  const text = call.request.body;
  if (text === "") return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new GitHubFailure(400, "Problems parsing JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new GitHubFailure(400, "Body should be a JSON object");
  }
  // The cast is safe: the value comes from JSON.parse, and is no array, null or scalar.
  return parsed as WireJsonObject;
}

/** A text field; absent stays absent. @throws GitHubFailure 422 for anything else. */
export function textField(body: WireJsonObject, name: string): string | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw invalidRequest(`For 'properties/${name}', ${written(value)} is not a string.`);
}

/** A text field that may be `null`. */
export function nullableTextField(body: WireJsonObject, name: string): string | null | undefined {
  return body[name] === null ? null : textField(body, name);
}

/** A list of texts, or of objects with a `name`. @throws GitHubFailure 422 for anything else. */
export function namesField(body: WireJsonObject, name: string): string[] | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) {
    throw invalidRequest(`For 'properties/${name}', ${written(value)} is not an array.`);
  }
  return value.map((entry: WireJson) => {
    if (typeof entry === "string") return entry;
    const named =
      entry !== null && typeof entry === "object" && "name" in entry ? entry.name : null;
    if (typeof named === "string") return named;
    throw invalidRequest(`For 'items', ${written(entry)} is not a string.`);
  });
}

/** One of a fixed set of texts. @throws GitHubFailure 422 for any other. */
export function choiceField<T extends string>(
  body: WireJsonObject,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const choice = choices.find((entry) => entry === value);
  if (choice !== undefined) return choice;
  throw invalidRequest(`${written(value)} is not a member of ${JSON.stringify(choices)}.`);
}

function written(value: WireJson): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "bigint" ? String(part) : part,
  );
}
