import { describe, expect, it } from "vitest";
import { fail, type Failure } from "../../../src/engine/processing/failure.ts";
import { MAX_ATTEMPTS, nextRunAt } from "../../../src/engine/lane/retry.ts";
import { addMillis } from "../../../src/model/instant.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import { recordDeleted } from "../../../src/model/tombstone.ts";
import { aLane, anAttempt, anEventId, at, eventIn, withEvent } from "../builders.ts";

const now = at(100);
const tombstone = recordDeleted(anEventId(9), at(1));
const failure = (changes: Partial<Failure> & { readonly retryable?: boolean } = {}): Failure => {
  const { retryable = true, ...rest } = changes;
  return {
    error: {
      code: "timeout",
      message: "no answer",
      hint: "",
      retryable,
      httpStatus: null,
      requestId: null,
    },
    applied: "unknown",
    pausedUntil: null,
    ...rest,
  };
};
const sending = (changes: Partial<TandemEvent> = {}) =>
  withEvent(aLane({ epoch: 4, attempt: anAttempt({ epoch: 4 }) }), 2, {
    direction: "outbound",
    state: "processing",
    attempts: 1,
    epoch: 4,
    ...changes,
  });
const failed = (held: ReturnType<typeof sending>, what: Failure, chance = 0.5) =>
  fail({ lane: held.lane, ended: [] }, held.event, what, now, chance);

describe("a failure that may pass", () => {
  it("goes back to the queue with a delay between nothing and the grown last", () => {
    const held = sending({ attempts: 3 });
    const after = failed(held, failure(), 0.5);
    expect(eventIn(after, held.event.id)).toMatchObject({
      state: "queued",
      reason: "retry",
      runAt: addMillis(now, 18_000),
      error: { code: "timeout" },
      leaseExpiresAt: null,
      worker: held.event.worker,
    });
  });

  it("is errored after too many attempts, with its error", () => {
    const held = sending({ attempts: MAX_ATTEMPTS });
    expect(eventIn(failed(held, failure()), held.event.id)).toMatchObject({
      state: "errored",
      reason: "retries_exhausted",
      error: { code: "timeout" },
    });
  });

  it("gives way to a newer event that waits: canceled by it", () => {
    const held = sending();
    const { lane, event } = withEvent(held.lane, 5, { direction: "outbound" });
    const after = failed({ ...held, lane }, failure());
    expect(eventIn(after, held.event.id)).toMatchObject({
      state: "canceled",
      canceledBy: event.id,
    });
  });

  it("stays unknown where the write may have been applied", () => {
    expect(failed(sending(), failure()).lane.attempt).not.toBeNull();
  });

  it("is settled where the write was refused: it is known not to have been applied", () => {
    expect(failed(sending(), failure({ applied: "no" })).lane.attempt).toBeNull();
  });

  it("leaves an earlier write unknown if a read was refused, not the write", () => {
    const held = sending();
    const lane = { ...held.lane, attempt: anAttempt({ epoch: 3 }) };
    expect(failed({ ...held, lane }, failure({ applied: "no" })).lane.attempt).not.toBeNull();
  });
});

describe("a failure that will not pass", () => {
  it("is errored at once", () => {
    const held = sending();
    expect(eventIn(failed(held, failure({ retryable: false })), held.event.id)).toMatchObject({
      state: "errored",
      reason: "failed",
      finishedAt: null,
    });
  });

  it("says that a person must look where nobody else can settle it", () => {
    const held = sending();
    const after = failed(held, { ...failure({ retryable: false }), needsAttention: true });
    expect(eventIn(after, held.event.id)).toMatchObject({
      state: "errored",
      reason: "needs_attention",
    });
  });

  it("gives way to a newer event that waits, or it would stand in the way of later ones", () => {
    const held = sending();
    const { lane, event } = withEvent(held.lane, 5, { direction: "outbound" });
    const after = failed({ ...held, lane }, failure({ retryable: false }));
    expect(eventIn(after, held.event.id)).toMatchObject({
      state: "canceled",
      canceledBy: event.id,
      error: { code: "timeout" },
    });
  });

  it("does not give way to an upsert if the event is a delete", () => {
    const held = sending({ action: "delete" });
    const { lane } = withEvent({ ...held.lane, tombstone }, 5, { direction: "outbound" });
    const after = failed({ ...held, lane }, failure({ retryable: false }));
    expect(eventIn(after, held.event.id).state).toBe("errored");
  });

  for (const retryable of [true, false]) {
    it(`gives way, as a delete, to the upsert that took it back, retryable or not (${retryable})`, () => {
      const held = sending({ action: "delete" });
      const { lane, event } = withEvent({ ...held.lane, tombstone: null }, 5, {
        direction: "outbound",
      });
      const after = failed({ ...held, lane }, failure({ retryable }));
      expect(eventIn(after, held.event.id)).toMatchObject({
        state: "canceled",
        canceledBy: event.id,
      });
      expect(eventIn(after, event.id).state).toBe("queued");
    });
  }

  it("hands the look that an event had to make on to the newer one", () => {
    const held = sending({ reread: true });
    const { lane, event } = withEvent(held.lane, 5, { direction: "outbound" });
    const after = failed({ ...held, lane }, failure());
    expect(eventIn(after, event.id)).toMatchObject({ state: "queued", reread: true });
  });

  it("ends the waiting for a create, if it was the only one that left without its token", () => {
    const intent = { token: "t", since: at(1), tokenless: true };
    const first = anAttempt({ kind: "create", epoch: 4 });
    const held = sending();
    const once = { ...held.lane, attempt: first, intent };
    const refused = failed({ ...held, lane: once }, failure({ applied: "no" }));
    expect(refused.lane.intent).toEqual({ ...intent, tokenless: false });

    const twice = { ...once, unanswered: [first] };
    const again = failed({ ...held, lane: twice }, failure({ applied: "no" }));
    expect(again.lane.intent).toEqual(intent);
  });
});

describe("a pause of the account", () => {
  it("is not the event's fault: it waits until then and burns no attempt", () => {
    const held = sending({ attempts: MAX_ATTEMPTS });
    const after = failed(held, failure({ applied: "no", pausedUntil: at(400) }));
    expect(eventIn(after, held.event.id)).toMatchObject({
      state: "queued",
      reason: "account_paused",
      runAt: at(400),
      attempts: MAX_ATTEMPTS - 1,
    });
  });
});

describe("when a failed event runs again", () => {
  it("triples the ceiling from four seconds to a quarter of an hour", () => {
    const ceilings = [1, 2, 3, 5, 6, 50].map((attempts) => nextRunAt(now, attempts, 1) - now);
    expect(ceilings).toEqual([4e6, 12e6, 36e6, 324e6, 900e6, 900e6]);
  });

  it("may be at once", () => {
    expect(nextRunAt(now, 5, 0)).toBe(now);
  });

  it("takes about an hour before it is given up", () => {
    const waits = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, index) =>
      nextRunAt(now, index + 1, 1),
    );
    const total = waits.reduce((sum, run) => sum + (run - now), 0) / 60e6;
    expect(total).toBeGreaterThan(55);
    expect(total).toBeLessThan(75);
  });

  it("names the event that ended", () => {
    expect(failed(sending(), failure({ retryable: false })).lane.live[0]?.id).toBe(anEventId(2));
  });
});
