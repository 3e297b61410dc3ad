/** A record that is here again after its deletion was drained. */
import { describe, expect, it } from "vitest";
import {
  admitChange,
  admitRestore,
  canRestore,
  type RecordChange,
} from "../../src/engine/processing/local-change.ts";
import { admit } from "../../src/engine/admission/admit.ts";
import { isRestoring } from "../../src/engine/lane/sent-writes.ts";
import { stepOutbound } from "../../src/engine/processing/outbound.ts";
import { concludeResourceRemoval } from "../../src/engine/processing/removal.ts";
import { enableLane, restart } from "../../src/engine/lane/restart.ts";
import { connectionId } from "../../src/model/ids.ts";
import { recordDeleted } from "../../src/model/tombstone.ts";
import {
  aContext,
  aKnown,
  aLane,
  aMapping,
  anArrival,
  anAttempt,
  anEventId,
  anObservation,
  at,
  bornOf,
  eventIn,
  issueType,
  withEvent,
} from "./builders.ts";

const context = aContext();
const back: RecordChange = { action: "upsert", changedAt: {}, ours: false, deleted: null };
const tombstone = recordDeleted(anEventId(2), at(50));
const ended = aLane({ tombstone });
const removal = { direction: "outbound", action: "delete" } as const;
const deleting = aContext({
  mapping: aMapping({
    resource: { ...issueType, removal: ["delete"] },
    onRecordDeleted: "delete",
  }),
});

describe("a record that is here again", () => {
  it("lifts the tombstone, and its event looks before it writes", () => {
    const admission = admitRestore(ended, back, context);
    expect(admission.lane.tombstone).toBeNull();
    expect(admission.lane.live).toEqual([bornOf(admission)]);
    expect(bornOf(admission)).toMatchObject({
      state: "queued",
      reason: "reread_needed",
      reread: true,
      restores: true,
    });
    const step = stepOutbound(
      admission,
      { ...bornOf(admission), state: "processing" },
      { record: { title: "A", body: "text" }, parent: "none", token: "t", looked: false },
      context,
    );
    expect(step.kind).toBe("reread");
  });

  for (const state of ["queued", "errored", "disabled"] as const) {
    it(`cancels a deletion that is ${state}`, () => {
      const { lane, event } = withEvent(ended, 2, { ...removal, state });
      const admission = admitRestore(lane, back, context);
      expect(eventIn(admission, event.id)).toMatchObject({
        state: "canceled",
        canceledBy: bornOf(admission).id,
      });
    });
  }

  it("leaves a deletion of its resource that came in to be judged by itself", () => {
    const { lane, event } = withEvent(ended, 2, { action: "delete", state: "errored" });
    expect(eventIn(admitRestore(lane, back, context), event.id).state).toBe("errored");
  });

  it("comes back, and is sent later, where its connection is paused", () => {
    const off = aContext({ switchedOff: { inbound: null, outbound: "connection_paused" } });
    const { lane, event } = withEvent(ended, 2, { ...removal, state: "disabled" });
    const admission = admitRestore(lane, back, off);
    expect(admission.lane.tombstone).toBeNull();
    expect(bornOf(admission)).toMatchObject({ state: "disabled", reason: "connection_paused" });
    expect(eventIn(admission, event.id).state).toBe("canceled");
  });

  it("has what belongs to its resource follow first, where that was moved while it was away", () => {
    const moved = { connection: connectionId("2"), externalId: "9" };
    const waits = withEvent({ ...ended, moved }, 3, { state: "queued" });
    const details = { direction: "inbound", action: "upsert", source: "reread", reread: true };
    const admission = admitRestore(waits.lane, back, context);
    expect(admission.lane.live).toMatchObject([
      { ...details, state: "queued", reason: "reread_needed", updatedAt: at(10) },
      { id: bornOf(admission).id, direction: "outbound", state: "queued" },
    ]);
    expect(eventIn(admission, waits.event.id)).toMatchObject({
      state: "canceled",
      canceledBy: admission.lane.live[0]?.id,
    });

    const off = aContext({ switchedOff: { inbound: "connection_paused", outbound: null } });
    const held = admitRestore({ ...ended, moved, clock: null }, back, off);
    expect(held.lane.live).toMatchObject([
      { ...details, state: "disabled", reason: "connection_paused", updatedAt: null },
      { direction: "outbound", state: "queued" },
    ]);
  });

  it("has no resource to look at where it never had one", () => {
    const admission = admitRestore({ ...ended, externalId: null }, back, context);
    expect(bornOf(admission)).toMatchObject({ reread: false, reason: "admitted" });
  });

  it("hands its look on to later edits, to its restart and over a pause", () => {
    const first = admitRestore(ended, back, context);
    const second = admitChange(first.lane, back, aContext({ firstId: 200 }));
    expect(bornOf(second)).toMatchObject({ state: "queued", reread: true, restores: true });
    expect(isRestoring(second.lane)).toBe(true);

    const errored = withEvent(aLane(), 2, {
      direction: "outbound",
      state: "errored",
      reread: true,
    });
    const again = restart({ lane: errored.lane, ended: [] }, errored.event, at(100));
    expect(eventIn(again, errored.event.id).reread).toBe(true);

    const paused = withEvent(aLane(), 2, {
      direction: "outbound",
      state: "disabled",
      reread: true,
      restores: true,
    });
    const edited = withEvent(paused.lane, 3, { direction: "outbound", state: "disabled" });
    const enabled = enableLane(edited.lane, at(100));
    expect(eventIn(enabled, edited.event.id)).toMatchObject({
      state: "queued",
      reread: true,
      restores: true,
    });
  });

  it("is not what an edit is that looks first since what was known is lost", () => {
    const known = { ...aKnown({ title: "Theirs", body: "text" }, 20, anEventId(5)), lost: true };
    const admission = admitChange(aLane({ known }), back, context);
    expect(bornOf(admission)).toMatchObject({ reread: true, restores: false });
    expect(isRestoring(admission.lane)).toBe(false);
  });

  it("ends a deletion that is still being decided on, with no request", () => {
    const { lane, event } = withEvent(ended, 2, { ...removal, state: "processing" });
    const admission = admitRestore(lane, back, context);
    const view = { record: null, parent: "none", token: "t", looked: true } as const;
    const step = stepOutbound(admission, event, view, context);
    expect(step.kind === "settled" && eventIn(step.transition, event.id)).toMatchObject({
      state: "ignored",
      reason: "superseded",
      ignoredFor: { id: bornOf(admission).id, type: "events" },
    });
  });

  it("ends it as well where nothing is to be sent any more, and where it had failed before", () => {
    const failed = { code: "x", message: "", hint: "", retryable: true };
    const error = { ...failed, httpStatus: null, requestId: null };
    const details = { ...removal, state: "processing", error } as const;
    const { lane, event } = withEvent(aLane(), 2, details);
    const heard = withEvent(lane, 3, { state: "queued" }).lane;
    const view = { record: null, parent: "none", token: "t", looked: true } as const;
    const step = stepOutbound({ lane: heard, ended: [] }, event, view, context);
    expect(step.kind === "settled" && eventIn(step.transition, event.id)).toMatchObject({
      state: "ignored",
      reason: "superseded",
      ignoredFor: null,
      error: null,
    });
  });
});

describe("whether a resource can come back with its record", () => {
  it("yes, where it was closed or let go of", () => {
    expect(canRestore(ended, context)).toBe(true);
    expect(canRestore({ ...ended, lastSent: anAttempt({ kind: "close" }) }, context)).toBe(true);
  });

  it("yes, where its deletion has not left yet or was refused", () => {
    const { lane } = withEvent(ended, 2, removal);
    expect(canRestore(lane, deleting)).toBe(true);
    expect(canRestore({ ...lane, lastSent: anAttempt({ kind: "delete" }) }, deleting)).toBe(true);
  });

  it("no, where it is or may be deleted", () => {
    const sent = anAttempt({ kind: "delete" });
    expect(canRestore({ ...ended, lastSent: sent }, deleting)).toBe(false);
    const { lane } = withEvent(ended, 2, removal);
    expect(canRestore({ ...lane, lastSent: sent, attempt: sent }, deleting)).toBe(false);
    const busy = withEvent(ended, 2, { ...removal, state: "processing" });
    expect(canRestore(busy.lane, deleting)).toBe(false);
  });

  it("no, where its own deletion was heard of", () => {
    const after = admit(ended, anArrival(null, 60), context);
    expect(bornOf(after)).toMatchObject({ state: "ignored", reason: "tombstoned" });
    expect(after.lane.tombstone).toEqual({ ...tombstone, record: "deleted", resource: "deleted" });
    expect(canRestore(after.lane, context)).toBe(false);
  });
});

describe("closing the resource of a deleted record", () => {
  const attempt = anAttempt({
    kind: "close",
    values: { state: "closed" },
    base: { state: "open" },
  });
  const base = { title: "A", body: "text", state: "open" };
  const closing = withEvent(aLane({ tombstone, base, attempt }), 2, {
    ...removal,
    state: "processing",
  });
  const start = { lane: closing.lane, ended: [] };

  it("leaves in base what it set, and nothing that a person edited meanwhile", () => {
    const answer = anObservation({ title: "Theirs", body: "text", state: "closed" }, 60);
    const after = concludeResourceRemoval(start, closing.event, answer, context);
    expect(after.lane.base).toEqual({ ...base, state: "closed" });
    expect(after.lane.clock).toEqual({ at: at(60), event: closing.event.id });
    expect(eventIn(after, closing.event.id)).toMatchObject({
      state: "completed",
      reason: "closed_resource",
      updatedAt: at(60),
      changes: [{ side: "resource", field: "state", from: "open", to: "closed" }],
    });
  });

  it("learns that there is nothing to come back to where it was gone", () => {
    const after = concludeResourceRemoval(start, closing.event, "gone", context);
    expect(after.lane.tombstone?.resource).toBe("deleted");
  });
});
