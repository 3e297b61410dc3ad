/**
 * Listing what changed, oldest first, without missing what moves meanwhile.
 *
 * A resource that is edited while we page jumps to the end of the order and pulls everything behind
 * it one place forward, over the border of a page we already have. Newest first would lose the
 * edited one instead: it jumps to a page we already have. So pages are not counted: after each one
 * the next question is "what changed since the last second of it". Nothing that stands still is
 * passed over, and what jumped to the end is met there. What two pages share is told once. Where
 * two seconds fill a whole page, GitHub's own link to the next one is followed.
 *
 * A validator stands for its page only, so it is given out only where one page was everything.
 */
import {
  addMillis,
  formatInstant,
  type Instant,
  SECOND,
  truncateInstant,
} from "../../model/instant.ts";
import type { Observation } from "../../model/observation.ts";
import type { ListPage, ListQuery } from "../integration.ts";
import type { Api } from "./api.ts";
import type { Answer } from "./transport.ts";

/** One entry of a page; `observation` is `null` where it is none of ours, such as a pull request. */
export interface ListItem {
  readonly key: string;
  readonly updatedAt: Instant;
  readonly observation: Observation | null;
}

const PAGE_SIZE = "100";

/** Reads all pages of a list whose route takes `since`, `sort` and `direction`. */
export async function* listPages(
  api: Api,
  path: string,
  query: Pick<ListQuery, "since" | "etag">,
  readItems: (answer: Answer) => readonly ListItem[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ListPage> {
  let since = query.since;
  let url = addressOf(path, since);
  let told = new Map<string, Instant>();
  for (let page = 1; ; page += 1) {
    const readAt = api.transport.now();
    const ifNoneMatch = page === 1 ? query.etag : null;
    const answer = await api.send({ method: "GET", url, ifNoneMatch, signal });
    if (answer.status === 304) {
      yield { observations: [], unchanged: true, etag: query.etag, readAt, last: true };
      return;
    }
    const items = readItems(answer);
    const next = nextLink(answer.headers.link);
    const observations = items.flatMap(({ key, updatedAt, observation }) =>
      observation === null || told.get(key) === updatedAt ? [] : [observation],
    );
    yield {
      observations,
      unchanged: false,
      etag: page === 1 && next === null ? (answer.headers.etag ?? null) : null,
      readAt,
      last: next === null,
    };
    if (next === null) return;
    const from = resumeFrom(items);
    if (from !== null) {
      since = from;
      url = addressOf(path, since);
    } else {
      url = api.ownAddress(next);
    }
    told = toldSince(since, told, items);
  }
}

/** The address of the `next` relation in a `link` header (RFC 8288), or `null`. */
export function nextLink(header: string | undefined): string | null {
  for (const [, address = "", parameters = ""] of (header ?? "").matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (/;\s*rel="?(?:[^"]*\s)?next(?:\s[^"]*)?"?\s*(?:[;,]|$)/.test(parameters)) return address;
  }
  return null;
}

/**
 * From when the next page is asked for: one second before the last change of this one, whether or
 * not GitHub counts that second itself in. `null` where that would show the whole page again.
 */
function resumeFrom(items: readonly ListItem[]): Instant | null {
  const [first, last] = [items.at(0), items.at(-1)];
  if (first === undefined || last === undefined) return null;
  const from = addMillis(truncateInstant(last.updatedAt, SECOND), -1000);
  return first.updatedAt < from ? from : null;
}

/** What a page from `since` on may show once more. */
function toldSince(
  since: Instant | null,
  told: ReadonlyMap<string, Instant>,
  items: readonly ListItem[],
): Map<string, Instant> {
  const all = [...told, ...items.map((item) => [item.key, item.updatedAt] as const)];
  return new Map(all.filter(([, updatedAt]) => since === null || updatedAt >= since));
}

function addressOf(path: string, since: Instant | null): string {
  const parameters = new URLSearchParams({
    sort: "updated",
    direction: "asc",
    per_page: PAGE_SIZE,
  });
  if (since !== null) parameters.set("since", `${formatInstant(since).slice(0, 19)}Z`);
  const separator = path.includes("?") ? "&" : "?";
  return `${path}${separator}${parameters.toString()}`;
}
