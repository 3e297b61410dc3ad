/** A record that the app moves to another scope: which lanes it leaves, and what becomes of them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admit } from "../../../src/engine/admission/admit.ts";
import { stepOutbound } from "../../../src/engine/processing/outbound.ts";
import {
  admitRecordMove,
  admitRestore,
  canRestore,
} from "../../../src/engine/processing/local-change.ts";
import {
  connectionsAt,
  isMisplaced,
  leavingLanes,
  type ParentPairing,
  type RecordLocation,
} from "../../../src/engine/lifecycle/record-move.ts";
import { concludeResourceRemoval } from "../../../src/engine/processing/removal.ts";
import { restart } from "../../../src/engine/lane/restart.ts";
import { claim, recheckInbound } from "../../../src/engine/lane/claim.ts";
import { missedAtMove } from "../../../src/engine/lane/tombstone.ts";
import { unchanged } from "../../../src/engine/lane/transition.ts";
import type { FieldChange } from "../../../src/model/event.ts";
import { type ConnectionId, connectionId, laneId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { recordDeleted } from "../../../src/model/tombstone.ts";
import {
  aContext,
  aKnown,
  aLane,
  anArrival,
  anAttempt,
  anEventId,
  anObservation,
  at,
  bornOf,
  eventIn,
  withEvent,
} from "../builders.ts";

const context = aContext();
const now = at(100);
const [site, app, other] = ["1", "2", "3"].map((id) => connectionId(id)) as [
  ConnectionId,
  ConnectionId,
  ConnectionId,
];
const shift: FieldChange = { side: "record", field: "project_id", from: "1", to: "2" };
const laneAt = (id: ConnectionId) => ({ id: laneId(`1${id}`), connectionId: id });
const moves = (lanes: readonly ConnectionId[], where: RecordLocation) =>
  [...leavingLanes(lanes.map(laneAt), where)].map(([id, move]) => `${id}: ${move}`);

/** A lane whose record was moved away, with the event that says so. */
function moved(lane: Lane = aLane()) {
  const admission = admitRecordMove(lane, "to_connection", shift, context);
  return { ...admission, event: bornOf(admission) };
}

describe("the lanes that a record leaves", () => {
  it("are those of connections that its scope does not select", () => {
    const where = { kind: "by_scope", connections: [app] } as const;
    expect(moves([site, app], where)).toEqual(["11: to_connection"]);
    expect(moves([app], where)).toEqual([]);
  });

  it("are all where its scope selects none", () => {
    const where = { kind: "by_scope", connections: [] } as const;
    expect(moves([site, app], where)).toEqual(["11: out_of_scope", "12: out_of_scope"]);
  });

  it("are none while it follows its resource", () => {
    expect(moves([site], { kind: "unsettled" })).toEqual([]);
  });

  it("are those of a parent that has left", () => {
    const parents: readonly ParentPairing[] = [
      { connectionId: app, standing: "living" },
      { connectionId: site, standing: "left" },
    ];
    expect(moves([site, app], { kind: "by_parent", parents })).toEqual(["11: with_parent"]);
    const nowhere: readonly ParentPairing[] = [{ connectionId: site, standing: "left" }];
    expect(moves([site], { kind: "by_parent", parents: nowhere })).toEqual(["11: with_parent"]);
  });

  it("are those where another parent has nothing to do with them", () => {
    const parents: readonly ParentPairing[] = [{ connectionId: app, standing: "living" }];
    expect(moves([site, app], { kind: "by_parent", parents })).toEqual(["11: to_connection"]);
  });

  it("are all where its parent has nothing, and had nothing there", () => {
    expect(moves([site], { kind: "by_parent", parents: [] })).toEqual(["11: out_of_scope"]);
    const elsewhere: readonly ParentPairing[] = [
      { connectionId: app, standing: "left" },
      { connectionId: other, standing: "ended" },
    ];
    expect(moves([site], { kind: "by_parent", parents: elsewhere })).toEqual(["11: out_of_scope"]);
  });

  it("are none where its parent was deleted, or follows its resource", () => {
    const deleted: readonly ParentPairing[] = [{ connectionId: site, standing: "ended" }];
    expect(moves([site], { kind: "by_parent", parents: deleted })).toEqual([]);
    const parents: readonly ParentPairing[] = [
      { connectionId: app, standing: "moving" },
      { connectionId: site, standing: "left" },
    ];
    expect(moves([site], { kind: "by_parent", parents })).toEqual([]);
  });

  const connection = fc.constantFrom(site, app, other);
  const where: fc.Arbitrary<RecordLocation> = fc.oneof(
    fc.record({ kind: fc.constant("unsettled" as const) }),
    fc.record({
      kind: fc.constant("by_scope" as const),
      connections: fc.uniqueArray(connection),
    }),
    fc.record({
      kind: fc.constant("by_parent" as const),
      parents: fc.array(
        fc.record({
          connectionId: connection,
          standing: fc.constantFrom(...(["living", "moving", "left", "ended"] as const)),
        }),
        { maxLength: 3 },
      ),
    }),
  );

  it("law: a lane where the record belongs is never left, and one by scope elsewhere always is", () => {
    fc.assert(
      fc.property(fc.uniqueArray(connection), where, (connections, place) => {
        const left = leavingLanes(connections.map(laneAt), place);
        const belongs = connectionsAt(place);
        for (const id of connections) {
          const leaves = left.has(laneAt(id).id);
          if (belongs.includes(id)) expect(leaves).toBe(false);
          else if (place.kind === "by_scope") expect(leaves).toBe(true);
        }
      }),
    );
  });
});

describe("a record that is moved away", () => {
  it("ends its lane with a deletion that names the move", () => {
    const { lane, event } = moved();
    expect(lane.tombstone).toEqual({
      event: event.id,
      at: now,
      record: "to_connection",
      resource: "present",
    });
    expect(event).toMatchObject({
      direction: "outbound",
      action: "delete",
      state: "queued",
      changes: [shift],
    });
  });

  it("takes what waits to be sent along, and ends what failed to come in", () => {
    const waiting = withEvent(aLane(), 6, { direction: "outbound" }).lane;
    const content = { title: "Theirs", body: "text" };
    const { lane } = withEvent(waiting, 5, { state: "errored", content });
    const after = moved({ ...lane, known: aKnown(content, 20, anEventId(5)) });
    expect(eventIn(after, anEventId(6))).toMatchObject({
      state: "canceled",
      canceledBy: after.event.id,
    });
    expect(eventIn(after, anEventId(5))).toMatchObject({
      state: "ignored",
      reason: "record_moved",
      ignoredFor: { id: after.event.id, type: "events" },
      conflicts: [{ field: "title", lost: "Theirs", kept: "A", why: "record_moved" }],
    });
  });

  it("while its connection is paused is as gone, and its resource is treated later", () => {
    const off = { inbound: null, outbound: "connection_paused" } as const;
    const { lane, event } = admitRecordMove(
      aLane(),
      "to_connection",
      shift,
      aContext({ switchedOff: off }),
    );
    expect(event).toMatchObject({ state: "disabled", reason: "connection_paused" });
    expect(lane.tombstone?.record).toBe("to_connection");
  });
});

describe("an observation of its former resource", () => {
  it("is ignored for the move, named, and named once", () => {
    const { lane, event } = moved();
    const first = admit(lane, anArrival({ title: "Theirs" }, 110), context);
    expect(bornOf(first)).toMatchObject({
      state: "ignored",
      reason: "record_moved",
      ignoredFor: { id: event.id, type: "events" },
      conflicts: [{ field: "title", winner: "record", kept: "A", lost: "Theirs" }],
    });
    const again = admit(first.lane, anArrival({ title: "Theirs" }, 120), context);
    expect(bornOf(again).conflicts).toEqual([]);
  });

  it("is no event by a list that shows nothing new", () => {
    const { lane } = moved();
    const listed = { source: "poll" } as const;
    expect(admit(lane, anArrival({ title: "A" }, 110, listed), context).event).toBeNull();
    const edited = admit(lane, anArrival({ title: "Theirs" }, 110, listed), context);
    expect(bornOf(edited)).toMatchObject({ state: "ignored", reason: "record_moved" });
    const again = admit(edited.lane, anArrival({ title: "Theirs" }, 110, listed), context);
    expect(again.event).toBeNull();
  });

  it("is named where it is an older edit that a write of ours covered, told late by a webhook", () => {
    const sent = anAttempt({ values: { title: "L" }, clockAt: at(10), settledAt: at(30) });
    const known = aKnown({ title: "L", body: "text" }, 30);
    const clock = { at: at(30), event: anEventId(1) };
    const { lane, event } = moved(aLane({ lastSent: sent, known, clock }));
    const told = admit(lane, anArrival({ title: "Theirs" }, 20), context);
    expect(bornOf(told)).toMatchObject({
      state: "ignored",
      reason: "record_moved",
      ignoredFor: { id: event.id },
      conflicts: [{ field: "title", kept: "L", lost: "Theirs", why: "covered_by_our_write" }],
    });
    expect(told.lane).toMatchObject({ known, clock });
    expect(admit(lane, anArrival({ title: "Theirs" }, 20, { source: "poll" }), context)).toEqual({
      lane,
      ended: [],
      event: null,
    });
  });

  it("does not lift the tombstone, be it read after its deletion", () => {
    // The outbound event for the resource has ended.
    const gone = admit({ ...moved().lane, live: [] }, anArrival(null, 110), context);
    expect(gone.lane.tombstone).toMatchObject({ record: "to_connection", resource: "deleted" });
    const verified = anArrival({ title: "A" }, 130, { verifiedAt: at(125) });
    const read = admit(gone.lane, verified, context);
    expect(bornOf(read)).toMatchObject({ state: "ignored", reason: "record_moved" });
    expect(read.lane.tombstone).not.toBeNull();
  });

  it("ends what waited for its turn, deletions too, and what is restarted", () => {
    for (const action of ["upsert", "delete"] as const) {
      const content = action === "delete" ? null : { title: "Theirs", body: "text" };
      const { lane, event } = withEvent(aLane(), 5, { state: "processing", action, content });
      const after = moved(lane);
      const recheck = recheckInbound(unchanged(after.lane), event, now);
      expect(recheck.verdict).toBe("ended");
      const errored = { ...event, state: "errored" } as const;
      const again = restart(unchanged({ ...after.lane, live: [errored] }), errored, now);
      expect(eventIn(again, event.id)).toMatchObject({
        state: "ignored",
        reason: "record_moved",
        ignoredFor: { id: after.event.id },
        conflicts: action === "delete" ? [] : [{ field: "title", lost: "Theirs" }],
      });
    }
  });

  it("is no edit of theirs where it is what we sent", () => {
    const attempt = anAttempt({ values: { title: "L" } });
    const { lane } = moved(aLane({ attempt, lastSent: attempt }));
    expect(missedAtMove(lane, { title: "L", body: "text" }, null, null)).toEqual([]);
    expect(missedAtMove(lane, { title: "Theirs" }, null, null)).toHaveLength(1);
    expect(missedAtMove(aLane(), { title: "Theirs" }, null, null)).toEqual([]);
  });

  it("is news although it was said before, where it is later: somebody took back what we wrote", () => {
    const known = aKnown({ title: "Ours", body: "text" }, 20);
    const clock = { at: at(20), event: anEventId(1) };
    const settled = anAttempt({ values: { title: "Ours" }, settledAt: at(20) });
    const { lane } = moved(aLane({ known, clock, lastSent: settled }));
    const back = admit(lane, anArrival({ title: "A", body: "text" }, 110), context);
    expect(bornOf(back).conflicts).toMatchObject([{ field: "title", kept: "Ours", lost: "A" }]);
    // Within one second it may have been said before, and what is known stays known.
    const same = admit(lane, anArrival({ title: "A", body: "text" }, 20), context);
    expect(bornOf(same).conflicts).toEqual([]);
    expect(same.lane.known).toEqual(known);
    // A write of ours that is still under way is no news, whenever it lands.
    const late = anAttempt({ values: { title: "Late" } });
    const landed = admit(
      moved(aLane({ known, attempt: late })).lane,
      anArrival({ title: "Late" }, 110),
      context,
    );
    expect(bornOf(landed).conflicts).toEqual([]);
  });

  it("is news although we wrote it once, where that was settled before", () => {
    const base = { title: "Theirs first", body: "text" };
    const once = anAttempt({ values: { title: "Ours once" }, settledAt: at(15) });
    const { lane } = moved(aLane({ base, known: aKnown(base, 20), lastSent: once }));
    const content = { title: "Ours once", body: "text" };
    expect(missedAtMove(lane, content, anEventId(1), at(20))).toHaveLength(1);
    expect(missedAtMove(lane, content, anEventId(1), at(15))).toEqual([]);
  });

  it("is compared with what we sent where no answer has come yet, as far as that goes", () => {
    const attempt = anAttempt({ kind: "create", values: { title: "Ours" } });
    const unanswered = aLane({ base: null, known: null, attempt, lastSent: attempt });
    const { lane } = moved(unanswered);
    expect(missedAtMove(lane, { title: "Ours", body: "text" }, null, null)).toEqual([]);
    expect(missedAtMove(lane, { title: "Theirs", body: "text" }, null, null)).toMatchObject([
      { field: "title", kept: "Ours", lost: "Theirs", why: "record_moved" },
    ]);
  });

  it("is named by what answers the close", () => {
    const { lane, event } = moved();
    const claimed = claim(lane, event, "w", now, 60_000);
    const begun = claimed.lane.live.find(({ id }) => id === event.id) ?? event;
    const view = { record: { title: "A" }, parent: "none", token: "t", looked: true } as const;
    const step = stepOutbound(unchanged(claimed.lane), begun, view, context);
    if (step.kind !== "request") throw new Error(`there is no request: ${step.kind}`);
    expect(step.request.kind).toBe("close");
    const answer = anObservation({ title: "Theirs", body: "text", state: "closed" }, 105);
    const after = concludeResourceRemoval(unchanged(step.transition.lane), begun, answer, context);
    expect(eventIn(after, event.id)).toMatchObject({
      state: "completed",
      reason: "moved_to_connection",
      changes: [shift, { side: "resource", field: "state", to: "closed" }],
      conflicts: [{ field: "title", lost: "Theirs", why: "record_moved" }],
    });
    expect(after.lane.base).toMatchObject({ title: "A", state: "closed" });
  });
});

describe("a child that goes with its parent", () => {
  it("leaves its resource as it is, whatever the mapping says of deletions", () => {
    const { lane, event } = admitRecordMove(aLane(), "with_parent", null, context);
    if (event === null) throw new Error("there is no event");
    const claimed = claim(lane, event, "w", now, 60_000);
    const begun = claimed.lane.live.find(({ id }) => id === event.id) ?? event;
    const view = { record: { title: "A" }, parent: "none", token: "t", looked: false } as const;
    const step = stepOutbound(unchanged(claimed.lane), begun, view, context);
    if (step.kind !== "settled") throw new Error(`there is a request: ${step.kind}`);
    expect(eventIn(step.transition, event.id)).toMatchObject({
      state: "completed",
      reason: "moved_with_parent",
    });
  });
});

describe("an event that belies where its record is", () => {
  const upsert = { action: "upsert", reread: false } as const;
  const removal = { action: "delete", reread: false } as const;

  it("would create where the record does not belong", () => {
    const unmade = aLane({ externalId: null });
    expect(isMisplaced(unmade, upsert, false)).toBe(true);
    expect(isMisplaced(unmade, upsert, true)).toBe(false);
    // Only the drain and the sweep move a paired record.
    expect(isMisplaced(aLane(), upsert, false)).toBe(false);
  });

  it("would open again where the record does not belong any more", () => {
    const back = { action: "upsert", reread: true } as const;
    expect(isMisplaced(aLane(), back, false)).toBe(true);
    expect(isMisplaced(aLane(), back, true)).toBe(false);
  });

  it("would remove where the record belongs", () => {
    expect(isMisplaced(moved().lane, removal, true)).toBe(true);
    expect(isMisplaced(moved().lane, removal, false)).toBe(false);
    const deleted = aLane({ tombstone: recordDeleted(anEventId(9), now) });
    expect(isMisplaced(deleted, removal, true)).toBe(false);
  });

  it("is none whose row is gone, or follows its resource", () => {
    expect(isMisplaced(moved().lane, removal, null)).toBe(false);
    const following = { connection: site, externalId: "1" };
    expect(isMisplaced(aLane({ externalId: null, moved: following }), upsert, false)).toBe(false);
  });
});

describe("a record that is moved back", () => {
  const change = { action: "upsert", changedAt: {}, ours: false, deleted: null } as const;

  it("has its resource back: it is read first, and the record wins what both changed", () => {
    const { lane, event } = moved();
    expect(canRestore(lane, context)).toBe(true);
    const back = admitRestore(lane, change, aContext({ firstId: 200 }));
    expect(back.lane.tombstone).toBeNull();
    expect(bornOf(back)).toMatchObject({ state: "queued", action: "upsert", reread: true });
    expect(eventIn(back, event.id)).toMatchObject({ state: "canceled" });
    expect(back.lane.recordChangedAt).toMatchObject({ title: now, body: now });
  });
});
