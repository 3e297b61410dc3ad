/** Reads that may be stale: judged by when they began, on whichever clock. */
import { describe, expect, it } from "vitest";
import { addMillis, formatInstant } from "../../../src/model/instant.ts";
import { refuseStale, startRead } from "../../../src/runtime/inbound/stale-read.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { aContext, aLane, anObservation, at } from "../../engine/builders.ts";

describe("a read", () => {
  it("began as long before the database's time as this process waited for it", () => {
    const clock = new VirtualClock(at(3_600));
    const from = startRead(clock);
    clock.advance(5_000);
    expect(from(at(100))).toBe(at(95));
    clock.advance(1_000);
    expect(from(at(100))).toBe(at(94));
  });

  it("that shows less than is known is refused, unless it began long after that was known", () => {
    const lane = aLane();
    const context = aContext({ now: at(12) });
    const read = (seconds: number, began = at(11), known = lane) => {
      refuseStale(known, anObservation({}, seconds), "unknown", () => began, context);
    };
    expect(() => {
      read(9);
    }).toThrow(
      expect.objectContaining({
        ...{ kind: "retryable", code: "stale_read", applied: "unknown" },
        message: `the read shows the resource of ${formatInstant(at(9))}, but ${formatInstant(at(10))} is known`,
        hint: "Reads can lag behind writes; Tandem reads again after a pause.",
      }) as Error,
    );
    for (const fresh of [10, 11]) {
      expect(() => {
        read(fresh);
      }).not.toThrow();
    }
    expect(() => {
      read(9, addMillis(at(10), 3_600_000));
      read(9, at(11), aLane({ clock: null }));
    }).not.toThrow();
  });
});
