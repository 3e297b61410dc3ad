/** How a lane's events are started and given back. */
import { describe, expect, it } from "vitest";
import {
  claim,
  endLate,
  expireLeases,
  holdsClaim,
  nextEvent,
  postpone,
  recheckInbound,
  requeue,
} from "../../../src/engine/lane/claim.ts";
import { IllegalMoveError, move } from "../../../src/engine/lane/transition.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { digest } from "../../../src/model/content.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";
import { aKnown, aLane, anAttempt, anEventId, at, eventIn, withEvent } from "../builders.ts";

const now = at(100);
const content = { title: "B", body: "text" };
const tombstone = resourceDeleted(anEventId(9), at(50));

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

  it("is the one that was born first where both are of one second", () => {
    const second = withEvent(aLane(), 6, { updatedAt: at(20) }).lane;
    const { lane } = withEvent(second, 5, { updatedAt: at(20), action: "delete" });
    expect(nextEvent(lane, now)?.id).toBe(anEventId(5));
    expect(nextEvent({ ...lane, live: [...lane.live].reverse() }, now)?.id).toBe(anEventId(5));
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
    expect(eventIn(expired, anEventId(5))).toMatchObject({
      ...{ state: "queued", reason: "lease_lost", runAt: at(160) },
    });
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

describe("an event that is not to blame for going back", () => {
  it.each([
    [3, 2],
    [1, 0],
    [0, 0],
  ])("counts as started one time less: %i is %i", (attempts, left) => {
    const { lane, event } = withEvent(aLane(), 5, { state: "processing", attempts });
    const why = { reason: "record_locked", runAt: at(101) } as const;
    const after = postpone({ lane, ended: [] }, event, now, why);
    expect(eventIn(after, event.id)).toMatchObject({ state: "queued", attempts: left, ...why });
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

  it("is kept where the resource said it later than what waits, which was born while it was off", () => {
    const after = back({ updatedAt: at(20) }, { updatedAt: at(15) });
    expect(eventIn(after, anEventId(5)).state).toBe("queued");
    expect(eventIn(after, anEventId(6))).toMatchObject({
      state: "canceled",
      canceledBy: anEventId(5),
    });
  });

  it("has what waits read the resource, where both are of one second and say different things", () => {
    const said = { updatedAt: at(20), digest: "one" };
    const other = back(said, { ...said, digest: "other" });
    expect(eventIn(other, anEventId(6))).toMatchObject({ reread: true, reason: "reread_needed" });
    expect(eventIn(back(said, said), anEventId(6)).reread).toBe(false);
  });

  it("looks for the older one that waited to be read", () => {
    const after = back({ updatedAt: at(20) }, { updatedAt: at(15), reread: true });
    expect(eventIn(after, anEventId(5)).reread).toBe(true);
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

  it.each([
    ["deleted", tombstone, "queued", "canceled"],
    ["taken back", null, "canceled", "queued"],
  ] as const)(
    "is kept or not where it is a delete of ours, as its record is %s by now",
    (_what, ended, own, waiting) => {
      const outbound = { direction: "outbound" } as const;
      const removal = { ...outbound, action: "delete", state: "processing" } as const;
      const held = withEvent(aLane({ tombstone: ended }), 5, removal);
      const { lane } = withEvent(held.lane, 6, outbound);
      const after = requeue({ lane, ended: [] }, held.event, now, { reason: "retry" });
      expect(eventIn(after, anEventId(5)).state).toBe(own);
      expect(eventIn(after, anEventId(6)).state).toBe(waiting);
    },
  );

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

  it("is read where the clock has moved on, and nobody knows what it says", () => {
    const moved = { at: at(21), event: anEventId(6) };
    const older = { content: { title: "X" }, digest: digest({ title: "X" }), updatedAt: at(19) };
    expect(started({ clock: moved }, older).verdict).toBe("reread");
    expect(started({ clock: moved }, { ...older, digest: digest(content) }).verdict).toBe("ended");
  });

  it("was late where a read shows what is known and merged", () => {
    const late = (changes: Partial<Lane>, seen = { content, at: at(21) }) => {
      const clock = { at: at(21), event: anEventId(6) };
      const known = aKnown(content, 21, anEventId(6));
      const older = { updatedAt: at(19), state: "processing" } as const;
      const held = withEvent(aLane({ clock, known, base: content, ...changes }), 5, older);
      return endLate({ lane: held.lane, ended: [] }, held.event, seen, now);
    };
    const ended = late({});
    expect(ended && eventIn(ended, anEventId(5))).toMatchObject({
      state: "ignored",
      reason: "later_event",
      ignoredFor: { id: anEventId(6), type: "events" },
    });
    expect(late({}, { content, at: at(20) })).toBeNull();
    expect(late({}, { content: { ...content, title: "X" }, at: at(21) })).toBeNull();
    expect(late({ base: { title: "A" } })).toBeNull();
    expect(late({ attempt: anAttempt() })).toBeNull();
  });

  it.each([
    ["other content of its time is known", { clock, known: aKnown({ title: "C" }, 20) }, {}],
    ["it was admitted in doubt", { clock }, { reread: true }],
    ["it carries no content", { clock }, { content: null }],
    ["a request's outcome is unknown", { clock, attempt: anAttempt() }, {}],
  ])("reads the resource again where %s", (_why, lane, changes) => {
    expect(started(lane, changes).verdict).toBe("reread");
  });

  it("is ignored behind a tombstone, for what ended the lane", () => {
    const recheck = started({ clock, tombstone });
    expect(recheck.verdict === "ended" && eventIn(recheck.transition, anEventId(5))).toMatchObject({
      ...{ state: "ignored", reason: "tombstoned", conflicts: [] },
      ignoredFor: { id: tombstone.event, type: "events" },
    });
  });

  it("is ignored where its record has left the lane, and names what the record has not seen", () => {
    const left = { ...tombstone, record: "to_connection", resource: "present" } as const;
    const recheck = started({ clock, tombstone: left, known: null }, { content: { title: "B" } });
    expect(recheck.verdict === "ended" && eventIn(recheck.transition, anEventId(5))).toMatchObject({
      ...{ state: "ignored", reason: "record_moved" },
      conflicts: [{ field: "title", winner: "record", kept: "A", lost: "B", why: "record_moved" }],
    });
  });

  it("goes on as a delete whatever the clock says", () => {
    const late = { at: at(99), event: anEventId(6) };
    expect(started({ clock: late, tombstone }, { action: "delete" }).verdict).toBe("proceed");
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
