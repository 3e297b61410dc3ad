/** The pace of a loop: normal after work, slow after failures, and normal again after the next success. */
import { expect, it } from "vitest";
import { NoConnectionError } from "../../../src/store/database/database.ts";
import { startLoop } from "../../../src/runtime/worker/loop.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { keptLog } from "../../harness/kept-log.ts";

const IDLE = 1_000;

/** A loop whose steps end as told, one after the other; behind the last, all are idle. */
function givenLoop(...outcomes: readonly ("fails" | "no database" | "idle" | "works")[]) {
  const clock = new VirtualClock();
  const stopping = new AbortController();
  const startedAt: number[] = [];
  const begin = clock.now();
  const { log, lines } = keptLog();
  const loop = startLoop({ clock, log }, stopping.signal, {
    name: "test",
    idleMillis: IDLE,
    run: () => {
      const outcome = outcomes[startedAt.push((clock.now() - begin) / 1_000) - 1] ?? "idle";
      if (outcome === "fails") return Promise.reject(new Error("told to fail"));
      if (outcome === "no database") {
        return Promise.reject(new NoConnectionError("unreachable", null));
      }
      return Promise.resolve(outcome === "works");
    },
  });
  return {
    loop,
    /** The lines of the log. */
    lines,
    /** Lets what is due now happen, then moves on by seconds, one timer after the other. */
    async pass(seconds: number): Promise<void> {
      for (let second = 0; second < seconds * 10; second += 1) {
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
        clock.advance(100);
      }
    },
    /** Seconds after the beginning at which each step started. */
    starts: () => startedAt.map((millis) => millis / 1_000),
    async stop(): Promise<void> {
      stopping.abort();
      loop.wake();
      await loop.done;
    },
  };
}

it("a step that found work is repeated without a pause", async () => {
  const given = givenLoop("works", "works", "idle");
  await given.pass(0.5);
  expect(given.starts()).toEqual([0, 0, 0]);
  await given.stop();
});

it("the pause doubles with each failure, and is the normal one again after a success", async () => {
  const given = givenLoop("fails", "fails", "idle", "idle", "fails", "works");
  await given.pass(12);
  // 2 s and 4 s after the failures, then 1 s, 1 s; a failure counts as the first again: 2 s.
  expect(given.starts()).toEqual([0, 2, 6, 7, 8, 10, 10, 11]);
  const said = { message: "a step failed; it is repeated", loop: "test", error: "told to fail" };
  expect(given.lines).toEqual([said, said, said]);
  await given.stop();
});

it("a wake-up ends an idle pause and does not end the pause after a failure", async () => {
  const given = givenLoop("idle", "fails");
  await given.pass(0.5);
  given.loop.wake();
  await given.pass(0.5);
  expect(given.starts()).toEqual([0, 0.5]);
  given.loop.wake();
  await given.pass(1.4);
  expect(given.starts()).toEqual([0, 0.5]);
  await given.pass(0.5);
  expect(given.starts().slice(0, 3)).toEqual([0, 0.5, 2.5]);
  await given.stop();
});

it("the pause after failures is at most a minute, and at most 5 s while the database is away", async () => {
  const away = givenLoop("no database", "no database", "no database", "no database");
  await away.pass(18);
  expect(away.starts().slice(0, 5)).toEqual([0, 2, 6, 11, 16]);
  await away.stop();
  const failing = givenLoop("fails", "fails", "fails", "fails");
  await failing.pass(31);
  expect(failing.starts().slice(0, 5)).toEqual([0, 2, 6, 14, 30]);
  await failing.stop();
});
