/** The process's clock: set back it goes on, set ahead it follows. */
import { expect, it } from "vitest";
import { neverBack } from "../../../src/runtime/services/system-clock.ts";

const TEN_MINUTES_MS = 600_000;

function givenMachine() {
  const machine = { timeOfDay: 1_700_000_000_000, elapsed: 5_000 };
  const now = neverBack(
    () => machine.timeOfDay,
    () => machine.elapsed,
  );
  const pass = (millis: number) => {
    machine.timeOfDay += millis;
    machine.elapsed += millis;
  };
  return { machine, now, pass };
}

it("goes on where the time of day is set back, and is never slower than time passes", () => {
  const { machine, now, pass } = givenMachine();
  pass(1_000);
  const before = now();
  machine.timeOfDay -= TEN_MINUTES_MS;
  expect(now()).toBe(before);
  pass(2_000);
  expect(now()).toBe(before + 2_000);
  pass(3_000);
  expect(now()).toBe(before + 5_000);
});

it("follows the time of day where that jumps ahead, as after a sleep", () => {
  const { machine, now } = givenMachine();
  machine.timeOfDay += TEN_MINUTES_MS;
  expect(now()).toBe(machine.timeOfDay);
});
