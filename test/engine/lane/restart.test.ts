/** How a lane's events are restarted, switched off and on, and canceled. */
import { describe, expect, it } from "vitest";
import { admit } from "../../../src/engine/admission/admit.ts";
import {
  cancelByHand,
  disableLane,
  enableLane,
  restart,
  restartRetryable,
} from "../../../src/engine/lane/restart.ts";
import { IllegalMoveError } from "../../../src/engine/lane/transition.ts";
import type { EventError, TandemEvent } from "../../../src/model/event.ts";
import { recordDeleted, resourceDeleted } from "../../../src/model/tombstone.ts";
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
} from "../builders.ts";

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
const tombstone = resourceDeleted(anEventId(9), at(50));

const UNMAPPED = { cause: "unmapped", why: "not mapped any more" } as const;

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

  it("reads the resource again and restarts the count", () => {
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

  it("needs no re-read for an outbound event, which never had content of its own", () => {
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
    const off = disableLane(lane, UNMAPPED, now);
    expect(off.lane.disabled).toEqual(UNMAPPED);
    expect(eventIn(off, anEventId(5))).toMatchObject({
      state: "disabled",
      reason: "pairing_disabled",
    });
    expect(eventIn(off, anEventId(6)).state).toBe("processing");
  });

  it("takes for the newest what the resource said last, though its webhook came first", () => {
    const disabled = { state: "disabled" } as const;
    const off = aLane({ disabled: UNMAPPED });
    const one = withEvent(off, 5, { ...disabled, updatedAt: at(20) }).lane;
    const { lane } = withEvent(one, 6, { ...disabled, updatedAt: at(15) });
    const on = enableLane(lane, now);
    expect(eventIn(on, anEventId(5))).toMatchObject({ state: "queued", reread: true });
    expect(eventIn(on, anEventId(6))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(5),
    });
  });

  it("cancels what waits where that is older: it was queued before inbound was switched off", () => {
    const waiting = withEvent(aLane(), 5, { updatedAt: at(15) }).lane;
    const { lane } = withEvent(waiting, 6, { state: "disabled", updatedAt: at(20) });
    const on = enableLane(lane, now, ["inbound"]);
    expect(eventIn(on, anEventId(6))).toMatchObject({ state: "queued", reread: true });
    expect(eventIn(on, anEventId(5))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(6),
    });
  });

  it("is canceled by what waits where that is newer", () => {
    const waiting = withEvent(aLane(), 5, { updatedAt: at(25) }).lane;
    const { lane } = withEvent(waiting, 6, { state: "disabled", updatedAt: at(20) });
    const on = enableLane(lane, now, ["inbound"]);
    expect(eventIn(on, anEventId(5))).toMatchObject({ state: "queued", reread: false });
    expect(eventIn(on, anEventId(6))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(5),
    });
  });

  it("goes on with the newest of each direction, read again; the others are canceled by it", () => {
    const disabled = { state: "disabled" } as const;
    const one = withEvent(aLane({ disabled: UNMAPPED }), 5, disabled).lane;
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

  it("orders what goes out by birth: what a read before it showed is of a clock that may be ahead", () => {
    const held = { state: "disabled", direction: "outbound" } as const;
    const read = { ...held, createdAt: at(10), updatedAt: at(40) };
    const one = withEvent(aLane({ disabled: UNMAPPED }), 5, read).lane;
    const { lane } = withEvent(one, 6, { ...held, action: "delete", createdAt: at(30) });
    const on = enableLane(lane, now);
    expect(eventIn(on, anEventId(5))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(6),
    });
    expect(eventIn(on, anEventId(6)).state).toBe("queued");
    expect(on.lane.tombstone).toEqual(recordDeleted(anEventId(6), now));
  });

  it("prefers a delete to newer upserts, and sets its tombstone only now", () => {
    const held = { state: "disabled", action: "delete" } as const;
    const { lane } = withEvent(withEvent(aLane({ disabled: UNMAPPED }), 5, held).lane, 6, {
      state: "disabled",
    });
    const on = enableLane(lane, now);
    expect(eventIn(on, anEventId(5)).state).toBe("queued");
    expect(eventIn(on, anEventId(6)).state).toBe("canceled");
    expect(on.lane.tombstone).toEqual(resourceDeleted(anEventId(5), now));
  });

  it("names the edits that a deletion of ours has ended, and none that its own author deleted", () => {
    const base = { title: "A", body: "text" };
    const content = { title: "Theirs", body: "text" };
    const edited = withEvent(aLane({ disabled: UNMAPPED, base }), 5, {
      state: "disabled",
      content,
    }).lane;
    const { lane } = withEvent(edited, 6, { state: "disabled", action: "delete", content: null });
    expect(eventIn(enableLane(lane, now), anEventId(5)).conflicts).toEqual([]);
    const ours = {
      ...lane,
      tombstone: recordDeleted(anEventId(3), at(4)),
    } as const;
    expect(eventIn(enableLane(ours, now), anEventId(5)).conflicts).toEqual([
      { field: "title", winner: "record", kept: null, lost: "Theirs", why: "record_deleted" },
    ]);
    const echo = { ...ours, lastSent: anAttempt({ values: { title: "Theirs" } }) };
    expect(eventIn(enableLane(echo, now), anEventId(5)).conflicts).toEqual([]);
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
