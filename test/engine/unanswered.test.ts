import { describe, expect, it } from "vitest";
import { admit } from "../../src/engine/admission/admit.ts";
import { replacedAfterEnd } from "../../src/engine/lane/sent-writes.ts";
import { concludeMerge, planMerge, type ObservedState } from "../../src/engine/merge/merge.ts";
import type { Content } from "../../src/model/content.ts";
import { SECOND } from "../../src/model/instant.ts";
import type { Lane } from "../../src/model/lane.ts";
import { recordDeleted } from "../../src/model/tombstone.ts";
import {
  aContext,
  aKnown,
  aLane,
  anArrival,
  anAttempt,
  anEventId,
  at,
  withEvent,
} from "./builders.ts";

/** Sent in second 20, so it lands by second 620 or never. */
const written = anAttempt({ values: { title: "L" }, sentAt: at(20) });
const lane = aLane({ unanswered: [written] });
const record = { title: "A", body: "text" };
const late = { title: "L", body: "text" };
/** The provider's clock is seven seconds ahead of ours. */
const ahead = (seconds: number) => aContext({ now: at(seconds), clockOffset: 7 * SECOND });
const observed = (from: ObservedState["from"], seconds: number, content = late): ObservedState => ({
  content,
  copy: content,
  at: at(seconds),
  from,
});

describe("a value that was never answered", () => {
  it.each([
    ["our own late write where it was there within ten minutes", 627, {}, "late_write"],
    ["perhaps theirs after that, and named", 628, { title: "L" }, "perhaps_late_write"],
  ] as const)("is %s, however late it is seen", (_what, seen, toRecord, why) => {
    for (const from of ["payload", "reread"] as const) {
      const merged = planMerge(lane, observed(from, seen), record, ahead(9_000));
      expect(merged.toRecord).toEqual(toRecord);
      expect(merged.conflicts).toMatchObject([{ field: "title", why }]);
    }
  });

  it("may still land while any of several unanswered requests may: the last of them decides", () => {
    const younger = anAttempt({ event: anEventId(8), values: { body: "L2" }, sentAt: at(100) });
    const two = { ...lane, unanswered: [written, younger] };
    // By second 627 the first has landed or never will; the second has until second 707.
    for (const [seen, why] of [
      [700, "late_write"],
      [708, "perhaps_late_write"],
    ] as const) {
      const merged = planMerge(two, observed("reread", seen), record, ahead(9_000));
      expect(merged.conflicts).toMatchObject([{ field: "title", why }]);
    }
  });

  it("is no conflict where the record says the same, whoever wrote it", () => {
    for (const seen of [627, 628]) {
      const merged = planMerge(lane, observed("reread", seen), late, ahead(9_000));
      expect(merged.conflicts).toEqual([]);
    }
  });
});

describe("a write that was never answered", () => {
  const left = (from: "payload" | "reread", seen: number, now: number) => {
    const held = withEvent(lane, 2, { state: "processing" });
    const seenNow = observed(from, seen, record);
    const context = ahead(now);
    const merged = planMerge(held.lane, seenNow, record, context);
    const start = { lane: held.lane, ended: [] };
    return concludeMerge(start, held.event, seenNow, merged, { id: "7", content: record }, context)
      .lane.unanswered;
  };

  it.each([
    ["a read while it may land yet", "reread", 627, 620],
    ["a payload of that time, however late it comes", "payload", 627, 9_000],
  ] as const)("is remembered after %s", (_what, from, seen, now) => {
    expect(left(from, seen, now)).toEqual([written]);
  });

  it.each([
    ["a read after that, which shows what has become of it", "reread", 10, 621],
    ["a payload that is later", "payload", 628, 622],
  ] as const)("is forgotten by %s", (_what, from, seen, now) => {
    expect(left(from, seen, now)).toEqual([]);
  });
});

describe("a created resource for which an older create says something else", () => {
  const older = anAttempt({ event: anEventId(3), kind: "create", values: { title: "A" } });
  const attempt = anAttempt({ kind: "create", values: { title: "L" } });
  const found = aLane({ base: null, copy: null, known: null, attempt, lastSent: attempt });
  const theirs = { title: "B", body: "text" };
  const merged = (unanswered: readonly (typeof older)[]) =>
    planMerge({ ...found, unanswered }, observed("reread", 30, theirs), late, ahead(60)).conflicts;

  it("may be what that made: who wrote over it has not seen what was sent since, which is named", () => {
    expect(merged([older])).toMatchObject([
      { field: "title", winner: "resource", kept: "B", lost: "L", why: "both_changed" },
    ]);
  });

  it("is as we sent it where none does", () => {
    expect(merged([])).toEqual([]);
    expect(merged([{ ...older, values: { title: "L" } }])).toEqual([]);
    // An older one that said nothing of the title has made none.
    expect(merged([{ ...older, values: { body: "text" } }])).toEqual([]);
  });
});

describe("a deleted record's resource", () => {
  const labels = (...names: string[]) => ({ title: "A", labels: names });
  const ended = aLane({
    tombstone: recordDeleted(anEventId(9), at(50)),
    known: aKnown(labels("ours", "theirs"), 10),
    unanswered: [anAttempt({ values: { labels: ["ours"] }, sentAt: at(20) })],
  });
  const lost = (lane: Lane, shown: Content, seconds = 60) =>
    replacedAfterEnd(lane, shown, at(seconds)).map((conflict) => conflict.lost);

  it("may show a late write of ours: what that took off or wrote over is named", () => {
    expect(replacedAfterEnd(ended, labels("ours"), at(60))).toEqual([
      {
        field: "labels",
        winner: "record",
        kept: ["ours"],
        lost: ["ours", "theirs"],
        why: "perhaps_late_write",
      },
    ]);
    expect(lost({ ...ended, unanswered: [written] }, late)).toEqual(["A"]);
    expect(lost({ ...ended, unanswered: [], attempt: written }, late)).toEqual(["A"]);
  });

  it("names nothing else: what others did, what is older than known, what we closed", () => {
    expect(lost(ended, labels("theirs"))).toEqual([]);
    expect(lost(ended, labels("ours"), 9)).toEqual([]);
    expect(lost({ ...ended, tombstone: null }, labels("ours"))).toEqual([]);
    const state = { values: { state: "closed" } };
    const open = { ...ended, known: aKnown({ state: "open" }, 10), unanswered: [anAttempt(state)] };
    expect(lost(open, { state: "closed" })).toEqual(["open"]);
    expect(
      lost({ ...open, lastSent: anAttempt({ ...state, kind: "close" }) }, { state: "closed" }),
    ).toEqual([]);
  });

  it.each(["poll", "webhook"] as const)("is named once, by a %s", (source) => {
    const first = admit(ended, anArrival(labels("ours"), 60, { source }), aContext());
    expect(first.event).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      conflicts: [{ lost: ["ours", "theirs"], why: "perhaps_late_write" }],
    });
    const again = admit(first.lane, anArrival(labels("ours"), 60, { source }), aContext());
    expect(again.event?.conflicts ?? []).toEqual([]);
  });
});
