/** Schedules of overlapping statements: the same each time, whole or in part, and shrunk to what matters. */
import { describe, expect, it } from "vitest";
import {
  type Part,
  planInterleaving,
  type Interleaving,
} from "../../src/testing/interleave/plan.ts";
import { Scheduler, type Traced } from "../../src/testing/interleave/scheduler.ts";
import { leaveOut } from "../../src/testing/shrink.ts";

/** A schedule takes some milliseconds; a busy machine takes longer. */
const TAKES_MS = 60_000;
const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

describe("the plan of an interleaved history", () => {
  it("has every kind of step, over some seeds", () => {
    const kinds = SEEDS.flatMap((seed) => planInterleaving(seed).steps.map(({ kind }) => kind));
    expect([...new Set(kinds)].sort()).toEqual(
      [
        ...["add", "settle", "write", "remote", "drain", "claim", "translate"],
        ...["local_sweep", "id_sweep", "poll", "backfill"],
      ].sort(),
    );
  });

  it("keeps of its steps and pauses what it is asked for, each as it was", () => {
    const whole = planInterleaving(7);
    const kept = whole.steps.filter(({ id }) => id % 2 === 0);
    const part = planInterleaving(7, [...kept.map(({ id }) => String(id)), "4.3"]);
    expect(part.steps.map(({ id, actor, kind }) => ({ id, actor, kind }))).toEqual(
      kept.map(({ id, actor, kind }) => ({ id, actor, kind })),
    );
    expect(part.steps.map(({ random }) => random()())).toEqual(
      kept.map(({ random }) => random()()),
    );
    expect(part.rank({ step: 4, nth: 3 })).toBe(whole.rank({ step: 4, nth: 3 }));
    const places = [1, 2, 3, 4].map((nth) => ({ step: 4, nth }));
    expect(places.map(part.pauses)).toEqual([false, false, true, false]);
  });
});

describe("a schedule", () => {
  it(
    "is the same when a seed is run again, and when all of its parts are asked for",
    async () => {
      for (const seed of SEEDS.slice(0, 4)) {
        const first = await countTogether(planInterleaving(seed));
        const again = await countTogether(planInterleaving(seed));
        const parts = await countTogether(planInterleaving(seed, first.parts));
        expect(again).toEqual(first);
        expect(parts.trace).toEqual(first.trace);
      }
    },
    TAKES_MS,
  );

  it(
    "loses an update in some seed, and is shrunk to two steps and the pause between read and write",
    async () => {
      const [seed, lost] = await givenLostUpdate();
      const only = (parts: readonly Part[]) => countTogether(planInterleaving(seed, parts));
      const fails = async (parts: readonly Part[]) => (await only(parts)).isLost;
      const short = await leaveOut(lost.parts, { fails });
      expect(short).toHaveLength(3);
      expect(short.filter((part) => part.endsWith(".2"))).toHaveLength(1);
      const { trace } = await only(short);
      expect(trace.map(({ text, paused }) => ({ text, paused }))).toEqual([
        { text: "read", paused: false },
        { text: "read", paused: false },
        { text: "write", paused: false },
        { text: "write", paused: true },
      ]);
    },
    TAKES_MS,
  );
});

interface Counted {
  readonly isLost: boolean;
  readonly parts: readonly Part[];
  readonly trace: readonly Traced[];
}

/** The first seed whose schedule loses an update. */
async function givenLostUpdate(): Promise<readonly [seed: number, Counted]> {
  for (const seed of SEEDS) {
    const counted = await countTogether(planInterleaving(seed));
    if (counted.isLost) return [seed, counted];
  }
  throw new Error("no seed lost an update");
}

/** Every step reads a number, and writes one more. */
async function countTogether(plan: Interleaving): Promise<Counted> {
  const scheduler = new Scheduler(plan, () => Promise.resolve(new Set()));
  let number = 0;
  const ask = <T>(text: string, work: () => T) =>
    scheduler.step({ pid: 1 }, text, () => Promise.resolve(work()));
  const addOne = async () => {
    const read = await ask("read", () => number);
    await ask("write", () => {
      number = read + 1;
    });
  };
  const actors = new Set(plan.steps.map(({ actor }) => actor));
  for (const actor of actors) {
    const own = plan.steps.filter((step) => step.actor === actor);
    scheduler.start(
      actor,
      own.map(({ id }) => ({ id, run: addOne })),
    );
  }
  await scheduler.run();
  return {
    isLost: number < plan.steps.length,
    parts: [...plan.steps.map(({ id }) => String(id)), ...scheduler.pauses],
    trace: scheduler.trace,
  };
}
