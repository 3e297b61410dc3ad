/** Lists: the requested page, and the `Link` header with the addresses of the others. */
import { type Instant, parseInstant } from "../../../model/instant.ts";
import { GitHubFailure, invalidRequest, validationFailed, type WireJson } from "../world/index.ts";
import { type RouteAnswer, type Call, ok } from "./call.ts";

const MAX_PER_PAGE = 100;

/** Answers with the page of `items` that the query selects. */
export function answerPage<T>(
  call: Call,
  items: readonly T[],
  represent: (item: T) => WireJson,
  wrap: (page: WireJson[]) => WireJson = (page) => page,
): RouteAnswer {
  if (call.lists === "empty") return ok(wrap([]));
  const perPage = Math.min(positive(call.request.query.get("per_page")) ?? 30, MAX_PER_PAGE);
  const page = positive(call.request.query.get("page")) ?? 1;
  const slice = items.slice((page - 1) * perPage, page * perPage);
  if (call.lists === "partial") {
    return ok(wrap(slice.slice(0, Math.floor(slice.length / 2)).map(represent)));
  }
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = linkHeader(call, page, last);
  return ok(wrap(slice.map(represent)), link === "" ? {} : { link });
}

/** The same for a list with cursors, which name the first entry of a page. */
export function answerCursorPage<T extends { readonly id: unknown }>(
  call: Call,
  items: readonly T[],
  represent: (item: T) => WireJson,
): RouteAnswer {
  const perPage = Math.min(positive(call.request.query.get("per_page")) ?? 30, MAX_PER_PAGE);
  const cursor = call.request.query.get("cursor");
  const from = cursor === null ? 0 : items.findIndex(({ id }) => cursorOf(id) === cursor);
  if (from < 0) throw new GitHubFailure(400, "Invalid cursor");
  const links = [
    ["prev", from === 0 ? undefined : items[Math.max(0, from - perPage)]],
    ["next", items[from + perPage]],
  ] as const;
  const link = links
    .flatMap(([rel, item]) =>
      item === undefined ? [] : [linkTo(call, rel, "cursor", cursorOf(item.id))],
    )
    .join(", ");
  const page = items.slice(from, from + perPage).map(represent);
  return ok(page, link === "" ? {} : { link });
}

function cursorOf(id: unknown): string {
  return `v1_${String(id)}`;
}

/** The requested order of a list; ties are ordered by creation. */
export function sortBy<T>(
  items: readonly T[],
  key: (item: T) => number,
  direction: "asc" | "desc",
): T[] {
  const sign = direction === "asc" ? 1 : -1;
  return items
    .map((item, index) => ({ item, index }))
    .sort((a, b) => sign * (key(a.item) - key(b.item) || a.index - b.index))
    .map(({ item }) => item);
}

/** The `since` parameter. @throws GitHubFailure 422 if it is not a time. */
export function sinceOf(call: Call): Instant | null {
  const since = call.request.query.get("since");
  if (since === null || since === "") return null;
  try {
    return parseInstant(since);
  } catch {
    throw validationFailed({ resource: "Issue", field: "since", code: "invalid", value: since });
  }
}

/** A parameter from a fixed set. @throws GitHubFailure 422 for any other value. */
export function choiceOf<T extends string>(
  call: Call,
  name: string,
  choices: readonly T[],
  otherwise: T,
): T {
  const value = call.request.query.get(name);
  if (value === null || value === "") return otherwise;
  const choice = choices.find((entry) => entry === value);
  if (choice === undefined) {
    throw invalidRequest(`${JSON.stringify(value)} is not a member of ${JSON.stringify(choices)}.`);
  }
  return choice;
}

function linkHeader(call: Call, page: number, last: number): string {
  const links: string[] = [];
  const add = (rel: string, target: number): void => {
    links.push(linkTo(call, rel, "page", String(target)));
  };
  if (page > 1) add("prev", Math.min(page - 1, last));
  if (page < last) {
    add("next", page + 1);
    add("last", last);
  }
  if (page > 1) add("first", 1);
  return links.join(", ");
}

function linkTo(call: Call, rel: string, parameter: string, value: string): string {
  const query = new URLSearchParams(call.request.query);
  query.set(parameter, value);
  return `<${call.request.baseUrl}${call.request.path}?${query.toString()}>; rel="${rel}"`;
}

function positive(text: string | null): number | null {
  const number = Number(text ?? "");
  return Number.isSafeInteger(number) && number >= 1 ? number : null;
}
