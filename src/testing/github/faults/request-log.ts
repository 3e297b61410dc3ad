/** The log of API requests, for assertions and for a page that shows them. */
import type { Instant } from "../../../model/instant.ts";
import { matchesRequest, type NetworkFault } from "./faults.ts";

/** One request; its last fields are set while it is processed. */
export interface RequestEntry {
  readonly id: number;
  readonly at: Instant;
  readonly method: string;
  /** Without the base path. */
  readonly path: string;
  /** With the question mark, or empty. */
  readonly query: string;
  readonly body: string;
  /** The login of the request's token; `app:ID` for the app itself, `null` without a valid token. */
  login: string | null;
  status: number | null;
  /** The failure that the caller saw instead of a response. */
  failure: NetworkFault | null;
  /** Whether a write took effect, even if the caller saw a failure. */
  applied: boolean;
  answeredAt: Instant | null;
}

export interface RequestFilter {
  readonly method?: string;
  readonly path?: string | RegExp;
  /** `true` for writes to repositories, `false` for reads; both leave out requests of the app itself. */
  readonly writes?: boolean;
  /** Only requests that took effect, or only those that did not. */
  readonly applied?: boolean;
  /** Only requests with this login's token. */
  readonly login?: string;
}

/** The log is bounded, because the demo's simulator runs for days. */
const KEPT_ENTRIES = 100_000;

export class RequestLog {
  #entries: RequestEntry[] = [];
  #nextId = 1;
  readonly #listeners = new Set<(entry: RequestEntry) => void>();

  get entries(): readonly RequestEntry[] {
    return this.#entries;
  }

  add(entry: Pick<RequestEntry, "at" | "method" | "path" | "query" | "body">): RequestEntry {
    const added: RequestEntry = {
      id: this.#nextId++,
      ...entry,
      login: null,
      status: null,
      failure: null,
      applied: false,
      answeredAt: null,
    };
    this.#entries.push(added);
    if (this.#entries.length > KEPT_ENTRIES) this.#entries.shift();
    return added;
  }

  clear(): void {
    this.#entries = [];
  }

  find(filter: RequestFilter): RequestEntry[] {
    return this.#entries.filter((entry) => matches(filter, entry));
  }

  onAnswered(listener: (entry: RequestEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  answered(entry: RequestEntry): void {
    for (const listener of this.#listeners) listener(entry);
  }
}

function matches(filter: RequestFilter, entry: RequestEntry): boolean {
  if (!matchesRequest(filter, entry)) return false;
  if (filter.login !== undefined && filter.login !== entry.login) return false;
  if (filter.applied !== undefined && filter.applied !== entry.applied) return false;
  if (filter.writes === undefined) return true;
  const isRead = entry.method === "GET" || entry.method === "HEAD";
  const isApp = entry.path === "/app" || entry.path.startsWith("/app/");
  return !isApp && filter.writes === !isRead;
}
