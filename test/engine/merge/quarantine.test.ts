/** The turns that count as a fight over a field, and those that do not. */
import { describe, expect, it } from "vitest";
import { contested, newsOf, noteTurn, quarantine } from "../../../src/engine/merge/quarantine.ts";
import { plan } from "../../../src/engine/merge/plan.ts";
import { unchanged } from "../../../src/engine/lane/transition.ts";
import type { Lane } from "../../../src/model/lane.ts";
import {
  aContext,
  aLane,
  anAttempt,
  anEventId,
  aPlanInput,
  at,
  eventIn,
  withEvent,
} from "../builders.ts";

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

describe("a turn of the resource's", () => {
  const news = (resource: string, lane: Lane, record = "A") =>
    newsOf(lane, plan(aPlanInput({ resource: { title: resource }, record: { title: record } })));

  it("is what a merge brought of it, unless that is the echo of our own write", () => {
    expect(news("B", aLane())).toEqual({ title: "B" });
    expect(news("A", aLane())).toEqual({});
    const sent = anAttempt({ values: { title: "B" } });
    expect(news("B", aLane({ attempt: sent }))).toEqual({});
    expect(news("C", aLane({ attempt: sent }))).toEqual({ title: "C" });
  });

  it("is what the record takes though base has it, and nothing of a first merge", () => {
    const merged = plan(aPlanInput({ resource: { title: "B" } }));
    expect(newsOf(aLane({ base: { title: "B" } }), merged)).toEqual({ title: "B" });
    expect(newsOf(aLane({ base: { title: "B" } }), { ...merged, toRecord: {} })).toEqual({});
    expect(newsOf(aLane({ base: null }), merged)).toEqual({});
  });
});

describe("a pairing whose field is fought over", () => {
  const context = aContext({ quarantine: limits });
  const writing = withEvent(aLane({ base: { title: "Theirs" } }), 1, {
    direction: "outbound",
    state: "processing",
  });
  const switchedOff = (mine: string, lane = writing.lane) =>
    quarantine(unchanged(lane), writing.event, "title", { title: mine }, context);

  it("is switched off, and says which values went back and forth, and in which time", () => {
    expect(switchedOff("Mine").lane.disabled).toEqual({
      cause: "quarantined",
      why: 'quarantined: title went back and forth between "Mine" (the record\'s) and "Theirs" (the resource\'s) within 10 minutes',
    });
  });

  it("holds all waiting events, of which only an outbound edit is to read the resource first", () => {
    const heard = withEvent(writing.lane, 2, { state: "queued" }).lane;
    const off = switchedOff("Mine", withEvent(heard, 3, { state: "errored" }).lane);
    const held = { state: "disabled", reason: "quarantined" };
    expect(eventIn(off, anEventId(1))).toMatchObject({ ...held, reread: true });
    expect(eventIn(off, anEventId(2))).toMatchObject({ ...held, reread: false });
    expect(eventIn(off, anEventId(3))).toMatchObject({ state: "errored", reread: false });
  });

  it("holds what came after the write in its place, and the look of what was to read anyway", () => {
    const later = withEvent(writing.lane, 2, { direction: "outbound" }).lane;
    const off = switchedOff("Mine", withEvent(later, 3, { reread: true }).lane);
    expect(eventIn(off, anEventId(1))).toMatchObject({ state: "canceled", reason: "superseded" });
    expect(off.lane.live).toMatchObject([
      { id: anEventId(2), state: "disabled", reread: true },
      { id: anEventId(3), state: "disabled", reread: true },
    ]);
  });

  it("shortens values that are too long for a sentence", () => {
    const why = (length: number) => switchedOff("x".repeat(length)).lane.disabled?.why ?? "";
    // With its two quotes a value has at most 60 characters.
    expect(why(58)).toContain(`between "${"x".repeat(58)}" (the record's)`);
    expect(why(59)).toContain(`between "${"x".repeat(56)}... (the record's)`);
  });
});
