import { describe, expect, it } from "vitest";
import { coveredByOurWrite, sentShortlyBefore } from "../../src/engine/covered.ts";
import type { Content } from "../../src/model/content.ts";
import type { Attempt } from "../../src/model/lane.ts";
import { aKnown, aLane, anAttempt, at } from "./builders.ts";

const write = (from: string, to: string, clock: number, changes: Partial<Attempt> = {}) =>
  anAttempt({ values: { title: to }, base: { title: from }, clockAt: at(clock), ...changes });
const lost = (lastSent: Attempt, known: Content, seen: Content, seconds: number) =>
  coveredByOurWrite(aLane({ lastSent, known: aKnown(known, 30) }), seen, at(seconds)).map(
    (conflict) => conflict.lost,
  );

describe("a remote edit under our own write", () => {
  const sent = write("A", "L", 10);

  it("is covered where the resource shows our value and the event another", () => {
    expect(lost(sent, { title: "L" }, { title: "X" }, 11)).toEqual(["X"]);
  });

  it("is not covered where the resource shows a later edit of theirs", () => {
    expect(lost(sent, { title: "Y" }, { title: "X" }, 11)).toEqual([]);
  });

  it("is not covered where it was old when we sent: we had seen past it", () => {
    expect(lost(sent, { title: "L" }, { title: "X" }, 9)).toEqual([]);
  });

  it("is not covered where we sent other fields", () => {
    expect(lost(sent, { title: "L", body: "b" }, { title: "L", body: "X" }, 11)).toEqual([]);
  });

  it("is not covered by a create, which had nothing under it", () => {
    const created = write("A", "L", 10, { kind: "create" });
    expect(lost(created, { title: "L" }, { title: "X" }, 11)).toEqual([]);
  });
});

describe("a remote edit whose webhook is late by more than one write of ours", () => {
  const first = write("A", "L1", 10);

  it("is covered by the first, where the second built on that", () => {
    const second = write("L1", "L2", 12, { earlier: [first] });
    expect(lost(second, { title: "L2" }, { title: "X" }, 11)).toEqual(["X"]);
    expect(lost(second, { title: "L1" }, { title: "X" }, 11)).toEqual(["X"]);
  });

  it("is covered by the first, where the second was of another field", () => {
    const second = write("A", "L1", 12, {
      values: { body: "b" },
      base: { body: "a" },
      earlier: [first],
    });
    expect(lost(second, { title: "L1", body: "b" }, { title: "X" }, 11)).toEqual(["X"]);
  });

  it("is no echo of ours, late by as much, and not what was there before us", () => {
    const second = write("L1", "L2", 12, { earlier: [first] });
    expect(lost(second, { title: "L2" }, { title: "L1" }, 11)).toEqual([]);
    expect(lost(second, { title: "L2" }, { title: "A" }, 11)).toEqual([]);
  });

  it("may be a revert to what was there before us, between our writes", () => {
    const second = write("L1", "L2", 12, { earlier: [first] });
    expect(lost(second, { title: "L2" }, { title: "A" }, 12)).toEqual(["A"]);
  });

  it("is not covered where an edit of theirs came between our writes: that replaced it", () => {
    const second = write("Y", "L2", 12, { earlier: [first] });
    expect(lost(second, { title: "L2" }, { title: "X" }, 11)).toEqual([]);
  });
});

describe("what is remembered of our writes", () => {
  it("is the last few of the last ten minutes", () => {
    const earlier = [1, 2, 3, 4, 5].map((number) => write("A", `L${number}`, number));
    const lane = aLane({ lastSent: write("A", "L", 10, { earlier }) });
    expect(sentShortlyBefore(lane, at(25)).map(({ values }) => values.title)).toEqual([
      "L",
      "L1",
      "L2",
    ]);
    expect(sentShortlyBefore(lane, at(700))).toEqual([]);
    expect(sentShortlyBefore(aLane(), at(25))).toEqual([]);
  });
});
