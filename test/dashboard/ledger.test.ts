import { describe, expect, it } from "vitest";
import {
  addFetched,
  addStreamed,
  EMPTY_LEDGER,
  eventsNewestFirst,
  groupByDay,
  isFiltering,
  NO_FILTER,
  passes,
  pointersOf,
  queryOf,
  subjects,
} from "../../src/dashboard/data/ledger.ts";
import { subject } from "../../src/dashboard/data/wording.ts";
import { anEvent } from "./events.ts";

const early = anEvent({ id: "a", created_at: "2026-03-02T09:00:00.000001Z" });
const late = anEvent({ id: "b", created_at: "2026-03-02T09:00:00.000002Z" });

describe("the ledger on the page", () => {
  it("shows the newest first, to the microsecond", () => {
    const ledger = addFetched(EMPTY_LEDGER, [early, late], 0);
    expect(eventsNewestFirst(ledger).map((event) => event.id)).toEqual(["b", "a"]);
  });

  it("replaces an event that moved", () => {
    const queued = anEvent({ state: "queued" });
    const ledger = addStreamed(addStreamed(EMPTY_LEDGER, [queued]), [
      { ...queued, state: "completed" },
    ]);
    expect(eventsNewestFirst(ledger).map((event) => event.state)).toEqual(["completed"]);
  });

  it("keeps what the stream said while an older answer was under way", () => {
    const queued = anEvent({ state: "queued" });
    const asked = EMPTY_LEDGER.tick;
    const heard = addStreamed(EMPTY_LEDGER, [{ ...queued, state: "completed" }]);
    expect(eventsNewestFirst(addFetched(heard, [queued], asked))[0]?.state).toBe("completed");
  });

  it("takes an answer that was asked for after the stream spoke", () => {
    const queued = anEvent({ state: "queued" });
    const heard = addStreamed(EMPTY_LEDGER, [queued]);
    const ledger = addFetched(heard, [{ ...queued, state: "errored" }], heard.tick);
    expect(eventsNewestFirst(ledger)[0]?.state).toBe("errored");
  });

  it("calls fresh only what is younger than the first page", () => {
    const replayed = addStreamed(EMPTY_LEDGER, [early]);
    const ledger = addStreamed(addFetched(replayed, [early], 0), [early, late]);
    expect(ledger.entries.get("a")?.fresh).toBe(false);
    expect(ledger.entries.get("b")?.fresh).toBe(true);
  });

  it("lets the oldest go when there are too many", () => {
    const many = Array.from({ length: 2_001 }, (_, index) =>
      anEvent({
        id: `event ${index}`,
        created_at: `2026-03-02T09:00:00.${String(index).padStart(6, "0")}Z`,
      }),
    );
    const { entries } = addStreamed(EMPTY_LEDGER, many);
    expect(entries.size).toBe(2_000);
    expect(entries.has("event 0")).toBe(false);
  });
});

describe("filtering", () => {
  const event = anEvent({ state: "ignored", because: "The record was changed later." });

  it.each([
    ["", true],
    ["tasks 42", true],
    ["tasks:42", true],
    ["#7", true],
    ["issue 7", true],
    ["Changed LATER", true],
    ["ignored", true],
    ["tasks 4", false],
    ["#42", false],
    ["comments", false],
  ])("by the words %j", (search, shown) => {
    expect(passes(event, { ...NO_FILTER, search })).toBe(shown);
  });

  it("finds conflicts by that word", () => {
    const conflict = {
      field: "title",
      winner: "record",
      kept: 1,
      lost: 2,
      why: "late_write",
    } as const;
    const filter = { ...NO_FILTER, search: "conflict" };
    expect(passes(event, filter)).toBe(false);
    expect(passes({ ...event, conflicts: [conflict] }, filter)).toBe(true);
  });

  it("by state and direction", () => {
    expect(passes(event, { ...NO_FILTER, state: "ignored", direction: "inbound" })).toBe(true);
    expect(passes(event, { ...NO_FILTER, state: "completed" })).toBe(false);
    expect(passes(event, { ...NO_FILTER, direction: "outbound" })).toBe(false);
  });

  it("asks the API for what it can find itself", () => {
    expect(queryOf(NO_FILTER, null)).toBe("limit=100");
    expect(queryOf({ state: "errored", direction: "outbound", search: "tasks 42" }, "e1")).toBe(
      "limit=100&state=errored&direction=outbound&record=tasks%3A42&before=e1",
    );
    expect(queryOf({ ...NO_FILTER, search: "late write" }, null)).toBe("limit=100");
  });

  it("knows when it is on", () => {
    expect(isFiltering({ ...NO_FILTER, search: "  " })).toBe(false);
    expect(isFiltering({ ...NO_FILTER, search: "x" })).toBe(true);
  });
});

describe("reading the ledger", () => {
  it("groups neighbours of one day", () => {
    const day = (time: string) => time.slice(0, 10);
    const older = anEvent({ id: "c", created_at: "2026-03-01T23:59:59.000000Z" });
    expect(groupByDay([late, early, older], day)).toEqual([
      { name: "2026-03-02", events: [late, early] },
      { name: "2026-03-01", events: [older] },
    ]);
  });

  it("names a record by the newest event that says what it is about", () => {
    const titled = (title: string) => anEvent({ content: { title } });
    const found = subjects([anEvent(), titled("New"), titled("Old")], subject);
    expect(found.get("11")).toBe("New");
  });

  it("points at the event or the record behind an outcome", () => {
    expect(pointersOf(anEvent({ duplicate_of: "a" }))).toEqual([
      { label: "Duplicate of", event: "a", record: null },
    ]);
    expect(pointersOf(anEvent({ ignored_for_type: "events", ignored_for_id: "b" }))).toEqual([
      { label: "Ignored for", event: "b", record: null },
    ]);
    expect(pointersOf(anEvent({ ignored_for_type: "tasks", ignored_for_id: "42" }))).toEqual([
      { label: "Ignored for", event: null, record: { type: "tasks", id: "42" } },
    ]);
  });
});
