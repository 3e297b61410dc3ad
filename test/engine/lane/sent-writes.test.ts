import { describe, expect, it } from "vitest";
import {
  findOverwrittenEdits,
  sentShortlyBefore,
  supersede,
} from "../../../src/engine/lane/sent-writes.ts";
import { unchanged } from "../../../src/engine/lane/transition.ts";
import type { Content } from "../../../src/model/content.ts";
import type { Attempt, Lane } from "../../../src/model/lane.ts";
import { recordDeleted } from "../../../src/model/tombstone.ts";
import { aKnown, aLane, anAttempt, anEvent, anEventId, at, withEvent } from "../builders.ts";

/** Our write of a title, sent when second `known` was known and answered in second `settled`. */
const write = (
  from: string,
  to: string,
  known: number,
  settled: number | null,
  changes: Partial<Attempt> = {},
) =>
  anAttempt({
    values: { title: to },
    base: { title: from },
    clockAt: at(known),
    ...(settled === null ? {} : { settledAt: at(settled) }),
    ...changes,
  });
const lost = (lastSent: Attempt, known: Content, seen: Content, seconds: number) =>
  findOverwrittenEdits(aLane({ lastSent, known: aKnown(known, 30) }), seen, at(seconds)).map(
    (conflict) => conflict.lost,
  );

describe("a remote edit under our own write", () => {
  const sent = write("A", "L", 10, 12);

  it("is covered where it came before our write landed and the resource does not show it", () => {
    expect(lost(sent, { title: "L" }, { title: "X" }, 11)).toEqual(["X"]);
    expect(lost(sent, { title: "L" }, { title: "X" }, 12)).toEqual(["X"]);
  });

  it("is not covered where the resource still shows it", () => {
    expect(lost(sent, { title: "X" }, { title: "X" }, 12)).toEqual([]);
  });

  it("is not covered where it is an echo of ours, or what was there before", () => {
    expect(lost(sent, { title: "L" }, { title: "L" }, 11)).toEqual([]);
    expect(lost(sent, { title: "L2" }, { title: "L" }, 11)).toEqual([]);
    expect(lost(sent, { title: "L" }, { title: "A" }, 11)).toEqual([]);
  });

  it("is not covered where it was old when we sent: we had seen past it", () => {
    expect(lost(sent, { title: "L" }, { title: "X" }, 9)).toEqual([]);
  });

  it("is covered at an older time only if the clock there stepped back under our write", () => {
    const answeredAt = (settled: number) => write("A", "L", 10, settled);
    expect(lost(answeredAt(9), { title: "L" }, { title: "X" }, 8)).toEqual(["X"]);
    expect(lost(answeredAt(10), { title: "L" }, { title: "X" }, 9)).toEqual([]);
    expect(lost(answeredAt(10), { title: "L" }, { title: "X" }, 10)).toEqual(["X"]);
  });

  it("is not covered where it came after: then somebody else replaced it", () => {
    expect(lost(sent, { title: "Y" }, { title: "X" }, 13)).toEqual([]);
  });

  it("may be covered while our write is under way", () => {
    expect(lost(write("A", "L", 10, null), { title: "A" }, { title: "X" }, 40)).toEqual(["X"]);
  });

  it("is not covered where we sent other fields", () => {
    expect(lost(sent, { title: "L", body: "b" }, { title: "L", body: "X" }, 11)).toEqual([]);
  });

  it("is not covered by a create, which had nothing under it", () => {
    const created = write("A", "L", 10, 12, { kind: "create" });
    expect(lost(created, { title: "L" }, { title: "X" }, 11)).toEqual([]);
  });
});

describe("a remote edit under our own write that gives way to a later event", () => {
  const after = (content: Content | null) => {
    const known = { lastSent: write("A", "L", 10, 12), known: aKnown({ title: "L" }, 30) };
    const older = { content: { title: "X" }, updatedAt: at(11) };
    const { lane, event } = withEvent(aLane(known), 2, older);
    const newer = anEvent(lane, 3, { content, updatedAt: at(12) });
    const [canceled] = supersede(unchanged(lane), event, newer, at(40)).ended;
    return canceled?.conflicts.map((conflict) => conflict.lost);
  };

  it("is named, also where that is to read the resource first", () => {
    expect(after({ title: "L" })).toEqual(["X"]);
    expect(after(null)).toEqual(["X"]);
  });
});

describe("a remote edit that waits while our deletion of its resource is carried out", () => {
  const tombstone = recordDeleted(anEventId(3), at(30));
  const unmerged = { content: { title: "X", body: "text" }, updatedAt: at(20) };
  const ending = (changes: Partial<Lane>, deletes = true) => {
    const { lane, event } = withEvent(aLane({ tombstone, known: null, ...changes }), 2, unmerged);
    const newer = anEvent(lane, 3, { action: deletes ? "delete" : "upsert" });
    return supersede(unchanged(lane), event, newer, at(40)).ended[0]?.conflicts;
  };

  it("is named, with what base has not: whoever made it has deleted nothing", () => {
    expect(ending({})).toEqual([
      { field: "title", winner: "record", kept: null, lost: "X", why: "record_deleted" },
    ]);
  });

  it("is not named where we wrote the same, or the deletion has read it and named it itself", () => {
    expect(ending({ lastSent: write("A", "X", 10, 12) })).toEqual([]);
    const read = { title: "X", body: "other" };
    expect(ending({ known: aKnown(read, 25, tombstone.event) })).toEqual([]);
    expect(ending({ known: aKnown(read, 25, anEventId(4)) })).toHaveLength(1);
  });

  it("is not named where the resource was deleted by somebody else, lives, or was never merged", () => {
    expect(ending({ tombstone: { ...tombstone, record: "present", resource: "deleted" } })).toEqual(
      [],
    );
    expect(ending({ tombstone: null })).toEqual([]);
    expect(ending({}, false)).toEqual([]);
    expect(ending({ base: null })).toEqual([]);
  });
});

describe("a remote edit whose webhook is late by more than one write of ours", () => {
  const first = write("A", "L1", 10, 12);

  it("is covered by the first, where the second replaced that", () => {
    const second = write("L1", "L2", 12, 14, { earlier: [first] });
    expect(lost(second, { title: "L2" }, { title: "X" }, 11)).toEqual(["X"]);
  });

  it("is covered by the first, where the second was of another field", () => {
    const body = { values: { body: "b" }, base: { body: "a" } };
    const second = write("A", "L1", 12, 14, { ...body, earlier: [first] });
    expect(lost(second, { title: "L1", body: "b" }, { title: "X" }, 11)).toEqual(["X"]);
  });

  it("may be a revert to what was there before us, between our writes", () => {
    const second = write("L1", "L2", 12, 14, { earlier: [first] });
    expect(lost(second, { title: "L2" }, { title: "A" }, 11)).toEqual([]);
    expect(lost(second, { title: "L2" }, { title: "A" }, 13)).toEqual(["A"]);
  });
});

describe("a remote edit that says what an earlier write of ours said", () => {
  const first = write("A", "L1", 10, 12);
  const second = write("X", "L2", 14, 18, { earlier: [first] });

  it("is an echo up to the time of that write, and somebody's own after it", () => {
    expect(lost(second, { title: "L2" }, { title: "L1" }, 12)).toEqual([]);
    expect(lost(second, { title: "L2" }, { title: "L1" }, 16)).toEqual(["L1"]);
  });

  it("is somebody's own where that write was never answered, and a later one of ours has settled", () => {
    const unanswered = write("A", "L1", 10, null);
    const settled = write("A", "L2", 12, 14, { earlier: [unanswered] });
    const last = write("L2", "L3", 18, 22, { earlier: [settled, unanswered] });
    expect(lost(last, { title: "L3" }, { title: "L1" }, 12)).toEqual([]);
    expect(lost(last, { title: "L3" }, { title: "L1" }, 20)).toEqual(["L1"]);
  });
});

describe("a remote edit made after a look that did not find our write", () => {
  // The look settled the write and, as it may land late, kept it among those without an answer.
  const late = write("A", "L", 10, null);
  const covering = (known: Content, seen: Content) =>
    findOverwrittenEdits(
      aLane({
        lastSent: { ...late, settledAt: at(20) },
        unanswered: [late],
        known: aKnown(known, 30),
      }),
      seen,
      at(25),
    ).map((conflict) => conflict.lost);

  it("is covered where the resource shows our value: it has landed at last", () => {
    expect(covering({ title: "L" }, { title: "X" })).toEqual(["X"]);
  });

  it("is not covered where the resource shows another: a person has replaced it", () => {
    expect(covering({ title: "Y" }, { title: "X" })).toEqual([]);
  });
});

describe("the memory of our writes", () => {
  it("is the last few of the last ten minutes", () => {
    const earlier = [1, 2, 3, 4, 5].map((number) => write("A", `L${number}`, number, number));
    const lane = aLane({ lastSent: write("A", "L", 10, 12, { earlier }) });
    expect(sentShortlyBefore(lane, at(25)).map(({ values }) => values.title)).toEqual([
      "L",
      "L1",
      "L2",
    ]);
    expect(sentShortlyBefore(lane, at(700))).toEqual([]);
    expect(sentShortlyBefore(aLane(), at(25))).toEqual([]);
  });
});
