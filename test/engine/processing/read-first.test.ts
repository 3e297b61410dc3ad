/** Read before write (situations 56 and 57), and what leaves of a set. */
import { describe, expect, it } from "vitest";
import { planMerge, observedState } from "../../../src/engine/merge/merge.ts";
import { concludeLook, stepOutbound } from "../../../src/engine/processing/outbound.ts";
import { concludeRemovalLook } from "../../../src/engine/processing/removal.ts";
import type { Content } from "../../../src/model/content.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { recordDeleted } from "../../../src/model/tombstone.ts";
import {
  aContext,
  aKnown,
  aLane,
  aMapping,
  anAttempt,
  anEventId,
  anObservation,
  at,
  eventIn,
  issueType,
  plainField,
  withEvent,
} from "../builders.ts";

const context = aContext({ readFreshness: 1_000 });
const editedHere = { title: "L", body: "text" };

function claimed(lane: Lane, action: "upsert" | "delete" = "upsert") {
  const details = { direction: "outbound", state: "processing", action, epoch: 4 } as const;
  return withEvent({ ...lane, epoch: 4 }, 2, { ...details, reason: "being_processed" });
}

function step(lane: Lane, looked = false, record: Content | null = editedHere, within = context) {
  const held = claimed(lane, record === null ? "delete" : "upsert");
  const view = { record, parent: "none", token: "t", looked } as const;
  return stepOutbound({ lane: held.lane, ended: [] }, held.event, view, within);
}

describe("an edit", () => {
  it("reads first what it would overwrite, and leaves then", () => {
    expect(step(aLane())).toEqual({
      kind: "read",
      ref: { type: "issue", externalId: "42" },
      validator: null,
    });
    expect(step(aLane(), true)).toMatchObject({ kind: "request", request: { kind: "patch" } });
  });

  it("makes no request at all where nothing differs", () => {
    expect(step(aLane(), false, { title: "A", body: "text" }).kind).toBe("settled");
  });

  it("reads under the validator of what is known", () => {
    const known = { ...aKnown({ title: "A", body: "text" }, 10), validator: "mona W/1" };
    expect(step(aLane({ known }))).toMatchObject({ kind: "read", validator: "mona W/1" });
  });

  it.each([
    ["is lost", { lost: true }],
    ["is in doubt", { doubted: true }],
    ["is not merged", { baseFrom: anEventId(1) }],
  ] as const)("reads without one where what is known %s", (_why, change) => {
    const known = { ...aKnown({ title: "A", body: "text" }, 10), validator: "mona W/1", ...change };
    expect(step(aLane({ known }))).not.toMatchObject({ validator: "mona W/1" });
  });

  it("takes the answer to a write of a moment ago for the read, from when that left", () => {
    const settled = (second: number) =>
      aLane({ lastSent: anAttempt({ sentAt: at(second), settledAt: at(100) }) });
    expect(step(settled(99.5)).kind).toBe("request");
    expect(step(settled(99)).kind).toBe("read");
  });

  it("reads where the write of a moment ago was never answered", () => {
    expect(step(aLane({ lastSent: anAttempt({ sentAt: at(100) }) })).kind).toBe("read");
  });

  it("looks again in spite of that answer where news could not be read", () => {
    const settled = aLane({ lastSent: anAttempt({ sentAt: at(99.5), settledAt: at(100) }) });
    const details = { code: "server_error", message: "", hint: "", retryable: true };
    const error = { ...details, httpStatus: 503, requestId: null };
    const { lane } = withEvent(settled, 3, { state: "errored", error });
    expect(step(lane).kind).toBe("reread");
  });

  it("gives way to news that came while it was reading", () => {
    const lane = withEvent(aLane(), 3, {
      state: "queued",
      content: { title: "N", body: "text" },
    }).lane;
    const taken = step(lane, true);
    expect(taken.kind === "settled" && eventIn(taken.transition, anEventId(2))).toMatchObject({
      state: "queued",
      reason: "reread_needed",
    });
  });

  it("keeps the validator of a read with what it has shown", () => {
    const { lane, event } = claimed(aLane());
    const seen = { ...anObservation({ title: "N", body: "text" }, 20), validator: "mona W/2" };
    const observed = observedState(lane, seen, "reread", context);
    const merged = planMerge(lane, observed, { title: "A", body: "text" }, context);
    const record = { before: null, after: { id: "7", content: { title: "N", body: "text" } } };
    const start = { lane, ended: [] };
    const after = concludeLook(start, event, observed, merged, record, context);
    expect(after.lane.known).toMatchObject({ validator: "mona W/2" });
    expect(step(after.lane)).toMatchObject({ kind: "read", validator: "mona W/2" });
  });
});

describe("a deletion", () => {
  const gone = { tombstone: recordDeleted(anEventId(2), at(50)) };
  const mapping = aMapping({
    onRecordDeleted: "delete",
    resource: { ...issueType, removal: ["delete"] },
  });
  const within = aContext({ mapping });

  it("reads first what it takes along", () => {
    expect(step(aLane(gone), false, null, within).kind).toBe("read");
    expect(step(aLane(gone), true, null, within)).toMatchObject({ request: { kind: "delete" } });
  });

  it("names what the record never had", () => {
    const { lane, event } = claimed(aLane(gone), "delete");
    const seen = anObservation({ title: "Theirs", body: "text" }, 20);
    const after = concludeRemovalLook({ lane, ended: [] }, event, seen, within);
    expect(eventIn(after, event.id).conflicts).toEqual([
      { field: "title", winner: "record", kept: null, lost: "Theirs", why: "record_deleted" },
    ]);
  });
});

describe("a closing", () => {
  const gone = { tombstone: recordDeleted(anEventId(2), at(50)) };
  const state = { kind: "value", writable: true, createdAs: "open" } as const;
  const fields = { ...issueType.fields, state };
  const mapping = aMapping({
    onRecordDeleted: "close",
    resource: { ...issueType, fields, removal: ["close"], closedBy: { state: "closed" } },
    fields: [plainField("title"), plainField("state")],
  });
  const within = aContext({ mapping });
  const named = (seenState: string, change: Partial<Lane> = {}) => {
    const { lane, event } = claimed(
      aLane({ ...gone, base: { title: "A", state: "closed" }, ...change }),
      "delete",
    );
    const seen = anObservation({ title: "Theirs", state: seenState }, 20);
    const after = concludeRemovalLook({ lane, ended: [] }, event, seen, within);
    expect(after.lane.known).toEqual(lane.known);
    return eventIn(after, event.id).conflicts;
  };

  it("reads first what it sets, unless nothing was ever known of it", () => {
    const opened = aLane({ ...gone, base: { title: "A", state: "open" } });
    expect(step(opened, false, null, within).kind).toBe("read");
    expect(step(opened, true, null, within)).toMatchObject({ request: { kind: "close" } });
    const unread = aLane({ ...gone, base: null });
    expect(step(unread, false, null, within)).toMatchObject({ request: { kind: "close" } });
  });

  it("names what it sets over that the record never had, and nothing else", () => {
    expect(named("open")).toEqual([
      { field: "state", winner: "record", kept: "closed", lost: "open", why: "record_deleted" },
    ]);
    expect(named("closed")).toEqual([]);
  });

  it("names it for the move where the record was moved away", () => {
    const tombstone = { ...gone.tombstone, record: "to_connection" } as const;
    expect(named("open", { tombstone })).toMatchObject([
      { field: "state", lost: "open", why: "record_moved" },
    ]);
  });
});

describe("a set", () => {
  const sets = aMapping({
    resource: { ...issueType, fields: { labels: { kind: "set", writable: true } } },
    fields: [plainField("labels")],
  });
  const within = aContext({ mapping: sets, readFreshness: 0 });
  const lane = aLane({
    base: { labels: ["bug", "old"] },
    known: aKnown({ labels: ["bug", "old"] }, 10),
  });

  function answered(record: readonly string[], seen: readonly string[]) {
    const taken = step(lane, true, { labels: ["bug", "new"] }, within);
    if (taken.kind !== "request") throw new Error("no request");
    const sent = taken.transition.lane;
    const observed = observedState(sent, anObservation({ labels: seen }, 101), "answer", within);
    const { toRecord, toResource, conflicts } = planMerge(
      sent,
      observed,
      { labels: record },
      within,
    );
    return { toRecord, toResource, conflicts };
  }

  it("leaves as what is added and removed", () => {
    expect(step(lane, true, { labels: ["bug", "new"] }, within)).toMatchObject({
      request: { values: {}, sets: { labels: { added: ["new"], removed: ["old"] } } },
    });
  });

  it("takes what others have added beside it from the answer, and names nothing", () => {
    expect(answered(["bug", "new"], ["bug", "new", "theirs"])).toEqual({
      toRecord: { labels: ["bug", "new", "theirs"] },
      toResource: {},
      conflicts: [],
    });
  });

  it("keeps what others have added where the record was edited meanwhile", () => {
    expect(answered(["bug", "more", "new"], ["bug", "new", "theirs"])).toEqual({
      toRecord: { labels: ["bug", "more", "new", "theirs"] },
      toResource: { labels: ["bug", "more", "new", "theirs"] },
      conflicts: [],
    });
  });

  it("names what the provider has dropped of ours", () => {
    expect(answered(["bug", "new"], ["bug"]).conflicts).toMatchObject([
      { field: "labels", winner: "resource", why: "provider_changed_our_value" },
    ]);
  });
});
