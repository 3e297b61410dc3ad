/** Local writes, drained. */
import { describe, expect, it } from "vitest";
import {
  admitChange,
  admitDrift,
  admitOrphan,
  admitRecordMove,
  admitUnsent,
  queueRemoval,
  type RecordChange,
} from "../../../src/engine/processing/local-change.ts";
import {
  aContext,
  aLane,
  anAttempt,
  anEventId,
  anUnseenLane,
  at,
  bornOf,
  eventIn,
  withEvent,
} from "../builders.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";

const context = aContext();
const now = at(100);
const tombstone = resourceDeleted(anEventId(9), at(50));
/** A context in which both directions are paused. */
const paused = aContext({
  switchedOff: { inbound: "connection_paused", outbound: "connection_paused" },
});
const edit = { direction: "outbound" } as const;

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
      finishedAt: now,
    });
  });

  it("that our deletion of the parent caused ends the child as if its resource were deleted", () => {
    const waiting = withEvent(aLane(), 6, edit).lane;
    const deletion = anEventId(8);
    const gone = change({ action: "delete", goneWith: deletion });
    const admission = admitChange(waiting, gone, context);
    const event = bornOf(admission);
    expect(event).toMatchObject({
      action: "delete",
      state: "ignored",
      reason: "parent_deleted",
      ignoredFor: { id: deletion, type: "events" },
      finishedAt: now,
    });
    expect(admission.lane).toMatchObject({
      tombstone: { event: event.id, at: now, record: "present", resource: "deleted" },
      externalId: "42",
      recordId: null,
      base: null,
      live: [],
    });
    expect(eventIn(admission, anEventId(6))).toMatchObject({
      state: "canceled",
      canceledBy: event.id,
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
        record: "deleted",
        resource: "present",
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

describe("a record that counts as deleted and is here again, elsewhere", () => {
  const deleted = { ...tombstone, record: "deleted", resource: "present" } as const;
  const shift = { side: "record", field: "project_id", from: "1", to: "2" } as const;

  it("has left its lane: what is done to its resource is what is done to one that it has left", () => {
    const { lane } = withEvent(aLane({ tombstone: deleted }), 9, { ...edit, action: "delete" });
    const after = admitRecordMove(lane, "to_connection", shift, context);
    expect(after.lane).toEqual({
      ...lane,
      tombstone: { ...deleted, at: now, record: "to_connection" },
    });
    expect(after.event).toMatchObject({
      action: "delete",
      state: "ignored",
      reason: "record_moved",
      ignoredFor: { id: deleted.event, type: "events" },
      changes: [shift],
      finishedAt: now,
    });
    expect(after.ended).toEqual([after.event]);
  });

  it("leaves nothing to remove where its resource went out of reach", () => {
    const lane = aLane({ tombstone: { ...deleted, resource: { outOfReach: "77/9" } } });
    expect(admitRecordMove(lane, "to_connection", shift, context).lane.tombstone).toEqual({
      ...{ ...deleted, at: now, record: "to_connection", resource: { outOfReach: "77/9" } },
    });
  });

  it("says nothing new of a lane that ended with its resource, or that it has left", () => {
    const left = { ...deleted, record: "out_of_scope" } as const;
    for (const ended of [tombstone, left]) {
      const lane = aLane({ tombstone: ended });
      expect(admitRecordMove(lane, "to_connection", shift, context)).toEqual({
        lane,
        ended: [],
        event: null,
      });
    }
  });
});

describe("a resource that outlived its deleted record", () => {
  const lane = aLane({ tombstone: { ...tombstone, record: "deleted", resource: "present" } });

  it("is removed once more, beside an edit or a deletion that came in", () => {
    const told = withEvent(lane, 5, { action: "delete", state: "errored" }).lane;
    for (const found of [lane, withEvent(lane, 5, edit).lane, told]) {
      const admission = queueRemoval(found, context);
      expect(bornOf(admission)).toMatchObject({ direction: "outbound", action: "delete" });
      expect(queueRemoval(admission.lane, context).event).toBeNull();
    }
  });

  it("is left alone where it is the resource that was deleted, or nothing was", () => {
    expect(queueRemoval(aLane({ tombstone }), context).event).toBeNull();
    expect(queueRemoval(aLane(), context).event).toBeNull();
  });

  it("waits, disabled, where the direction is off", () => {
    expect(bornOf(queueRemoval(lane, paused))).toMatchObject({
      state: "disabled",
      reason: "connection_paused",
    });
  });
});

describe("a comment that came in while its issue had ended, once that is back", () => {
  const orphan = aLane({ recordId: null, base: null });

  it("is read again, and then makes its record", () => {
    // An edit of the record that failed is no reason to leave the resource unread.
    for (const lane of [orphan, withEvent(orphan, 5, { ...edit, state: "errored" }).lane]) {
      const admission = admitOrphan(lane, context);
      expect(bornOf(admission)).toMatchObject({
        direction: "inbound",
        action: "upsert",
        source: "reread",
        state: "queued",
        reason: "reread_needed",
        reread: true,
        updatedAt: at(10),
      });
      expect(admission.lane.live).toContainEqual(bornOf(admission));
    }
    expect(bornOf(admitOrphan({ ...orphan, clock: null }, context)).updatedAt).toBeNull();
  });

  it("waits where its connection is paused", () => {
    expect(bornOf(admitOrphan(orphan, paused))).toMatchObject({
      state: "disabled",
      reason: "connection_paused",
      reread: true,
    });
  });

  it.each([
    ["has its record already", aLane()],
    ["has no resource", { ...orphan, externalId: null }],
    ["was deleted itself", { ...orphan, tombstone }],
    ["has an event that will see it", withEvent(withEvent(orphan, 5).lane, 6, edit).lane],
  ])("is left alone where it %s", (_why, lane) => {
    expect(admitOrphan(lane, context)).toEqual({ lane, ended: [], event: null });
  });
});

describe("a record that differs from base though no trigger told of it", () => {
  it("is sent after a look at its resource", () => {
    for (const lane of [aLane(), withEvent(aLane(), 5).lane]) {
      expect(bornOf(admitDrift(lane, context))).toMatchObject({
        direction: "outbound",
        action: "upsert",
        source: "change",
        state: "queued",
        reason: "reread_needed",
        reread: true,
      });
    }
  });

  it("waits where its connection is paused", () => {
    expect(bornOf(admitDrift(aLane(), paused))).toMatchObject({
      state: "disabled",
      reason: "connection_paused",
      reread: true,
    });
  });

  it.each([
    ["an edit is on its way", withEvent(withEvent(aLane(), 5).lane, 6, edit).lane],
    ["its lane has ended", aLane({ tombstone })],
    ["it was never in step", aLane({ base: null })],
  ])("is left alone where %s", (_why, lane) => {
    expect(admitDrift(lane, context)).toEqual({ lane, ended: [], event: null });
  });
});

describe("a record that got no resource since its parent's had ended", () => {
  const unsent = anUnseenLane({ recordId: "7" });

  it("is asked for again once that is back", () => {
    for (const lane of [unsent, withEvent(unsent, 5).lane]) {
      expect(bornOf(admitUnsent(lane, context))).toMatchObject({
        direction: "outbound",
        action: "upsert",
        state: "queued",
      });
    }
  });

  it.each([
    ["it has its resource", aLane()],
    ["there is no record", anUnseenLane()],
    ["its lane has ended", { ...unsent, tombstone }],
    ["an event will create it", withEvent(withEvent(unsent, 5).lane, 6, edit).lane],
  ])("is left alone where %s", (_why, lane) => {
    expect(admitUnsent(lane, context)).toEqual({ lane, ended: [], event: null });
  });
});
