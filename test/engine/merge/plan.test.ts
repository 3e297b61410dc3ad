import { describe, expect, it } from "vitest";
import { NOTHING_SENT, plan, type PlanInput } from "../../../src/engine/merge/plan.ts";
import { SECOND } from "../../../src/model/instant.ts";
import { ada, aPlanInput, at, line, set } from "../builders.ts";

const planned = (changes: Partial<PlanInput>) => plan(aPlanInput(changes));
const title = (value: string) => ({ title: value });
const bothChanged = { record: title("L"), resource: title("R") };

describe("policy field", () => {
  it("has nothing to do where neither side changed", () => {
    expect(planned({})).toEqual({
      toRecord: {},
      toResource: {},
      base: title("A"),
      conflicts: [],
      outcome: "agreed",
    });
  });

  it("takes the resource's change where only the resource changed", () => {
    expect(planned({ resource: title("R") })).toMatchObject({
      toRecord: title("R"),
      toResource: {},
      base: title("R"),
      outcome: "updated",
    });
  });

  it("sends the record's change where only the record changed", () => {
    expect(planned({ record: title("L") })).toMatchObject({
      toRecord: {},
      toResource: title("L"),
      base: title("A"),
      outcome: "agreed",
    });
  });

  it("agrees where both changed to the same", () => {
    expect(planned({ record: title("R"), resource: title("R") })).toMatchObject({
      toRecord: {},
      toResource: {},
      base: title("R"),
      conflicts: [],
      outcome: "agreed",
    });
  });

  it("keeps both edits where title and body were changed on different sides", () => {
    const merged = planned({
      fields: [line("title"), line("body")],
      base: { title: "A", body: "a" },
      record: { title: "L", body: "a" },
      resource: { title: "A", body: "r" },
    });
    expect(merged).toMatchObject({
      toRecord: { body: "r" },
      toResource: { title: "L" },
      conflicts: [],
      outcome: "updated",
    });
  });

  it("lets the later side win a field and keeps the loser", () => {
    const merged = planned({ ...bothChanged, recordChangedAt: { title: at(12) } });
    expect(merged).toEqual({
      toRecord: {},
      toResource: title("L"),
      base: title("R"),
      conflicts: [{ field: "title", winner: "record", kept: "L", lost: "R", why: "both_changed" }],
      outcome: "lost",
    });
  });

  it("gives the resource a field whose record's change is not later", () => {
    const merged = planned({ ...bothChanged, recordChangedAt: { title: at(9) } });
    expect(merged).toMatchObject({
      toRecord: title("R"),
      toResource: {},
      conflicts: [{ winner: "resource", kept: "R", lost: "L" }],
      outcome: "updated",
    });
  });

  it.each([
    ["ties go to the resource: half a second is cut to the provider's second", at(10.9), 0],
    ["a change whose time nobody saw is not later", undefined, 0],
    ["a clock of ours that runs 30 s ahead is corrected", at(35), -30 * SECOND],
  ])("%s", (_why, changedAt, clockOffset) => {
    const recordChangedAt = changedAt === undefined ? {} : { title: changedAt };
    expect(planned({ ...bothChanged, recordChangedAt, clockOffset }).outcome).toBe("updated");
  });

  it("corrects a clock of ours that runs 30 s behind", () => {
    const late = { recordChangedAt: { title: at(-15) }, clockOffset: 30 * SECOND };
    expect(planned({ ...bothChanged, ...late }).outcome).toBe("lost");
  });

  it("touches nothing of a field that was not seen", () => {
    const merged = planned({ record: title("L"), resource: {} });
    expect(merged).toMatchObject({ toRecord: {}, toResource: title("L"), base: title("A") });
  });

  it("leaves the record alone where it differs from a resource that did not change", () => {
    expect(planned({ record: title("L") }).toRecord).toEqual({});
  });

  it("takes every field where there is no record yet", () => {
    const merged = planned({ base: null, record: null, resource: title("R") });
    expect(merged).toMatchObject({ toRecord: title("R"), toResource: {}, outcome: "created" });
  });
});

describe("policies resource-wins and record-wins", () => {
  it("let that side win whatever the times say", () => {
    const late = { ...bothChanged, recordChangedAt: { title: at(99) } };
    expect(planned({ ...late, conflict: "resource-wins" }).toRecord).toEqual(title("R"));
    const early = { ...bothChanged, recordChangedAt: { title: at(1) } };
    expect(planned({ ...early, conflict: "record-wins" }).toResource).toEqual(title("L"));
  });

  it("have no say where only one side changed", () => {
    const theirs = planned({ resource: title("R"), conflict: "record-wins" });
    expect(theirs.toRecord).toEqual(title("R"));
    const ours = planned({ record: title("L"), conflict: "resource-wins" });
    expect(ours.toResource).toEqual(title("L"));
  });
});

describe("policy record", () => {
  const two = {
    fields: [line("title"), line("body")],
    base: { title: "A", body: "a" },
    conflict: "record",
  } as const;

  it("always takes the event where the record has no unsent changes, whatever the times", () => {
    const merged = planned({
      ...two,
      record: { title: "A", body: "a" },
      resource: { title: "R", body: "a" },
      recordChangedAt: { title: at(99) },
    });
    expect(merged).toMatchObject({
      toRecord: { title: "R" },
      conflicts: [{ field: "title", kept: "R", lost: "A", why: "agreed_before" }],
      outcome: "updated",
    });
  });

  it("ignores the event whole for a record that is newer, but base takes the resource", () => {
    const merged = planned({
      ...two,
      record: { title: "L", body: "a" },
      resource: { title: "A", body: "r" },
      recordChangedAt: { title: at(12) },
    });
    expect(merged).toMatchObject({
      toRecord: {},
      base: { title: "A", body: "r" },
      conflicts: [
        { field: "body", winner: "record", kept: "a", lost: "r", why: "record_is_newer" },
      ],
      outcome: "lost",
    });
  });

  it("sends every mapped field, so that the record is what the resource becomes", () => {
    const merged = planned({
      ...two,
      record: { title: "L", body: "a" },
      resource: { title: "A", body: "r" },
      recordChangedAt: { title: at(12) },
    });
    expect(merged.toResource).toEqual({ title: "L", body: "a" });
  });

  it("overwrites a record that is not newer, and keeps its unsent edit in conflicts", () => {
    const merged = planned({
      ...two,
      record: { title: "L", body: "a" },
      resource: { title: "A", body: "r" },
      recordChangedAt: { title: at(9) },
    });
    expect(merged).toMatchObject({
      toRecord: { title: "A", body: "r" },
      toResource: {},
      conflicts: [{ field: "title", winner: "resource", kept: "A", lost: "L" }],
    });
  });

  it("gives up no unsent edit for news of a field that only flows in", () => {
    const merged = planned({
      fields: [line("title"), { name: "number", kind: "value", writable: false }],
      base: { title: "A", number: 1 },
      record: { title: "L", number: 1 },
      resource: { title: "A", number: 2 },
      conflict: "record",
    });
    expect(merged).toMatchObject({
      toRecord: { number: 2 },
      toResource: { title: "L" },
      conflicts: [],
    });
  });

  it("remembers a late write of ours beside a newer record", () => {
    const merged = planned({
      ...two,
      record: { title: "L", body: "a" },
      resource: { title: "R", body: "late" },
      recordChangedAt: { title: at(12) },
      sent: { ...NOTHING_SENT, unanswered: [{ body: "late" }] },
    });
    expect(merged.conflicts).toMatchObject([
      { field: "title", lost: "R", why: "record_is_newer" },
      { field: "body", lost: "late", why: "late_write" },
    ]);
  });

  it("names a late write of our own also where the resource wins whole", () => {
    const merged = planned({
      ...two,
      record: { title: "L", body: "a" },
      resource: { title: "R", body: "late" },
      recordChangedAt: { title: at(5) },
      sent: { ...NOTHING_SENT, unanswered: [{ body: "late" }] },
    });
    expect(merged.conflicts).toMatchObject([
      { field: "title", lost: "L", why: "both_changed" },
      { field: "body", kept: "a", lost: "late", why: "late_write" },
    ]);
  });

  it("leaves unsent edits alone where the resource brings no news", () => {
    const merged = planned({
      ...two,
      record: { title: "L", body: "a" },
      resource: { title: "A", body: "a" },
    });
    expect(merged).toMatchObject({ toRecord: {}, conflicts: [], outcome: "agreed" });
  });
});

describe("sets", () => {
  const labels = (...names: string[]) => ({ labels: names });
  const sets = { fields: [set("labels")], base: labels("a", "b") };

  it("merge by what each side added and removed", () => {
    const merged = planned({ ...sets, record: labels("a", "b", "l"), resource: labels("b") });
    expect(merged).toMatchObject({
      toRecord: labels("b", "l"),
      toResource: labels("b", "l"),
      base: labels("b"),
      conflicts: [],
    });
  });

  it("do not bring back what was taken from both sides", () => {
    const merged = planned({ ...sets, record: labels("a"), resource: labels("a") });
    expect(merged).toMatchObject({ toRecord: {}, toResource: {} });
  });

  it("do not take an element for theirs that we sent with an unknown outcome", () => {
    const sent = { ...NOTHING_SENT, unknown: labels("a", "b", "l") };
    const landedAndMore = planned({
      ...sets,
      record: labels("a", "b"),
      resource: labels("a", "b", "l", "r"),
      sent,
    });
    expect(landedAndMore).toMatchObject({
      toRecord: labels("a", "b", "r"),
      toResource: labels("a", "b", "r"),
    });
  });

  it("do not take a removal for theirs that we sent with an unknown outcome", () => {
    const sent = { ...NOTHING_SENT, unknown: labels("a") };
    const merged = planned({ ...sets, record: labels("a", "b"), resource: labels("a", "r"), sent });
    expect(merged).toMatchObject({ toRecord: labels("a", "b", "r") });
  });

  it("take nothing for theirs that a write without an answer may have done since, and name it", () => {
    const sent = { ...NOTHING_SENT, unanswered: [labels("a", "l")] };
    // Added by us and taken off again here, as "b" was taken off and added again; and "r" is theirs.
    const merged = planned({
      ...sets,
      record: labels("a", "b"),
      resource: labels("a", "l", "r"),
      sent,
    });
    expect(merged).toMatchObject({
      toRecord: labels("a", "b", "r"),
      toResource: labels("a", "b", "r"),
      outcome: "updated",
      conflicts: [
        {
          field: "labels",
          winner: "record",
          kept: ["a", "b", "r"],
          lost: ["a", "l", "r"],
          why: "late_write",
        },
      ],
    });
  });

  it("follow what was changed when that could land no more, and name what may be lost by it", () => {
    const sent = { ...NOTHING_SENT, unanswered: [labels("a")], changedSince: true };
    const merged = planned({
      ...sets,
      record: labels("a", "b", "l"),
      resource: labels("a", "r"),
      sent,
    });
    expect(merged).toMatchObject({
      toRecord: labels("a", "l", "r"),
      toResource: labels("a", "l", "r"),
      base: labels("a", "r"),
      outcome: "updated",
      conflicts: [
        {
          field: "labels",
          winner: "resource",
          kept: ["a", "l", "r"],
          lost: ["a", "b", "l", "r"],
          why: "perhaps_late_write",
        },
      ],
    });
  });

  it("name nothing where a write without an answer makes no difference", () => {
    const sent = { ...NOTHING_SENT, unanswered: [labels("a", "b", "l")] };
    const merged = planned({
      ...sets,
      record: labels("a", "b", "l"),
      resource: labels("a", "b", "l", "r"),
      sent,
    });
    expect(merged).toMatchObject({ toRecord: labels("a", "b", "l", "r"), conflicts: [] });
  });
});

describe("a field that only flows in", () => {
  const readOnly = { name: "number", kind: "value", writable: false } as const;
  const number = (value: number | null) => ({ number: value });
  const inward = { fields: [readOnly], base: number(1), record: number(1) };

  it("is never sent and never counts as changed here", () => {
    const merged = planned({ ...inward, record: number(5), resource: number(1) });
    expect(merged).toMatchObject({ toRecord: {}, toResource: {}, conflicts: [] });
  });

  it("flows in where it changed, whatever the record says", () => {
    const merged = planned({ ...inward, record: number(5), resource: number(2) });
    expect(merged).toMatchObject({ toRecord: number(2), conflicts: [], outcome: "updated" });
  });

  it("is not touched by the policy record", () => {
    const merged = planned({ ...inward, resource: number(2), conflict: "record" });
    expect(merged).toMatchObject({ toRecord: number(2), toResource: {} });
  });

  it("flows in at the first pairing, where the resource is trusted", () => {
    const first = { ...inward, base: null, record: number(null), resource: number(7) };
    expect(planned({ ...first, initial: "resource" }).toRecord).toEqual(number(7));
    expect(planned({ ...first, initial: "newer" }).toRecord).toEqual(number(7));
    expect(planned({ ...first, initial: "record" }).toRecord).toEqual({});
  });

  it("flows in from the answer to our create", () => {
    const merged = planned({
      ...inward,
      base: null,
      record: number(null),
      resource: number(7),
      sent: { ...NOTHING_SENT, answered: title("A") },
    });
    expect(merged.toRecord).toEqual(number(7));
  });

  it("does not make our create's author the record's owner: that is us", () => {
    const merged = planned({
      fields: [{ name: "author", kind: "actor", writable: false }],
      base: null,
      record: {},
      resource: { author: { ...ada } },
      sent: { ...NOTHING_SENT, answered: title("A") },
    });
    expect(merged).toMatchObject({ toRecord: {}, base: { author: { ...ada } } });
  });
});
