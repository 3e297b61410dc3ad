/** Which failed webhooks the provider is asked for again, and how often. */
import { describe, expect, it } from "vitest";
import {
  chooseRedeliveries,
  MOST_ASKS,
  noteAsk,
  readsFrom,
  takeAttempts,
} from "../../../src/engine/limits/redelivery.ts";
import { addMillis, type Instant, MILLISECOND, parseInstant } from "../../../src/model/instant.ts";
import type { DeliveryAttempt, MissedDelivery } from "../../../src/model/missed-delivery.ts";

const NOW = parseInstant("2026-03-02T09:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOTHING: ReadonlySet<string> = new Set();

const ago = (millis: number): Instant => addMillis(NOW, -millis);

function anAttempt(given: Partial<DeliveryAttempt> = {}): DeliveryAttempt {
  return {
    attemptId: "1",
    deliveryKey: "a",
    event: "issues",
    at: ago(MINUTE),
    status: 503,
    succeeded: false,
    ...given,
  };
}

function aMissed(given: Partial<MissedDelivery> = {}): MissedDelivery {
  return {
    deliveryKey: "a",
    attemptId: "1",
    event: "issues",
    status: 503,
    failedAt: ago(MINUTE),
    asks: 0,
    runAt: NOW,
    state: "waiting",
    ...given,
  };
}

describe("a delivery in the log", () => {
  it("is missed where an attempt failed, and is due since then", () => {
    expect(takeAttempts([], [anAttempt()], NOTHING, NOW)).toEqual({
      missed: [aMissed({ runAt: ago(MINUTE) })],
      arrived: [],
    });
    // By the provider's clock, which may be ahead of ours.
    const ahead = anAttempt({ at: addMillis(NOW, MINUTE) });
    expect(takeAttempts([], [ahead], NOTHING, NOW).missed).toMatchObject([{ runAt: NOW }]);
  });

  it("is not missed where another attempt at it succeeded, before or after", () => {
    for (const at of [ago(2 * MINUTE), NOW]) {
      const attempts = [anAttempt(), anAttempt({ attemptId: "2", at, succeeded: true })];
      expect(takeAttempts([], attempts, NOTHING, NOW)).toEqual({ missed: [], arrived: [] });
    }
  });

  it("is not missed where the ledger holds it, whatever the provider believes", () => {
    const reading = takeAttempts([], [anAttempt()], new Set(["a"]), NOW);
    expect(reading).toEqual({ missed: [], arrived: [] });
  });

  it("has arrived where it was missed and came since", () => {
    const succeeded = anAttempt({ attemptId: "2", at: NOW, succeeded: true });
    const came = { missed: [], arrived: ["a"] };
    expect(takeAttempts([aMissed()], [succeeded], NOTHING, NOW)).toEqual(came);
    expect(takeAttempts([aMissed()], [], new Set(["a"]), NOW)).toEqual(came);
  });

  it("keeps what was asked for, when a reading shows the same attempt again", () => {
    const asked = aMissed({ asks: 2, runAt: addMillis(NOW, HOUR) });
    const nothing = { missed: [], arrived: [] };
    expect(takeAttempts([asked], [anAttempt()], NOTHING, NOW)).toEqual(nothing);
    const over = aMissed({ asks: 5, state: "given_up" });
    expect(takeAttempts([over], [anAttempt()], NOTHING, NOW)).toEqual(nothing);
  });

  it("takes the newest attempt to be repeated, and counts on", () => {
    const asked = aMissed({ asks: 1, runAt: addMillis(NOW, HOUR) });
    const again = anAttempt({ attemptId: "2", at: NOW, status: 401 });
    const { missed } = takeAttempts([asked], [again, anAttempt()], NOTHING, NOW);
    expect(missed).toEqual([{ ...asked, attemptId: "2", status: 401 }]);
  });

  it("keeps the attempt that is known, if another failed at the same time: none of them is newer", () => {
    const twin = anAttempt({ attemptId: "2", status: 401 });
    expect(takeAttempts([aMissed()], [twin], NOTHING, NOW).missed).toEqual([]);
  });

  it("is read from a little before the last reading began", () => {
    const from = readsFrom({ seenTo: NOW, walk: null });
    expect((NOW - from) / MILLISECOND).toBeGreaterThan(10_000);
  });
});

describe("the choice of redeliveries", () => {
  it("is what has been due for longest, and no more than a round may ask for", () => {
    const due = ["oldest", "old", "young"].map((deliveryKey) => aMissed({ deliveryKey }));
    const { ask, giveUp, left } = chooseRedeliveries(due, NOTHING, NOW, 2);
    expect(ask.map(({ deliveryKey }) => deliveryKey)).toEqual(["oldest", "old"]);
    expect(giveUp).toEqual([]);
    expect(left).toBe(due.length - 2);
  });

  it("is nothing that the ledger holds, and that is given up no more either", () => {
    const due = [aMissed(), aMissed({ deliveryKey: "b", asks: MOST_ASKS })];
    expect(chooseRedeliveries(due, new Set(["a", "b"]), NOW, 10)).toEqual({
      ask: [],
      giveUp: [],
      arrived: ["a", "b"],
      left: 0,
    });
  });

  it("waits longer each time, and is given up after the last", () => {
    const pauses: number[] = [];
    let missed = aMissed();
    let now = NOW;
    for (;;) {
      const { ask, giveUp } = chooseRedeliveries([missed], NOTHING, now, 10);
      if (giveUp.length > 0) {
        expect(giveUp).toEqual([{ ...missed, state: "given_up" }]);
        break;
      }
      expect(ask).toEqual([missed]);
      missed = noteAsk(missed, now);
      expect(missed.runAt).toBeGreaterThan(now);
      pauses.push((missed.runAt - now) / (MINUTE * MILLISECOND));
      now = missed.runAt;
    }
    expect(missed.asks).toBe(MOST_ASKS);
    expect(pauses).toEqual([10, 60, 360, 720, 720]);
  });

  it("is nothing that the provider does not keep any more", () => {
    const old = aMissed({ failedAt: ago(3 * DAY + 1) });
    expect(chooseRedeliveries([old], NOTHING, NOW, 10)).toEqual({
      ask: [],
      arrived: [],
      giveUp: [{ ...old, state: "given_up" }],
      left: 0,
    });
  });
});
