/**
 * Lists changed resources, oldest first, without missing those that change during the listing.
 *
 * A resource that is edited while we page moves to the end of the order. All resources behind it move
 * one position forward, across the border of a page that we have read already. With newest first the
 * edited resource itself would move to such a page. So the listing does not count pages: after each
 * page it asks for the changes since the last second of that page. No unchanged resource is skipped,
 * and edited ones appear at the end. An item that two pages share is reported once. If a page covers
 * less than two seconds, the listing follows GitHub's own link to the next page.
 *
 * A validator covers one page only, so it is returned only if that page was the whole list.
 *
 * A failing server must not keep us listing. An address that was read before, or several pages in a row
 * without a new item, end the listing with a retryable error.
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
import { type Answer, endlessPages } from "./transport/index.ts";

/** One entry of a page; `observation` is `null` if it is not synced, such as a pull request. */
export interface ListItem {
  readonly key: string;
  readonly updatedAt: Instant;
  readonly observation: Observation | null;
}

const PAGE_SIZE = "100";
/** The number of pages in a row that may contain no new item. */
const PAGES_WITHOUT_NEWS = 10;
/** The most pages of one listing: two million resources. */
const MOST_PAGES = 20_000;

/** Detects pages that form a circle or do not end. */
export class PageGuard {
  readonly #asked = new Set<string>();
  #withoutNews = 0;

  /**
   * Records a page and the address of the next one.
   *
   * @throws IntegrationError `endless_pages`, which is retryable.
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

/** Reads all pages of a list whose route accepts `since`, `sort` and `direction`. */
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
  /** Items of earlier pages that the next page may contain again, with their times. */
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

/** Ignores a cursor of another format, or one that points to another API. */
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

/** Cursors of earlier versions contain the repository, too. */
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
 * The `since` of the next page: one second before the last change of this page, because GitHub may or may
 * not include that second. `null` if that would return the same page again.
 */
function resumeFrom(items: readonly ListItem[]): Instant | null {
  const [first, last] = [items.at(0), items.at(-1)];
  if (first === undefined || last === undefined) return null;
  const from = addMillis(truncateInstant(last.updatedAt, SECOND), -1000);
  return first.updatedAt < from ? from : null;
}

/** Items that a page from `since` on may contain again. */
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
