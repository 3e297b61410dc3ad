/** How often a wrong secret may be tried, as laws over time. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Allowance, takeTry, waitForTry } from "../../../src/engine/limits/attempts.ts";
import {
  addMillis,
  type Instant,
  instantFromMicros,
  parseInstant,
} from "../../../src/model/instant.ts";

const noon = parseInstant("2026-03-02T12:00:00Z");
const never = instantFromMicros(0);
const three: Allowance = { tries: 3, everyMillis: 60_000 };

/** Fails at each of these times, wherever there is a try; returns how often that was. */
function failuresAt(times: readonly Instant[], allowance: Allowance): number {
  let fullAt = never;
  let failures = 0;
  for (const now of times) {
    if (waitForTry(fullAt, now, allowance) > 0) continue;
    fullAt = takeTry(fullAt, now, allowance);
    failures += 1;
  }
  return failures;
}

describe("tries of a wrong secret", () => {
  it("are so many at once, and then one each time that one came back", () => {
    let fullAt = never;
    for (let count = 0; count < 3; count += 1) {
      expect(waitForTry(fullAt, noon, three)).toBe(0);
      fullAt = takeTry(fullAt, noon, three);
    }
    expect(waitForTry(fullAt, noon, three)).toBe(60_000);
    expect(waitForTry(fullAt, addMillis(noon, 59_000), three)).toBe(1_000);
    expect(waitForTry(fullAt, addMillis(noon, 60_000), three)).toBe(0);
  });

  it("never exceed the bucket and what came back, however they are spread", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(gaps, (pauses) => {
        let at = noon;
        const times = pauses.map((pause) => (at = addMillis(at, pause)));
        const spanMillis = (at - noon) / 1_000;
        expect(failuresAt(times, three)).toBeLessThanOrEqual(3 + Math.floor(spanMillis / 60_000));
      }),
    );
  });

  it("all come back after a quiet time, and no more than all", () => {
    const burst = Array.from({ length: 9 }, () => noon);
    const later = burst.map(() => addMillis(noon, 3_600_000));
    expect(failuresAt(burst, three)).toBe(3);
    expect(failuresAt([...burst, ...later], three)).toBe(6);
  });

  it("are all back where the clock was set back, or it would lock out until it has caught up", () => {
    const fullAt = takeTry(never, noon, three);
    const dayBefore = addMillis(noon, -86_400_000);
    expect(waitForTry(fullAt, dayBefore, three)).toBe(0);
    expect(failuresAt([noon, noon, noon, dayBefore, dayBefore, dayBefore, dayBefore], three)).toBe(
      6,
    );
  });
});
