/** A lane makes only legal moves, whatever is asked of it, and never has two events that exclude each other. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Content } from "../../../src/model/content.ts";
import { isTerminal, LEGAL_MOVES, type TandemEvent } from "../../../src/model/event.ts";
import type { EventId } from "../../../src/model/ids.ts";
import type { Lane, Transition } from "../../../src/model/lane.ts";
import { admit } from "../../../src/engine/admission/admit.ts";
import type { Context } from "../../../src/engine/lane/context.ts";
import { fail } from "../../../src/engine/processing/failure.ts";
import { admitChange, queueRemoval } from "../../../src/engine/processing/local-change.ts";
import {
  cancelByHand,
  disableLane,
  enableLane,
  restart,
  restartRetryable,
} from "../../../src/engine/lane/restart.ts";
import { claim, expireLeases, nextEvent, recheckInbound } from "../../../src/engine/lane/claim.ts";
import { move, processing, unchanged } from "../../../src/engine/lane/transition.ts";
import { aContext, aLane, anArrival, at, bornOf } from "../builders.ts";

type Ask = (lane: Lane, context: Context) => Transition;

const title: fc.Arbitrary<Content> = fc
  .constantFrom("A", "B", "C")
  .map((text) => ({ title: text }));
const off = { inbound: "connection_paused", outbound: "connection_paused" } as const;

const asks: fc.Arbitrary<Ask> = fc.oneof(
  fc
    .tuple(fc.option(title), fc.integer({ min: 5, max: 30 }), fc.constantFrom("webhook", "poll"))
    .map(
      ([content, seconds, source]): Ask =>
        (lane, context) =>
          admit(lane, anArrival(content, seconds, { source: source as "webhook" }), context),
    ),
  fc.integer({ min: 5, max: 200 }).map((seconds): Ask => (lane, context) => {
    const read = { source: "reread", verifiedAt: at(seconds) } as const;
    return admit(lane, anArrival({ title: "R" }, seconds, read), context);
  }),
  fc.constantFrom("upsert", "delete").map(
    (action): Ask =>
      (lane, context) =>
        admitChange(lane, { action, changedAt: {}, ours: false, deleted: null }, context),
  ),
  fc.constant<Ask>((lane, context) => {
    const next = nextEvent(lane, context.now);
    return next === null ? unchanged(lane) : claim(lane, next, "w1", context.now, 1_000);
  }),
  fc.constantFrom("completed", "ignored", "duplicate").map((state): Ask => (lane, context) => {
    const event = processing(lane);
    return event === null
      ? unchanged(lane)
      : move(unchanged(lane), event.id, state, context.now, {});
  }),
  fc.constant<Ask>((lane, context) => {
    const event = processing(lane);
    if (event === null) return unchanged(lane);
    const recheck = recheckInbound(unchanged(lane), event, context.now);
    return recheck.verdict === "ended" ? recheck.transition : unchanged(lane);
  }),
  fc.tuple(fc.boolean(), fc.boolean()).map(([retryable, paused]): Ask => (lane, context) => {
    const event = processing(lane);
    if (event === null) return unchanged(lane);
    const error = {
      code: "x",
      message: "",
      hint: "",
      retryable,
      httpStatus: null,
      requestId: null,
    };
    const pausedUntil = paused ? context.now : null;
    return fail(unchanged(lane), event, { error, applied: "unknown", pausedUntil }, context.now, 0);
  }),
  fc.constant<Ask>((lane) => expireLeases(lane, at(10_000))),
  fc.constant<Ask>((lane, context) => restartRetryable(lane, context.now)),
  fc.constant<Ask>((lane, context) => {
    const event = lane.live.find(({ state }) => state === "errored");
    return event === undefined ? unchanged(lane) : restart(unchanged(lane), event, context.now);
  }),
  fc.nat().map((pick): Ask => (lane, context) => {
    const idle = lane.live.filter(({ state }) => state !== "processing");
    const event = idle[pick % Math.max(1, idle.length)];
    return event === undefined
      ? unchanged(lane)
      : cancelByHand(unchanged(lane), event, context.now);
  }),
  fc.constant<Ask>((lane, context) =>
    disableLane(lane, { cause: "unmapped", why: "not mapped any more" }, context.now),
  ),
  fc.constant<Ask>((lane, context) => enableLane(lane, context.now)),
  fc.constant<Ask>((lane, context) =>
    admit(lane, anArrival({ title: "D" }, 25), { ...context, switchedOff: off }),
  ),
  fc.constant<Ask>((lane, context) => queueRemoval(lane, context)),
);

describe("any sequence of decisions on a lane", () => {
  it("law: at most one queued event per direction, and one processing", () => {
    everyStep((lane) => {
      for (const direction of ["inbound", "outbound"] as const) {
        const queued = lane.live.filter(
          (event) => event.state === "queued" && event.direction === direction,
        );
        expect(queued.length).toBeLessThanOrEqual(1);
      }
      expect(lane.live.filter(({ state }) => state === "processing").length).toBeLessThanOrEqual(1);
    });
  });

  it("law: what is live is not terminal, and what ended is, with a time and a cause", () => {
    everyStep((lane, ended) => {
      for (const event of lane.live) expect(isTerminal(event.state)).toBe(false);
      for (const event of ended) {
        expect(isTerminal(event.state)).toBe(true);
        expect(event.finishedAt).not.toBeNull();
        if (event.state === "canceled" && event.reason !== "canceled_by_hand") {
          expect(event.canceledBy).not.toBeNull();
        }
      }
    });
  });

  it("law: an event ends once, and none is lost on the way", () => {
    everyStep((lane, _ended, all) => {
      const live = new Set(lane.live.map(({ id }) => id));
      expect(live.size).toBe(lane.live.length);
      for (const [id, states] of all) {
        const last = states.at(-1);
        const over = states.filter((state) => LEGAL_MOVES[state].length === 0);
        expect(over.length).toBeLessThanOrEqual(1);
        expect(last !== undefined && isTerminal(last)).toBe(!live.has(id));
      }
    });
  });

  it("law: only a worker's event has a lease, and what was started keeps its worker's name", () => {
    everyStep((lane) => {
      for (const event of lane.live) {
        expect(event.leaseExpiresAt !== null).toBe(event.state === "processing");
        expect(event.worker !== null).toBe(event.startedAt !== null);
      }
    });
  });

  it("law: the clock goes back only where a tombstone was lifted", () => {
    fc.assert(
      fc.property(fc.array(asks, { maxLength: 30 }), (sequence) => {
        const context = aContext();
        let lane = aLane();
        for (const ask of sequence) {
          const after = ask(lane, context).lane;
          const lifted = lane.tombstone !== null && after.tombstone === null;
          if (!lifted) expect(after.clock?.at ?? 0).toBeGreaterThanOrEqual(lane.clock?.at ?? 0);
          lane = after;
        }
      }),
    );
  });

  it("names what it brought", () => {
    expect(bornOf(admit(aLane(), anArrival({ title: "B" }, 20), aContext())).laneId).toBe("1");
  });
});

/** Runs sequences and looks at the lane after each step. */
function everyStep(
  look: (
    lane: Lane,
    ended: readonly TandemEvent[],
    all: ReadonlyMap<EventId, readonly TandemEvent["state"][]>,
  ) => void,
): void {
  fc.assert(
    fc.property(fc.array(asks, { maxLength: 40 }), (sequence) => {
      const context = aContext();
      const states = new Map<EventId, TandemEvent["state"][]>();
      let lane = aLane();
      for (const ask of sequence) {
        const after = ask(lane, context);
        for (const { id, state } of [...after.ended, ...after.lane.live]) {
          const known = states.get(id) ?? [];
          if (known.at(-1) !== state) states.set(id, [...known, state]);
        }
        lane = after.lane;
        look(lane, after.ended, states);
      }
    }),
    { numRuns: 300 },
  );
}
