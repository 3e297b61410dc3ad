/** Whether a database still has what was committed, told by its log. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareLog, type FoundLog } from "../../../src/engine/limits/log-place.ts";

const COMMITTED = { timeline: 2, at: 100n };
const found = (timeline: number, at: bigint, recoveredTo: bigint | null = null): FoundLog => ({
  timeline,
  at,
  recoveredTo,
});

describe("the log of a database", () => {
  it("on its timeline has what was committed, unless it ends before", () => {
    expect(compareLog(COMMITTED, found(2, 100n))).toBe("kept");
    // It crashed, and recovered to the end of its own log.
    expect(compareLog(COMMITTED, found(2, 500n, 90n))).toBe("kept");
    expect(compareLog(COMMITTED, found(2, 99n))).toBe("lost");
  });

  it("on a primary that was given up lacks the later commits of others", () => {
    expect(compareLog(COMMITTED, found(1, 900n))).toBe("lost");
  });

  it("on a replica that took over has the commits that it had recovered by then", () => {
    expect(compareLog(COMMITTED, found(3, 900n, 101n))).toBe("kept");
    // The commit begins where it ended.
    expect(compareLog(COMMITTED, found(3, 900n, 100n))).toBe("lost");
    expect(compareLog(COMMITTED, found(3, 900n, 40n))).toBe("lost");
  });

  it("on a replica that was restarted since tells only that it is too short", () => {
    expect(compareLog(COMMITTED, found(3, 99n))).toBe("lost");
    expect(compareLog(COMMITTED, found(3, 900n))).toBe("unknown");
  });

  it("law: a failover is said to have lost a commit exactly where it did", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), fc.nat(60), (records, which, received, written) => {
        const ends = records.reduce<bigint[]>(
          (all, size) => [...all, (all.at(-1) ?? 0n) + BigInt(size)],
          [],
        );
        const commit = which % ends.length;
        const begins = ends[commit - 1] ?? 0n;
        // A replica has whole records only.
        const recoveredTo = [0n, ...ends][received % (ends.length + 1)] ?? 0n;
        const isLost = recoveredTo <= begins;
        const after = found(2, recoveredTo + BigInt(written), recoveredTo);
        expect(compareLog({ timeline: 1, at: begins }, after)).toBe(isLost ? "lost" : "kept");
      }),
    );
  });

  it("law: without a failover nothing is ever said to be lost, and what grows is not lost later", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), (at, more, evenMore) => {
        const committed = { timeline: 1, at: BigInt(at) };
        const end = committed.at + BigInt(more);
        expect(compareLog(committed, found(1, end))).toBe("kept");
        const taken = found(2, end + BigInt(evenMore), end);
        const verdict = compareLog(committed, taken);
        expect(compareLog(committed, { ...taken, at: taken.at + 1_000n })).toBe(verdict);
      }),
    );
  });
});
