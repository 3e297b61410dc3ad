/** How a lane's events are started, given back, restarted, switched off and on, and canceled. */
import { describe, expect, it } from "vitest";
import { admit } from "../../src/engine/admit.ts";
import { admitChange, queueRemoval, type RecordChange } from "../../src/engine/record-change.ts";
import {
  cancelByHand,
  disableLane,
  enableLane,
  restart,
  restartRetryable,
} from "../../src/engine/restart.ts";
import {
  claim,
  expireLeases,
  holdsClaim,
  nextEvent,
  recheckInbound,
  requeue,
} from "../../src/engine/start.ts";
import { IllegalMoveError, move } from "../../src/engine/transition.ts";
import type { EventError, TandemEvent } from "../../src/model/event.ts";
import { digest } from "../../src/model/content.ts";
import {
  aContext,
  aKnown,
  aLane,
  anArrival,
  anAttempt,
  anEventId,
  at,
  bornOf,
  eventIn,
  withEvent,
} from "./builders.ts";

const context = aContext();
const now = at(100);
const content = { title: "B", body: "text" };
const error: EventError = {
  code: "timeout",
  message: "",
  hint: "",
  retryable: true,
  httpStatus: null,
  requestId: null,
};
const tombstone = { event: anEventId(9), at: at(50), side: "resource" } as const;

describe("the next event of a lane", () => {
  it("is none while one is processing", () => {
    const { lane } = withEvent(withEvent(aLane(), 5).lane, 6, {
      direction: "outbound",
      state: "processing",
    });
    expect(nextEvent(lane, now)).toBeNull();
  });

  it("is inbound before outbound", () => {
    const { lane } = withEvent(withEvent(aLane(), 5, { direction: "outbound" }).lane, 6);
    expect(nextEvent(lane, now)?.id).toBe(anEventId(6));
  });

  it("is no outbound one while an inbound one waits for its time: it must not be covered", () => {
    const { lane } = withEvent(withEvent(aLane(), 5, { direction: "outbound" }).lane, 6, {
      runAt: at(200),
    });
    expect(nextEvent(lane, now)).toBeNull();
    expect(nextEvent(lane, at(200))?.id).toBe(anEventId(6));
  });

  it("is the one with the oldest integration_updated_at", () => {
    const newer = withEvent(aLane(), 5, { updatedAt: at(30) }).lane;
    const { lane } = withEvent(newer, 6, { updatedAt: at(20), action: "delete" });
    expect(nextEvent(lane, now)?.id).toBe(anEventId(6));
  });

  it("leaves errored and disabled events alone", () => {
    const { lane } = withEvent(withEvent(aLane(), 5, { state: "errored" }).lane, 6, {
      state: "disabled",
    });
    expect(nextEvent(lane, now)).toBeNull();
  });
});

describe("a claim", () => {
  const queued = withEvent(aLane({ epoch: 3 }), 5);
  const taken = claim(queued.lane, queued.event, "w1", now, 60_000);

  it("takes a lease under a new epoch and counts the attempt", () => {
    expect(eventIn(taken, anEventId(5))).toMatchObject({
      state: "processing",
      attempts: 1,
      epoch: 4,
      worker: "w1",
      leaseExpiresAt: at(160),
      startedAt: now,
    });
    expect(holdsClaim(taken.lane, taken.claim)).toBe(true);
  });

  it("is lost once the lease ran out and somebody else took over", () => {
    expect(expireLeases(taken.lane, at(159)).lane).toBe(taken.lane);
    const expired = expireLeases(taken.lane, at(160));
    expect(eventIn(expired, anEventId(5))).toMatchObject({ state: "queued", reason: "lease_lost" });
    expect(holdsClaim(expired.lane, taken.claim)).toBe(false);
    const again = claim(expired.lane, eventIn(expired, anEventId(5)), "w2", at(160), 60_000);
    expect(holdsClaim(again.lane, taken.claim)).toBe(false);
    expect(eventIn(again, anEventId(5))).toMatchObject({ attempts: 2, startedAt: now });
  });

  it("leaves what its worker sent unknown when it expires", () => {
    const lane = { ...taken.lane, attempt: anAttempt({ event: anEventId(5) }) };
    expect(expireLeases(lane, at(160)).lane.attempt).not.toBeNull();
  });
});

describe("an event on its way back to the queue", () => {
  const back = (one: Partial<TandemEvent>, other: Partial<TandemEvent>) => {
    const held = withEvent(aLane(), 5, { state: "processing", ...one });
    const { lane } = withEvent(held.lane, 6, other);
    return requeue({ lane, ended: [] }, held.event, now, { reason: "retry" });
  };

  it("is canceled by a newer one of its direction that waits", () => {
    expect(eventIn(back({}, {}), anEventId(5))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(6),
    });
  });

  it("stays where only the other direction waits", () => {
    expect(eventIn(back({}, { direction: "outbound" }), anEventId(5)).state).toBe("queued");
  });

  it("is kept where it is a delete, and the upsert that waits is canceled", () => {
    const after = back({ action: "delete" }, {});
    expect(eventIn(after, anEventId(5)).state).toBe("queued");
    expect(eventIn(after, anEventId(6))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(5),
    });
  });

  it("leaves what it bore in doubt where it is canceled", () => {
    const known = aKnown(content, 20, anEventId(5));
    const held = withEvent(aLane({ known }), 5, { state: "processing", content });
    const { lane } = withEvent(held.lane, 6, { updatedAt: at(20) });
    const after = requeue({ lane, ended: [] }, held.event, now, { reason: "retry" });
    expect(after.lane.known?.lost).toBe(true);
  });
});

describe("an inbound event looked at again when it is started", () => {
  const started = (lane: Partial<ReturnType<typeof aLane>>, changes: Partial<TandemEvent> = {}) => {
    const held = withEvent(aLane({ known: aKnown(content, 20, anEventId(5)), ...lane }), 5, {
      content,
      updatedAt: at(20),
      state: "processing",
      ...changes,
    });
    return recheckInbound({ lane: held.lane, ended: [] }, held.event, now);
  };
  const clock = { at: at(20), event: anEventId(5) };

  it("proceeds where nothing has moved", () => {
    expect(started({ clock }).verdict).toBe("proceed");
  });

  it("is ignored where the clock has moved on, for the event that moved it", () => {
    const recheck = started({ clock: { at: at(21), event: anEventId(6) } });
    expect(recheck.verdict === "ended" && eventIn(recheck.transition, anEventId(5))).toMatchObject({
      state: "ignored",
      reason: "later_event",
      ignoredFor: { id: anEventId(6), type: "events" },
    });
  });

  it.each([
    ["other content of its time is known", { clock, known: aKnown({ title: "C" }, 20) }, {}],
    ["it was admitted in doubt", { clock }, { reread: true }],
    ["it carries no content", { clock }, { content: null }],
    ["a request's outcome is unknown", { clock, attempt: anAttempt() }, {}],
  ])("reads the resource again where %s", (_why, lane, changes) => {
    expect(started(lane, changes).verdict).toBe("reread");
  });

  it("is ignored behind a tombstone", () => {
    expect(started({ clock, tombstone }).verdict).toBe("ended");
  });

  it("goes on as a delete whatever the clock says", () => {
    const late = { at: at(99), event: anEventId(6) };
    expect(started({ clock: late, tombstone }, { action: "delete" }).verdict).toBe("proceed");
  });
});

describe("a restart is re-admission", () => {
  const errored = (lane: Partial<ReturnType<typeof aLane>>, changes: Partial<TandemEvent> = {}) =>
    withEvent(aLane({ known: aKnown(content, 20, anEventId(5)), ...lane }), 5, {
      content,
      updatedAt: at(20),
      state: "errored",
      error,
      attempts: 10,
      ...changes,
    });

  it("reads the resource again and starts counting anew", () => {
    const held = errored({ clock: { at: at(20), event: anEventId(5) } });
    expect(
      eventIn(restart({ lane: held.lane, ended: [] }, held.event, now), anEventId(5)),
    ).toMatchObject({
      state: "queued",
      reason: "restarted",
      reread: true,
      attempts: 0,
      error: null,
      runAt: now,
    });
  });

  it("brings no old content back: ignored where something later is known", () => {
    const held = errored({ clock: { at: at(21), event: anEventId(6) } });
    expect(
      eventIn(restart({ lane: held.lane, ended: [] }, held.event, now), anEventId(5)).state,
    ).toBe("ignored");
  });

  it("gives way to a newer event that waits", () => {
    const held = errored({ clock: { at: at(20), event: anEventId(5) } });
    const { lane } = withEvent(held.lane, 6);
    expect(eventIn(restart({ lane, ended: [] }, held.event, now), anEventId(5))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(6),
    });
  });

  it("of an outbound event needs no re-read: it never had content of its own", () => {
    const held = errored({}, { direction: "outbound", content: null });
    const after = restart({ lane: held.lane, ended: [] }, held.event, now);
    expect(eventIn(after, anEventId(5))).toMatchObject({ state: "queued", reread: false });
  });

  it("by a poll takes only errors that may pass", () => {
    const passing = errored({ clock: { at: at(20), event: anEventId(5) } });
    expect(eventIn(restartRetryable(passing.lane, now), anEventId(5)).state).toBe("queued");
    const lasting = errored({}, { error: { ...error, retryable: false } });
    expect(restartRetryable(lasting.lane, now).lane).toBe(lasting.lane);
  });
});

describe("a lane switched off and on", () => {
  it("disables what waits and leaves what is under way", () => {
    const { lane } = withEvent(withEvent(aLane(), 5).lane, 6, { state: "processing" });
    const off = disableLane(lane, "by hand", now);
    expect(off.lane.disabled).toBe("by hand");
    expect(eventIn(off, anEventId(5))).toMatchObject({
      state: "disabled",
      reason: "pairing_disabled",
    });
    expect(eventIn(off, anEventId(6)).state).toBe("processing");
  });

  it("goes on with the newest of each direction, read again; the others are canceled by it", () => {
    const disabled = { state: "disabled" } as const;
    const one = withEvent(aLane({ disabled: "by hand" }), 5, disabled).lane;
    const two = withEvent(one, 6, disabled).lane;
    const { lane } = withEvent(two, 7, { ...disabled, direction: "outbound" });
    const on = enableLane(lane, now);
    expect(on.lane.disabled).toBeNull();
    expect(eventIn(on, anEventId(5))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(6),
    });
    expect(eventIn(on, anEventId(6))).toMatchObject({
      state: "queued",
      reason: "re_enabled",
      reread: true,
    });
    expect(eventIn(on, anEventId(7))).toMatchObject({ state: "queued", reread: false });
  });

  it("prefers a delete to newer upserts, and sets its tombstone only now", () => {
    const held = { state: "disabled", action: "delete" } as const;
    const { lane } = withEvent(withEvent(aLane({ disabled: "x" }), 5, held).lane, 6, {
      state: "disabled",
    });
    const on = enableLane(lane, now);
    expect(eventIn(on, anEventId(5)).state).toBe("queued");
    expect(eventIn(on, anEventId(6)).state).toBe("canceled");
    expect(on.lane.tombstone).toEqual({ event: anEventId(5), at: now, side: "resource" });
  });

  it("enables one direction alone where only that is switched on again", () => {
    const { lane } = withEvent(withEvent(aLane(), 5, { state: "disabled" }).lane, 6, {
      state: "disabled",
      direction: "outbound",
    });
    const on = enableLane(lane, now, ["inbound"]);
    expect(eventIn(on, anEventId(5)).state).toBe("queued");
    expect(eventIn(on, anEventId(6)).state).toBe("disabled");
  });
});

describe("an event canceled by hand", () => {
  it("leaves what it bore in doubt, so that the next look brings it again", () => {
    const held = withEvent(aLane({ known: aKnown(content, 20, anEventId(5)) }), 5, { content });
    const after = cancelByHand({ lane: held.lane, ended: [] }, held.event, now);
    expect(eventIn(after, anEventId(5))).toMatchObject({
      state: "canceled",
      reason: "canceled_by_hand",
      canceledBy: null,
    });
    expect(bornOf(admit(after.lane, anArrival({ title: "B" }, 20), context)).state).toBe("queued");
  });

  it("takes its tombstone with it where it is a delete: the deletion does not happen", () => {
    const lane = aLane({ tombstone: { ...tombstone, event: anEventId(5) } });
    const held = withEvent(lane, 5, { action: "delete" });
    expect(cancelByHand({ lane: held.lane, ended: [] }, held.event, now).lane.tombstone).toBeNull();
  });

  it("cannot be one that is being processed", () => {
    const held = withEvent(aLane(), 5, { state: "processing" });
    expect(() => cancelByHand({ lane: held.lane, ended: [] }, held.event, now)).toThrow(
      IllegalMoveError,
    );
  });
});

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

describe("an illegal move", () => {
  it("is refused: a fault of ours, never of the data", () => {
    const { lane, event } = withEvent(aLane(), 5);
    const start = { lane, ended: [] };
    expect(() => move(start, event.id, "completed", now, {})).toThrow(IllegalMoveError);
    expect(() => move(start, anEventId(99), "canceled", now, {})).toThrow(IllegalMoveError);
  });

  it("is not one that only changes details", () => {
    const { lane, event } = withEvent(aLane(), 5, { content, digest: digest(content) });
    const moved = move({ lane, ended: [] }, event.id, "queued", now, { updatedAt: at(30) });
    expect(eventIn(moved, event.id)).toEqual({ ...event, updatedAt: at(30) });
  });
});
