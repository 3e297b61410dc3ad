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
 *
 * A server in trouble must not keep us listing: an address that was asked for before, or several pages on
 * end without news, end the listing as a failure that may pass.
 */
import { z } from "zod";
import {
  addMillis,
  formatInstant,
  type Instant,
  parseInstant,
  SECOND,
  truncateInstant,
} from "../../model/instant.ts";
import type { Observation } from "../../model/observation.ts";
import type { ListPage, ListQuery } from "../integration.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { endlessPages } from "./errors.ts";
import type { Answer } from "./transport.ts";

/** One entry of a page; `observation` is `null` where it is none of ours, such as a pull request. */
export interface ListItem {
  readonly key: string;
  readonly updatedAt: Instant;
  readonly observation: Observation | null;
}

const PAGE_SIZE = "100";
/** Pages on end that may bring nothing new: what two of them share was told once. */
const PAGES_WITHOUT_NEWS = 10;
/** Of one list: two million resources. */
const MOST_PAGES = 20_000;

/** Notices where pages lead in circles, or on and on. */
export class PageGuard {
  readonly #asked = new Set<string>();
  #withoutNews = 0;

  /**
   * Takes note of a page, and of where the next one is.
   *
   * @throws IntegrationError `endless_pages`, which may pass.
   */
  note(answer: Answer, url: string, next: string | null, news: number): void {
    this.#asked.add(url);
    this.#withoutNews = news > 0 ? 0 : this.#withoutNews + 1;
    if (next === null) return;
    if (
      this.#asked.has(next) ||
      this.#withoutNews >= PAGES_WITHOUT_NEWS ||
      this.#asked.size >= MOST_PAGES
    ) {
      throw endlessPages(answer, this.#asked.size);
    }
  }
}

/** Reads all pages of a list whose route takes `since`, `sort` and `direction`. */
export async function* listPages(
  repository: RepositoryApi,
  path: string,
  query: Pick<ListQuery, "since" | "etag" | "cursor">,
  readItems: (answer: Answer) => readonly ListItem[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ListPage> {
  const resumed = readCursor(repository, query.cursor ?? null);
  let since = resumed?.since ?? query.since;
  let url = resumed?.url ?? addressOf(path, since);
  let told = new Map(resumed?.told);
  const guard = new PageGuard();
  for (let page = 1; ; page += 1) {
    const readAt = repository.now();
    const ifNoneMatch = page === 1 ? query.etag : null;
    const answer = await repository.send({ method: "GET", url, ifNoneMatch, signal });
    if (answer.status === 304) {
      const nothing = { observations: [], unchanged: true, cursor: null, pagesLeft: 0 };
      yield { ...nothing, etag: query.etag, readAt, last: true };
      return;
    }
    const items = readItems(answer);
    const next = nextLink(answer.headers.link);
    const observations = items.flatMap(({ key, updatedAt, observation }) =>
      observation === null || told.get(key) === updatedAt ? [] : [observation],
    );
    const from = resumeFrom(items);
    const asked = url;
    if (next !== null && from !== null) {
      since = from;
      url = addressOf(path, since);
    } else if (next !== null) {
      url = repository.pathOf(next, answer);
    }
    const news = items.filter(({ key, updatedAt }) => told.get(key) !== updatedAt).length;
    guard.note(answer, asked, next === null ? null : url, news);
    told = toldSince(since, told, items);
    yield {
      observations,
      unchanged: false,
      etag: page === 1 && next === null ? (answer.headers.etag ?? null) : null,
      readAt,
      last: next === null,
      cursor: next === null ? null : writeCursor({ url, since, told }),
      pagesLeft: pagesLeft(answer.headers.link),
    };
    if (next === null) return;
  }
}

interface Place {
  readonly url: string;
  readonly since: Instant | null;
  /** What the next page may show once more. */
  readonly told: ReadonlyMap<string, Instant>;
}

function writeCursor({ url, since, told }: Place): string {
  const items = [...told].map(([key, at]) => [key, formatInstant(at)]);
  return JSON.stringify({ url, since: since === null ? null : formatInstant(since), told: items });
}

const cursorShape = z.object({
  url: z.string(),
  since: z.string().nullable(),
  told: z.array(z.tuple([z.string(), z.string()])),
});

/** A cursor that is none of ours, or leads to another API by now, is of no use. */
function readCursor(repository: RepositoryApi, cursor: string | null): Place | null {
  if (cursor === null) return null;
  try {
    const { url, since, told } = cursorShape.parse(JSON.parse(cursor));
    return {
      url: isBelowRepository(url) ? url : repository.pathOf(url, null),
      since: since === null ? null : parseInstant(since),
      told: new Map(told.map(([key, at]) => [key, parseInstant(at)])),
    };
  } catch {
    return null;
  }
}

/** Cursors of former versions name the repository, too. */
function isBelowRepository(url: string): boolean {
  return url.startsWith("/issues");
}

/** How many pages follow, by the numbers in the `next` and `last` relations. */
function pagesLeft(header: string | undefined): number | null {
  const [next, last] = [pageOf(header, "next"), pageOf(header, "last")];
  if (nextLink(header) === null) return 0;
  return next === null || last === null ? null : last - next + 1;
}

function pageOf(header: string | undefined, relation: string): number | null {
  const link = linkOf(header, relation);
  if (link === null || !URL.canParse(link)) return null;
  const page = Number(new URL(link).searchParams.get("page"));
  return Number.isSafeInteger(page) && page > 0 ? page : null;
}

/** The address of the `next` relation in a `link` header (RFC 8288), or `null`. */
export function nextLink(header: string | undefined): string | null {
  return linkOf(header, "next");
}

function linkOf(header: string | undefined, relation: string): string | null {
  const named = new RegExp(`;\\s*rel="?(?:[^"]*\\s)?${relation}(?:\\s[^"]*)?"?\\s*(?:[;,]|$)`);
  for (const [, address = "", parameters = ""] of (header ?? "").matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (named.test(parameters)) return address;
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
