/** What counts as a fight over a field, and what does not. */
import { describe, expect, it } from "vitest";
import { contested, noteTurn } from "../../src/engine/quarantine.ts";
import type { Lane } from "../../src/model/lane.ts";
import { aLane, at } from "./builders.ts";

const limits = { flips: 4, withinMillis: 600_000 };

type Turn = readonly [seconds: number, side: "record" | "resource", title: string];

function after(turns: readonly Turn[]): { readonly lane: Lane; readonly field: string | null } {
  let lane = aLane();
  let seconds = 0;
  for (const [second, side, title] of turns) {
    seconds = second;
    lane = noteTurn(lane, side, { title }, { quarantine: limits, now: at(second) });
  }
  return { lane, field: contested(lane, { quarantine: limits, now: at(seconds) }) };
}

/** Both sides in turn, each with its own value. */
function fight(turns: number, every = 1): readonly Turn[] {
  return Array.from({ length: turns }, (_, index) =>
    index % 2 === 0 ? [index * every, "resource", "a"] : [index * every, "record", "A"],
  );
}

describe("a fight over a field", () => {
  it("is told by the flips that make it: the first turn of each side is none", () => {
    expect(after(fight(5)).field).toBeNull();
    expect(after(fight(6)).field).toBe("title");
  });

  it("is none when it is slow, for then the old turns are forgotten", () => {
    const { lane, field } = after(fight(40, 200));
    expect(field).toBeNull();
    expect(lane.flips.title?.length).toBeLessThanOrEqual(3);
  });

  it("is none while one side alone changes its mind, however often", () => {
    const turns = Array.from({ length: 50 }, (_, index): Turn => [index, "record", `${index % 2}`]);
    const { lane, field } = after(turns);
    expect(field).toBeNull();
    expect(lane.flips.title).toHaveLength(1);
  });

  it("is none while two people write different things in turn, and one when that has no end", () => {
    const writing = (turns: number) =>
      Array.from({ length: turns }, (_, index): Turn => [
        index,
        index % 2 === 0 ? "record" : "resource",
        `draft ${String(index)}`,
      ]);
    expect(after(writing(12)).field).toBeNull();
    expect(after(writing(13)).field).toBe("title");
  });

  it("is remembered within bounds", () => {
    expect(after(fight(200)).lane.flips.title).toHaveLength(13);
  });

  it("is nobody's business where quarantine is off", () => {
    const off = { quarantine: null, now: at(0) };
    expect(noteTurn(aLane(), "record", { title: "A" }, off).flips).toEqual({});
    expect(contested(after(fight(20)).lane, off)).toBeNull();
  });
});
