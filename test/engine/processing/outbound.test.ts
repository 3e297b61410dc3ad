import { describe, expect, it } from "vitest";
import { fail } from "../../../src/engine/processing/failure.ts";
import { planMerge, type ObservedState, observedState } from "../../../src/engine/merge/merge.ts";
import {
  concludeAnswer,
  concludeLook,
  type OutboundView,
  stepOutbound,
} from "../../../src/engine/processing/outbound.ts";
import { concludeResourceRemoval } from "../../../src/engine/processing/removal.ts";
import type { EventError, TandemEvent } from "../../../src/model/event.ts";
import type { Content } from "../../../src/model/content.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { recordDeleted } from "../../../src/model/tombstone.ts";
import {
  aContext,
  aLane,
  aMapping,
  anAttempt,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  eventIn,
  issueType,
  withEvent,
} from "../builders.ts";

const context = aContext();
const unchanged = { title: "A", body: "text" };
const editedHere = { title: "L", body: "text" };
const view = (changes: Partial<OutboundView> = {}): OutboundView => ({
  record: editedHere,
  parent: "none",
  token: "fresh",
  looked: true,
  ...changes,
});
const claimed = (lane: Lane, changes: Partial<TandemEvent> = {}) =>
  withEvent({ ...lane, epoch: 4 }, 2, {
    direction: "outbound",
    state: "processing",
    reason: "being_processed",
    attempts: 1,
    epoch: 4,
    ...changes,
  });
const step = (
  lane: Lane,
  changes: Partial<OutboundView> = {},
  event: Partial<TandemEvent> = {},
) => {
  const held = claimed(lane, event);
  return stepOutbound({ lane: held.lane, ended: [] }, held.event, view(changes), context);
};
const unpaired = anUnseenLane({ recordId: "7" });

describe("an update", () => {
  it("sends only the fields that differ, as they are now", () => {
    expect(step(aLane())).toMatchObject({
      kind: "request",
      request: {
        kind: "patch",
        ref: { type: "issue", externalId: "42" },
        values: { title: "L" },
        token: null,
      },
    });
  });

  it("puts the token back where the resource was created with one", () => {
    const lane = aLane({ intent: { token: "t", since: at(1), tokenless: false } });
    expect(step(lane)).toMatchObject({ request: { token: "t" } });
  });

  it("notes what is sent before it leaves", () => {
    const taken = step(aLane());
    const lane = taken.kind === "request" ? taken.transition.lane : null;
    expect(lane?.attempt).toEqual({
      event: anEventId(2),
      kind: "patch",
      values: { title: "L" },
      base: { title: "A" },
      clockAt: at(10),
      sentAt: context.now,
      epoch: 4,
    });
    expect(lane?.lastSent).toEqual({ ...lane?.attempt, earlier: [] });
  });

  it("makes no call where nothing differs", () => {
    const taken = step(aLane(), { record: unchanged });
    expect(taken.kind === "settled" && eventIn(taken.transition, anEventId(2))).toMatchObject({
      state: "completed",
      reason: "nothing_to_send",
    });
  });

  it("begins with a re-read where an earlier outcome is unknown, whoever sent it", () => {
    const lane = aLane({ attempt: anAttempt({ event: anEventId(1) }) });
    expect(step(lane, { looked: false })).toEqual({
      kind: "reread",
      ref: { type: "issue", externalId: "42" },
    });
    expect(step(lane, { looked: true }).kind).toBe("request");
  });

  it("ends where the record is gone, without looking at the resource", () => {
    const lane = aLane({ attempt: anAttempt() });
    const taken = step(lane, { record: null });
    expect(taken.kind === "settled" && eventIn(taken.transition, anEventId(2))).toMatchObject({
      state: "completed",
      reason: "record_missing",
    });
    expect(taken.kind === "settled" && taken.transition.lane.attempt).toEqual(lane.attempt);
  });

  it("is ignored behind a tombstone, for the delete", () => {
    const lane = aLane({ tombstone: recordDeleted(anEventId(1), at(50)) });
    const taken = step(lane);
    expect(taken.kind === "settled" && eventIn(taken.transition, anEventId(2))).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignoredFor: { id: anEventId(1), type: "events" },
    });
  });
});

describe("a create", () => {
  it("notes an intent with a random token and carries what a create can carry", () => {
    const taken = step(unpaired, { record: { title: "L", state: "closed" } });
    expect(taken).toMatchObject({
      kind: "request",
      request: { kind: "create", values: { title: "L" }, token: "fresh", parent: null },
      transition: { lane: { intent: { token: "fresh", since: context.now } } },
    });
  });

  it("waits until its parent has an external id; no attempt is burnt", () => {
    const taken = step(unpaired, { parent: null });
    expect(taken.kind === "settled" && eventIn(taken.transition, anEventId(2))).toMatchObject({
      state: "queued",
      reason: "awaiting_parent",
      attempts: 0,
    });
  });

  const lost = {
    ...unpaired,
    intent: { token: "t", since: at(1), tokenless: false },
    attempt: anAttempt({ kind: "create", values: { title: "L" }, base: {}, epoch: 1 }),
  };

  it("looks for its token first where an earlier POST may have landed", () => {
    expect(step(lost, { looked: false })).toMatchObject({ kind: "find", token: "t" });
  });

  it("posts again with the same token where nothing was found, and remembers the first", () => {
    const taken = step(lost, { looked: true });
    expect(taken).toMatchObject({ kind: "request", request: { kind: "create", token: "t" } });
    const lane = taken.kind === "request" ? taken.transition.lane : null;
    expect(lane?.unanswered).toEqual([lost.attempt]);
  });

  it("looks again after a refused second POST, for the first may have landed by now", () => {
    const second = step(lost, { looked: true });
    if (second.kind !== "request") throw new Error("no request");
    const event = eventIn(second.transition, anEventId(2));
    const refused = fail(second.transition, event, failure("no"), at(101), 0);
    expect(refused.lane.attempt).toBeNull();
    expect(step({ ...refused.lane, live: [] }, { looked: false })).toMatchObject({
      kind: "find",
      token: "t",
    });
  });

  it("does not look where its only POST was refused", () => {
    const first = step(unpaired);
    if (first.kind !== "request") throw new Error("no request");
    const event = eventIn(first.transition, anEventId(2));
    const refused = fail(first.transition, event, failure("no"), at(101), 0);
    expect(step({ ...refused.lane, live: [] }).kind).toBe("request");
  });

  it("that is answered pairs the lane, and what it could not carry is queued", () => {
    const record = { title: "L", state: "closed" };
    const sent = step(unpaired, { record });
    if (sent.kind !== "request") throw new Error("no request");
    const seen = anObservation({ title: "L", state: "open" }, 30);
    const ended = answered({ ...sent.transition.lane, externalId: "42" }, seen.content, record);
    expect(eventIn(ended, anEventId(2))).toMatchObject({
      state: "completed",
      reason: "created_resource",
      externalId: "42",
      updatedAt: at(30),
    });
    expect(ended.lane).toMatchObject({ attempt: null, base: { title: "L", state: "open" } });
    expect(ended.lane.live).toMatchObject([{ direction: "outbound", state: "queued" }]);
  });
});

describe("the answer to an update", () => {
  const sent = () => {
    const taken = step(aLane());
    if (taken.kind !== "request") throw new Error("no request");
    return taken.transition.lane;
  };

  it("ends the event, settles the attempt, moves base, cached copy, known and clock", () => {
    const ended = answered(sent(), editedHere, editedHere);
    expect(eventIn(ended, anEventId(2))).toMatchObject({
      state: "completed",
      reason: "updated_resource",
      updatedAt: at(30),
      changes: [{ side: "resource", field: "title", from: "A", to: "L" }],
    });
    expect(ended.lane).toMatchObject({
      attempt: null,
      base: editedHere,
      copy: editedHere,
      known: { content: editedHere, event: anEventId(2) },
      clock: { at: at(30), event: anEventId(2) },
      live: [],
    });
  });

  it("queues an outbound event where the record was edited meanwhile", () => {
    const ended = answered(sent(), editedHere, { title: "L2", body: "text" });
    expect(ended.lane.live).toMatchObject([{ direction: "outbound", state: "queued" }]);
    expect(ended.lane.base).toEqual(editedHere);
  });

  it.each(["queued", "errored", "disabled"] as const)(
    "queues none where an outbound event is %s already",
    (state) => {
      const { lane } = withEvent(sent(), 5, { direction: "outbound", state });
      const ended = answered(lane, editedHere, { title: "L2", body: "text" });
      expect(ended.lane.live).toHaveLength(1);
    },
  );

  it("queues it disabled where the direction is off by now", () => {
    const off = aContext({ switchedOff: { inbound: null, outbound: "connection_paused" } });
    const ended = answered(sent(), editedHere, { title: "L2", body: "text" }, off);
    expect(ended.lane.live).toMatchObject([{ state: "disabled", reason: "connection_paused" }]);
  });

  it("takes what it does not show from what was sent: a partial answer reverts nothing", () => {
    const lane = sent();
    const seen = observedState(lane, anObservation({ body: "text" }, 30), "answer", context);
    expect(seen.content).toEqual(editedHere);
    expect(planMerge(lane, seen, editedHere, context)).toMatchObject({
      toRecord: {},
      toResource: {},
      base: editedHere,
    });
  });

  it("takes what the provider made of what was sent: a changed value is news", () => {
    const shown = { title: "L, shortened", body: "text" };
    const seen = observedState(sent(), anObservation(shown, 30), "answer", context);
    expect(seen.content).toEqual(shown);
    expect(planMerge(sent(), seen, editedHere, context)).toMatchObject({
      toRecord: { title: "L, shortened" },
      base: shown,
    });
  });

  it("ends older queued inbound events: they are older than what it says", () => {
    const { lane } = withEvent(sent(), 5, { content: unchanged, updatedAt: at(20) });
    const ended = answered(lane, editedHere, editedHere);
    expect(eventIn(ended, anEventId(5))).toMatchObject({ state: "canceled", reason: "read_again" });
  });
});

describe("a look into an unknown outcome", () => {
  const open = aLane({ attempt: anAttempt({ event: anEventId(1) }), lastSent: anAttempt() });
  const look = (content: Content, record: Content) => {
    const { lane, event } = claimed(open);
    const seen = observedState(lane, anObservation(content, 30), "reread", context);
    const merged = planMerge(lane, seen, record, context);
    const after = { id: "7", content: { ...record, ...merged.toRecord } };
    const start = { lane, ended: [] };
    return concludeLook(start, event, seen, merged, { before: record, after }, context);
  };

  it("settles it; the event goes on under its claim", () => {
    const looked = look(editedHere, editedHere);
    expect(looked.lane.attempt).toBeNull();
    expect(eventIn(looked, anEventId(2)).state).toBe("processing");
    expect(looked.lane.base).toEqual(editedHere);
  });

  it("forgets the attempt where the resource shows it: a request lands once", () => {
    expect(look(editedHere, editedHere).lane.unanswered).toEqual([]);
  });

  it("remembers the attempt where the resource does not show it: it may still land", () => {
    expect(look(unchanged, editedHere).lane.unanswered).toEqual([open.attempt]);
  });

  it("does not recreate a paired record that is gone", () => {
    const { lane } = claimed(open);
    const content = editedHere;
    const seen: ObservedState = { content, copy: content, at: at(30), from: "reread" };
    expect(planMerge(lane, seen, null, context)).toMatchObject({
      toRecord: {},
      outcome: "agreed",
    });
  });
});

describe("a removal", () => {
  const gone = { tombstone: recordDeleted(anEventId(2), at(50)) };
  const removal = (lane: Lane, mapping = aMapping(), looked = true) => {
    const held = claimed(lane, { action: "delete" });
    const start = { lane: held.lane, ended: [] };
    return stepOutbound(start, held.event, view({ record: null, looked }), aContext({ mapping }));
  };

  it("closes where the integration can only close", () => {
    expect(removal(aLane(gone))).toMatchObject({ kind: "request", request: { kind: "close" } });
  });

  it.each([
    ["close", ["delete", "close"], "close"],
    ["delete", ["close", "delete"], "delete"],
    ["delete", ["close"], "close"],
    ["close", ["delete"], "delete"],
  ] as const)("asked to %s where the integration can %j: %s", (wish, can, done) => {
    const resource = { ...issueType, removal: can };
    const taken = removal(aLane(gone), aMapping({ onRecordDeleted: wish, resource }));
    expect(taken).toMatchObject({ request: { kind: done } });
  });

  it("detaches without a call where asked to", () => {
    const taken = removal(aLane(gone), aMapping({ onRecordDeleted: "detach" }));
    expect(taken.kind === "settled" && eventIn(taken.transition, anEventId(2)).reason).toBe(
      "detached",
    );
  });

  it("has nothing to send where there never was a resource", () => {
    const taken = removal({ ...unpaired, ...gone });
    expect(taken.kind === "settled" && eventIn(taken.transition, anEventId(2)).reason).toBe(
      "nothing_to_send",
    );
  });

  it("looks for a create that may have landed", () => {
    const lane = {
      ...unpaired,
      ...gone,
      intent: { token: "t", since: at(1), tokenless: false },
      attempt: anAttempt({ kind: "create" }),
    };
    expect(removal(lane, aMapping(), false)).toMatchObject({
      kind: "find",
      token: "t",
      sent: [{}],
    });
  });

  it("reads what it is about to close: somebody may have opened it again", () => {
    const lane = aLane({ ...gone, attempt: anAttempt() });
    expect(removal(lane, aMapping(), false).kind).toBe("read");
  });

  it("ends when it was carried out", () => {
    const { lane, event } = claimed(aLane({ ...gone, attempt: anAttempt({ kind: "close" }) }), {
      action: "delete",
    });
    const ended = concludeResourceRemoval({ lane, ended: [] }, event, null, context);
    expect(eventIn(ended, event.id)).toMatchObject({
      state: "completed",
      reason: "closed_resource",
    });
    expect(ended.lane.attempt).toBeNull();
  });
});

/** Concludes event 2 with an answer of second 30. */
function answered(lane: Lane, content: Content | null, record: Content, given = context) {
  const event = eventIn({ lane, ended: [] }, anEventId(2));
  const seen = observedState(lane, anObservation(content, 30), "answer", given);
  const merged = planMerge(lane, seen, record, given);
  const after = { id: "7", content: { ...record, ...merged.toRecord } };
  const start = { lane, ended: [] };
  return concludeAnswer(start, event, seen, merged, { before: record, after }, given);
}

function failure(applied: "no" | "unknown") {
  const error: EventError = {
    code: "refused",
    message: "",
    hint: "",
    ...{ retryable: true, httpStatus: null, requestId: null },
  };
  return { error, applied, pausedUntil: null };
}
