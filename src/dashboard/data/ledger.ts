/**
 * The page's copy of the ledger: its events, the newest copy of each, and the selection by a filter.
 * Pure.
 */
import type { Direction, EventState } from "../../model/event.ts";
import type { ApiEvent } from "../../server/protocol/index.ts";

export const EVENT_STATES: readonly EventState[] = [
  "queued",
  "processing",
  "completed",
  "errored",
  "ignored",
  "duplicate",
  "canceled",
  "disabled",
];

interface Entry {
  readonly event: ApiEvent;
  /** The ledger's tick when the stream brought this copy; 0 for a fetched copy. */
  readonly heard: number;
  /** Whether the event was created after the page was opened. */
  readonly fresh: boolean;
}

export interface LoadedLedger {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Grows with each event from the stream, to compare the age of a fetched page with it. */
  readonly tick: number;
  /** The time of creation of the first page's newest event; `null` before that page. */
  readonly since: string | null;
}

/** The most events that the page keeps; the oldest are dropped first. */
const KEPT = 2_000;

export const EMPTY_LEDGER: LoadedLedger = { entries: new Map(), tick: 0, since: null };

/**
 * Adds events from the stream, which always brings the newest copy. A stream begins with existing events;
 * only events newer than the first page are fresh.
 */
export function addStreamed(ledger: LoadedLedger, events: readonly ApiEvent[]): LoadedLedger {
  const entries = new Map(ledger.entries);
  let { tick } = ledger;
  for (const event of events) {
    tick += 1;
    const known = entries.get(event.id);
    const young = ledger.since !== null && event.created_at > ledger.since;
    entries.set(event.id, { event, heard: tick, fresh: known?.fresh ?? young });
  }
  return { ...ledger, entries: trimmed(entries), tick };
}

/**
 * Adds a fetched page. `asked` is the ledger's tick at the time of the request: events that the stream
 * brought since then are newer than the response and stay.
 */
export function addFetched(
  ledger: LoadedLedger,
  events: readonly ApiEvent[],
  asked: number,
): LoadedLedger {
  const entries = new Map(ledger.entries);
  for (const event of events) {
    const known = entries.get(event.id);
    if (known !== undefined && known.heard > asked) continue;
    const { heard = 0, fresh = false } = known ?? {};
    entries.set(event.id, { event, heard, fresh });
  }
  const since = ledger.since ?? newestBirth(events);
  return { entries: trimmed(entries), tick: ledger.tick, since };
}

/** All events, newest first. */
export function eventsNewestFirst(ledger: LoadedLedger): readonly ApiEvent[] {
  return [...ledger.entries.values()].map((entry) => entry.event).sort(byAge);
}

function newestBirth(events: readonly ApiEvent[]): string {
  return events.reduce(
    (newest, event) => (event.created_at > newest ? event.created_at : newest),
    "",
  );
}

function byAge(a: ApiEvent, b: ApiEvent): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

function trimmed(entries: Map<string, Entry>): ReadonlyMap<string, Entry> {
  if (entries.size <= KEPT) return entries;
  const oldestFirst = [...entries.values()].sort((a, b) => byAge(b.event, a.event));
  for (const { event } of oldestFirst.slice(0, entries.size - KEPT)) entries.delete(event.id);
  return entries;
}

export interface LedgerFilter {
  /** `null` shows all states. */
  readonly state: EventState | null;
  readonly direction: Direction | null;
  /** Words which a shown event contains all: `tasks 42`, `#7`, `late write`. */
  readonly search: string;
}

export const NO_FILTER: LedgerFilter = { state: null, direction: null, search: "" };

export function isFiltering(filter: LedgerFilter): boolean {
  return filter.state !== null || filter.direction !== null || filter.search.trim() !== "";
}

export function passes(event: ApiEvent, filter: LedgerFilter): boolean {
  if (filter.state !== null && event.state !== filter.state) return false;
  if (filter.direction !== null && event.direction !== filter.direction) return false;
  const words = filter.search
    .toLowerCase()
    .split(/[\s:]+/)
    .filter((word) => word !== "");
  if (words.length === 0) return true;
  const { recordNames, text } = searchable(event);
  return words.every((word) =>
    // A number is an id and must match as a whole: 4 does not find 42.
    /^#?\d+$/.test(word) ? recordNames.includes(word) : text.includes(word),
  );
}

function searchable(event: ApiEvent): { recordNames: readonly string[]; text: string } {
  const { record_id: record, integration_external_id: external } = event;
  const recordNames = [record, external, `#${external ?? ""}`].filter((name) => name !== null);
  const text = [
    event.record_type,
    record,
    event.resource_type?.replaceAll("_", " "),
    external,
    event.reason,
    event.because,
    event.state,
    event.id,
    ...event.changes.map((change) => change.field),
    event.conflicts.length > 0 ? "conflict" : "",
  ];
  return { recordNames, text: text.join(" ").toLowerCase() };
}

/** The query of `/api/events` for a filter; the page itself filters by words that the API does not know. */
export function queryOf(filter: LedgerFilter, before: string | null): string {
  const query = new URLSearchParams({ limit: "100" });
  if (filter.state !== null) query.set("state", filter.state);
  if (filter.direction !== null) query.set("direction", filter.direction);
  const record = /^\s*([a-z_][\w.]*)[\s:]+(\d+)\s*$/i.exec(filter.search);
  if (record !== null) query.set("record", `${record[1] ?? ""}:${record[2] ?? ""}`);
  if (before !== null) query.set("before", before);
  return query.toString();
}

/**
 * The subject of each integration record, from its newest event with content, because an event without
 * content has a subject too.
 */
export function subjects(
  events: readonly ApiEvent[],
  subject: (event: ApiEvent) => string,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const event of events) {
    const id = event.integration_record_id;
    if (id === null || found.has(id)) continue;
    const text = subject(event);
    if (text !== "") found.set(id, text);
  }
  return found;
}

export interface Day {
  /** The name that `dayOf` returned. */
  readonly name: string;
  readonly events: readonly ApiEvent[];
}

/** Groups consecutive events of one day. `dayOf` names the day of a time. */
export function groupByDay(
  events: readonly ApiEvent[],
  dayOf: (time: string) => string,
): readonly Day[] {
  const days: { name: string; events: ApiEvent[] }[] = [];
  for (const event of events) {
    const name = dayOf(event.created_at);
    const last = days.at(-1);
    if (last?.name === name) last.events.push(event);
    else days.push({ name, events: [event] });
  }
  return days;
}

/** A link from an event's outcome to the event or record that decided it, with its label. */
export interface Pointer {
  readonly label: string;
  /** `null` if it points at a record. */
  readonly event: string | null;
  readonly record: { readonly type: string; readonly id: string } | null;
}

export function pointersOf(event: ApiEvent): readonly Pointer[] {
  const pointers: Pointer[] = [];
  const toEvent = (label: string, id: string | null): void => {
    if (id !== null) pointers.push({ label, event: id, record: null });
  };
  toEvent("Canceled by", event.canceled_by);
  toEvent("Duplicate of", event.duplicate_of);
  const { ignored_for_id: id, ignored_for_type: type } = event;
  if (id !== null && type !== null) {
    if (type === "events") toEvent("Ignored for", id);
    else pointers.push({ label: "Ignored for", event: null, record: { type, id } });
  }
  return pointers;
}
