/** Local writes, drained. */
import { describe, expect, it } from "vitest";
import { admitChange, queueRemoval, type RecordChange } from "../../src/engine/record-change.ts";
import {
  aContext,
  aLane,
  anAttempt,
  anEventId,
  at,
  bornOf,
  eventIn,
  withEvent,
} from "./builders.ts";

const context = aContext();
const now = at(100);
const tombstone = { event: anEventId(9), at: at(50), side: "resource" } as const;

describe("a local write, drained", () => {
  const change = (changes: Partial<RecordChange> = {}): RecordChange => ({
    action: "upsert",
    changedAt: { title: at(90) },
    ours: false,
    deleted: null,
    ...changes,
  });

  it("is one outbound event, and moves the times of its fields", () => {
    const admission = admitChange(
      aLane({ recordChangedAt: { title: at(5), body: at(95) } }),
      change(),
      context,
    );
    expect(bornOf(admission)).toMatchObject({
      direction: "outbound",
      source: "change",
      state: "queued",
    });
    expect(admission.lane.recordChangedAt).toEqual({ title: at(90), body: at(95) });
  });

  it("is no event where it is ours", () => {
    const admission = admitChange(aLane(), change({ ours: true, changedAt: {} }), context);
    expect(admission.event).toBeNull();
    expect(admission.lane.live).toEqual([]);
  });

  it("translates a column's time to its field's", () => {
    const admission = admitChange(aLane(), change({ changedAt: { markdown: at(90) } }), context);
    expect(admission.lane.recordChangedAt).toEqual({ body: at(90) });
  });

  it("takes the place of outbound events that wait or failed, and of no inbound one", () => {
    const inbound = withEvent(aLane(), 5).lane;
    const { lane } = withEvent(inbound, 6, { direction: "outbound", state: "errored" });
    const admission = admitChange(lane, change(), context);
    expect(eventIn(admission, anEventId(5)).state).toBe("queued");
    expect(eventIn(admission, anEventId(6))).toMatchObject({
      state: "canceled",
      canceledBy: bornOf(admission).id,
    });
  });

  it("leaves an unknown outcome unknown: it belongs to the lane, not to the event it cancels", () => {
    const { lane } = withEvent(aLane({ attempt: anAttempt({ event: anEventId(6) }) }), 6, {
      direction: "outbound",
    });
    expect(admitChange(lane, change(), context).lane.attempt).not.toBeNull();
  });

  it("waits, disabled, where the direction is off", () => {
    const switchedOff = { inbound: null, outbound: "connection_paused" } as const;
    const admission = admitChange(aLane(), change(), aContext({ switchedOff }));
    expect(bornOf(admission)).toMatchObject({ state: "disabled", reason: "connection_paused" });
  });

  it("is ignored behind a tombstone", () => {
    expect(bornOf(admitChange(aLane({ tombstone }), change(), context))).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignoredFor: { id: tombstone.event, type: "events" },
    });
  });

  describe("that deletes the record", () => {
    const deleted = change({ action: "delete", deleted: { title: "L", body: "text" } });
    const kept = [
      { field: "title", winner: "resource", kept: "A", lost: "L", why: "record_deleted" },
    ];

    it("sets the tombstone when it is drained", () => {
      const admission = admitChange(aLane(), deleted, context);
      expect(bornOf(admission)).toMatchObject({ action: "delete", state: "queued" });
      expect(admission.lane.tombstone).toEqual({
        event: bornOf(admission).id,
        at: now,
        side: "record",
      });
    });

    it("keeps the record's unsent edits where they can be seen", () => {
      expect(bornOf(admitChange(aLane(), deleted, context)).conflicts).toEqual(kept);
    });

    it("keeps them too where the resource was deleted before", () => {
      expect(bornOf(admitChange(aLane({ tombstone }), deleted, context)).conflicts).toEqual(kept);
    });

    it("is canceled by no later upsert", () => {
      const dying = admitChange(aLane(), deleted, context);
      const after = admitChange(dying.lane, change(), aContext({ firstId: 200 }));
      expect(bornOf(after).state).toBe("ignored");
      expect(eventIn(after, bornOf(dying).id).state).toBe("queued");
    });
  });
});

describe("a resource that outlived its deleted record", () => {
  const lane = aLane({ tombstone: { ...tombstone, side: "record" } });

  it("is removed once more", () => {
    const admission = queueRemoval(lane, context);
    expect(bornOf(admission)).toMatchObject({ direction: "outbound", action: "delete" });
    expect(queueRemoval(admission.lane, context).event).toBeNull();
  });

  it("is left alone where it is the resource that was deleted, or nothing was", () => {
    expect(queueRemoval(aLane({ tombstone }), context).event).toBeNull();
    expect(queueRemoval(aLane(), context).event).toBeNull();
  });

  it("waits, disabled, where the direction is off", () => {
    const switchedOff = { inbound: null, outbound: "connection_paused" } as const;
    expect(bornOf(queueRemoval(lane, aContext({ switchedOff }))).state).toBe("disabled");
  });
});
