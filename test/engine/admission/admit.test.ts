import { describe, expect, it } from "vitest";
import { admit, cancelOlder } from "../../../src/engine/admission/admit.ts";
import { recheckInbound } from "../../../src/engine/lane/claim.ts";
import { unchanged } from "../../../src/engine/lane/transition.ts";
import { issueType } from "../builders.ts";
import {
  aContext,
  aKnown,
  aLane,
  aMapping,
  anArrival,
  anAttempt,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  bornOf,
  eventIn,
  knowingAfter,
  plainField,
  withEvent,
} from "../builders.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";

const context = aContext();
const UNMAPPED = { cause: "unmapped", why: "not mapped any more" } as const;
const edited = (title: string, seconds: number) => anArrival({ title }, seconds);

describe("row 2: switched off", () => {
  it.each([
    ["the direction", { lane: aLane(), off: "connection_paused" }, "connection_paused"],
    ["the pairing", { lane: aLane({ disabled: UNMAPPED }), off: null }, "pairing_disabled"],
  ] as const)("makes an event disabled when %s is off", (_what, { lane, off }, reason) => {
    const switchedOff = { inbound: off, outbound: null };
    const admission = admit(lane, edited("B", 20), aContext({ switchedOff }));
    expect(bornOf(admission)).toMatchObject({ state: "disabled", reason, finishedAt: null });
    expect(admission.lane.known).toEqual(lane.known);
    expect(admission.lane.clock).toEqual(lane.clock);
  });

  it("holds a deletion back too: no tombstone while it is off", () => {
    const admission = admit(aLane({ disabled: UNMAPPED }), anArrival(null, 20), context);
    expect(bornOf(admission).state).toBe("disabled");
    expect(admission.lane.tombstone).toBeNull();
  });
});

describe("row 3: tombstoned", () => {
  const tombstone = resourceDeleted(anEventId(9), at(50));
  const dead = aLane({ tombstone });

  it("ignores what comes after a deletion, for the delete event", () => {
    expect(bornOf(admit(dead, edited("B", 60), context))).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignoredFor: { id: tombstone.event, type: "events" },
      finishedAt: context.now,
    });
  });

  it("ignores a second deletion", () => {
    expect(bornOf(admit(dead, anArrival(null, 60), context)).state).toBe("ignored");
  });

  it("ignores a read that began before the deletion was known", () => {
    const stale = { ...edited("B", 60), verifiedAt: at(49) };
    expect(bornOf(admit(dead, stale, context)).state).toBe("ignored");
  });

  it("is lifted by a read by id that began after it: the resource was re-created", () => {
    const read = { ...edited("B", 60), source: "reread", verifiedAt: at(51) } as const;
    const admission = admit(dead, read, context);
    expect(bornOf(admission)).toMatchObject({ state: "queued", reason: "admitted" });
    expect(admission.lane.tombstone).toBeNull();
    expect(admission.lane.known?.content.title).toBe("B");
  });

  it("is not lifted while the delete itself is still to be carried out", () => {
    const { lane } = withEvent(dead, 9, { action: "delete" });
    const read = { ...edited("B", 60), source: "reread", verifiedAt: at(51) } as const;
    expect(bornOf(admit(lane, read, context)).state).toBe("ignored");
  });

  it("is not lifted where the record was deleted: that the resource lives proves nothing", () => {
    const lane = aLane({ tombstone: { ...tombstone, record: "deleted", resource: "present" } });
    const read = { ...edited("B", 60), source: "reread", verifiedAt: at(51) } as const;
    expect(bornOf(admit(lane, read, context)).state).toBe("ignored");
  });
});

describe("row 4: a later one is known", () => {
  it("ignores an older event, for the event that moved the clock", () => {
    const lane = knowingAfter("B", 20, { title: "C", body: "text" }, 30, anEventId(3));
    expect(bornOf(admit(lane, edited("B", 20), context))).toMatchObject({
      state: "ignored",
      reason: "later_event",
      ignoredFor: { id: anEventId(3), type: "events" },
    });
    expect(bornOf(admit(lane, edited("C", 20), context)).state).toBe("ignored");
  });

  it("keeps what is known and the clock", () => {
    const lane = aLane({ clock: { at: at(30), event: anEventId(3) } });
    const after = admit(lane, edited("B", 20), context).lane;
    expect(after.clock).toEqual(lane.clock);
    expect(after.known).toEqual(lane.known);
  });

  it("records an edit that our own write covered", () => {
    const lane = {
      ...knowingAfter("X", 20, { title: "L", body: "text" }, 21, anEventId(2)),
      lastSent: anAttempt(),
    };
    expect(bornOf(admit(lane, edited("X", 20), context)).conflicts).toEqual([
      { field: "title", winner: "record", kept: "L", lost: "X", why: "covered_by_our_write" },
    ]);
  });

  it("records one that bears an older time than was known, where the clock was set back before ours", () => {
    const lane = {
      ...knowingAfter("X", 5, { title: "L", body: "text" }, 21, anEventId(2)),
      lastSent: anAttempt({ clockAt: at(10), settledAt: at(6) }),
    };
    expect(bornOf(admit(lane, edited("X", 5), context)).conflicts).toHaveLength(1);
    const later = { ...lane, lastSent: anAttempt({ clockAt: at(10), settledAt: at(21) }) };
    expect(bornOf(admit(later, edited("X", 5), context)).conflicts).toEqual([]);
  });

  it("does not call an echo of our write, or what was there before, a covered edit", () => {
    const lane = {
      ...knowingAfter("A", 20, { title: "L", body: "text" }, 21, anEventId(2)),
      lastSent: anAttempt(),
    };
    expect(bornOf(admit(lane, edited("L", 20), context)).conflicts).toEqual([]);
    expect(bornOf(admit(lane, edited("A", 20), context)).conflicts).toEqual([]);
  });
});

describe("row 5: the same content and nothing in doubt", () => {
  it("makes a duplicate of the event that brought it", () => {
    expect(bornOf(admit(aLane(), edited("A", 20), context))).toMatchObject({
      state: "duplicate",
      reason: "same_content",
      duplicateOf: anEventId(1),
      finishedAt: context.now,
    });
  });

  it("moves the clock, with the duplicate as the event that moved it", () => {
    const admission = admit(aLane(), edited("A", 20), context);
    expect(admission.lane.clock).toEqual({ at: at(20), event: bornOf(admission).id });
    expect(admission.lane.known).toMatchObject({ at: at(20), event: anEventId(1) });
  });

  it("gives a queued bearer the later time, or it would be stale at its start", () => {
    const known = aKnown({ title: "B", body: "text" }, 20, anEventId(5));
    const { lane } = withEvent(aLane({ known, clock: { at: at(20), event: anEventId(5) } }), 5, {
      content: known.content,
      updatedAt: at(20),
    });
    const admission = admit(lane, edited("B", 30), context);
    expect(bornOf(admission).state).toBe("duplicate");
    const bearer = eventIn(admission, anEventId(5));
    expect(bearer).toMatchObject({ state: "queued", updatedAt: at(30) });
    const recheck = recheckInbound(admission, bearer, at(31));
    expect(recheck.verdict).toBe("proceed");
  });

  it("refreshes the cached copy, with what is not mapped", () => {
    const arrival = anArrival({ title: "A", milestone: "v2" }, 20);
    const lane = aLane({ copy: { title: "A", body: "text", milestone: "v1" } });
    expect(admit(lane, arrival, context).lane.copy).toMatchObject({ milestone: "v2" });
  });

  it("compares mapped fields only: a milestone, a label, is no edit where neither is mapped", () => {
    const mapping = aMapping({ fields: [plainField("title"), plainField("markdown", "body")] });
    const arrival = anArrival({ title: "A", body: "text", labels: ["bug"], milestone: "v2" }, 20);
    const admission = admit(aLane(), arrival, aContext({ mapping }));
    expect(bornOf(admission)).toMatchObject({ state: "duplicate", reason: "same_content" });
  });

  it("compares canonically: CRLF and a trimmed title are no edit", () => {
    const lane = aLane({ known: aKnown({ title: "A", body: "a\nb" }, 10) });
    const arrival = anArrival({ title: "  A ", body: "a\r\nb" }, 20);
    expect(bornOf(admit(lane, arrival, context)).state).toBe("duplicate");
  });

  it("takes what an observation did not see from what is known", () => {
    const observation = anObservation({ title: "A" }, 20);
    const admission = admit(aLane(), { ...edited("A", 20), observation }, context);
    expect(bornOf(admission).state).toBe("duplicate");
  });

  it("says nothing of a poll that overlaps the one before", () => {
    const admission = admit(aLane(), { ...edited("A", 10), source: "poll" }, context);
    expect(admission.event).toBeNull();
    expect(admission.ended).toEqual([]);
  });

  it("says nothing of a backfill that sees again what was seen", () => {
    const admission = admit(aLane(), { ...edited("A", 10), source: "backfill" }, context);
    expect(admission.event).toBeNull();
  });

  it("takes an event of an earlier delivery at its word: A, B, A again is no duplicate of A", () => {
    const toB = admit(aLane(), edited("B", 20), context);
    const backToA = admit(toB.lane, edited("A", 30), context);
    expect(bornOf(backToA)).toMatchObject({ state: "queued", reread: false });
    expect(eventIn(backToA, bornOf(toB).id).state).toBe("canceled");
  });

  const inDoubt = [
    ["an event is processing", withEvent(aLane(), 5, { state: "processing" }).lane],
    ["the outcome of a request is unknown", aLane({ attempt: anAttempt() })],
    [
      "its bearer is errored",
      withEvent(aLane({ known: aKnown({ title: "A", body: "text" }, 10, anEventId(5)) }), 5, {
        state: "errored",
      }).lane,
    ],
    [
      "its bearer is disabled",
      withEvent(aLane({ known: aKnown({ title: "A", body: "text" }, 10, anEventId(5)) }), 5, {
        state: "disabled",
      }).lane,
    ],
    [
      "its bearer was canceled by hand",
      aLane({ known: { ...aKnown({ title: "A", body: "text" }, 10), lost: true } }),
    ],
  ] as const;

  it.each(inDoubt)("is off while %s: admitted, to be read again", (_why, lane) => {
    expect(bornOf(admit(lane, edited("A", 20), context))).toMatchObject({
      state: "queued",
      reason: "reread_needed",
      reread: true,
    });
  });

  it("waits behind our write when someone reverts to A meanwhile: that A is news", () => {
    const { lane } = withEvent(aLane({ attempt: anAttempt() }), 2, {
      direction: "outbound",
      state: "processing",
    });
    expect(bornOf(admit(lane, edited("A", 20), context)).reread).toBe(true);
  });
});

describe("row 6: equal time", () => {
  it("is no duplicate with other content: admitted, to be read again", () => {
    expect(bornOf(admit(aLane(), edited("B", 10), context))).toMatchObject({
      state: "queued",
      reread: true,
    });
  });

  it("is a duplicate to the letter where every version has its own time", () => {
    const mapping = aMapping({ resource: { ...issueType, versions: "monotonic" } });
    expect(bornOf(admit(aLane(), edited("B", 10), aContext({ mapping })))).toMatchObject({
      state: "duplicate",
      reason: "same_version",
      duplicateOf: anEventId(1),
    });
  });

  it("is admitted without a re-read at a later time, whatever the versions", () => {
    const mapping = aMapping({ resource: { ...issueType, versions: "monotonic" } });
    const born = bornOf(admit(aLane(), edited("B", 20), aContext({ mapping })));
    expect(born).toMatchObject({ state: "queued", reread: false });
  });
});

describe("row 7: admitted", () => {
  it("is queued and becomes what is known", () => {
    const admission = admit(aLane(), edited("B", 20), context);
    const event = bornOf(admission);
    expect(event).toMatchObject({ state: "queued", reason: "admitted", updatedAt: at(20) });
    expect(admission.lane.live).toEqual([event]);
    expect(admission.lane.clock).toEqual({ at: at(20), event: event.id });
    expect(admission.lane.known).toMatchObject({ event: event.id, digest: event.digest });
  });

  it.each(["queued", "errored"] as const)("cancels an older %s event, by its name", (state) => {
    const { lane, event } = withEvent(aLane(), 5, { state });
    const admission = admit(lane, edited("B", 20), context);
    expect(eventIn(admission, event.id)).toMatchObject({
      state: "canceled",
      reason: "superseded",
      canceledBy: bornOf(admission).id,
    });
  });

  it.each(["awaiting_children", "awaiting_parent"] as const)(
    "keeps the deadline of a canceled event that was %s",
    (reason) => {
      const deadline = at(90);
      const { lane } = withEvent(aLane(), 5, { reason, deadline });
      expect(bornOf(admit(lane, edited("B", 20), context)).deadline).toEqual(deadline);
      const other = withEvent(aLane(), 5, { reason: "reread_needed", deadline }).lane;
      expect(bornOf(admit(other, edited("B", 20), context)).deadline).toBeNull();
    },
  );

  it.each(["processing", "disabled"] as const)("leaves a %s event alone", (state) => {
    const { lane, event } = withEvent(aLane(), 5, { state });
    expect(eventIn(admit(lane, edited("B", 20), context), event.id).state).toBe(state);
  });

  it("cancels only in its own direction", () => {
    const { lane, event } = withEvent(aLane(), 5, { direction: "outbound" });
    expect(eventIn(admit(lane, edited("B", 20), context), event.id).state).toBe("queued");
  });

  it("never cancels a delete by an upsert, whatever order they come in", () => {
    const dying = admit(aLane(), anArrival(null, 10), context);
    const after = admit(dying.lane, edited("B", 10), context);
    expect(bornOf(after).state).toBe("ignored");
    expect(eventIn(after, bornOf(dying).id).state).toBe("queued");
  });

  it("keeps a delete that waits, though an upsert got past its tombstone", () => {
    const { lane, event } = withEvent(aLane(), 2, { direction: "inbound", action: "delete" });
    const upsert = bornOf(admit(aLane(), edited("B", 20), context));
    const after = cancelOlder(unchanged(lane), upsert, at(20));
    expect(eventIn(after, event.id).state).toBe("queued");
  });

  it("records an edit that our write covered when the echo of that write cancels it", () => {
    const { lane: sending } = withEvent(aLane({ attempt: anAttempt(), lastSent: anAttempt() }), 2, {
      direction: "outbound",
      state: "processing",
    });
    const theirs = admit(sending, edited("X", 20), context);
    const echo = admit(theirs.lane, edited("L", 20), context);
    expect(eventIn(echo, bornOf(theirs).id)).toMatchObject({
      state: "canceled",
      conflicts: [{ field: "title", lost: "X", why: "covered_by_our_write" }],
    });
  });
});

describe("a deletion", () => {
  it("is admitted although it is older than the clock, for it carries the edit's time", () => {
    const lane = aLane({ clock: { at: at(30), event: anEventId(3) } });
    expect(bornOf(admit(lane, anArrival(null, 20), context))).toMatchObject({
      state: "queued",
      action: "delete",
      reread: false,
    });
  });

  it("sets the tombstone when it is admitted, not when it is carried out", () => {
    const admission = admit(aLane(), anArrival(null, 10), context);
    expect(admission.lane.tombstone).toEqual({
      event: bornOf(admission).id,
      at: context.now,
      record: "present",
      resource: "deleted",
    });
  });

  it("is admitted in doubt without a re-read, and leaves the clock alone", () => {
    const lane = aLane({ attempt: anAttempt() });
    const admission = admit(lane, anArrival(null, 20), context);
    expect(bornOf(admission).reread).toBe(false);
    expect(admission.lane.clock).toEqual(lane.clock);
  });

  it("cancels queued upserts of its direction", () => {
    const { lane, event } = withEvent(aLane(), 5);
    const admission = admit(lane, anArrival(null, 10), context);
    expect(eventIn(admission, event.id)).toMatchObject({
      state: "canceled",
      canceledBy: bornOf(admission).id,
    });
  });

  it("that was never preceded by an upsert is an event that will find nothing to delete", () => {
    expect(bornOf(admit(anUnseenLane(), anArrival(null, 10), context)).state).toBe("queued");
  });
});
