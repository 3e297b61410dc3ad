import { describe, expect, it } from "vitest";
import { plan, type PlanInput, unsent } from "../../src/engine/plan.ts";
import { SECOND } from "../../src/model/instant.ts";
import { ada, aPlanInput, at, line, set } from "./builders.ts";

const planned = (changes: Partial<PlanInput>) => plan(aPlanInput(changes));
const title = (value: string) => ({ title: value });
const bothChanged = { record: title("L"), resource: title("R") };
const noneSent = { answered: null, unknown: null, unanswered: [] };

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
    expect(merged).toMatchObject({ toRecord: { title: "R" }, conflicts: [], outcome: "updated" });
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
    const sent = { ...noneSent, unknown: labels("a", "b", "l") };
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
    const sent = { ...noneSent, unknown: labels("a") };
    const merged = planned({ ...sets, record: labels("a", "b"), resource: labels("a", "r"), sent });
    expect(merged).toMatchObject({ toRecord: labels("a", "b", "r") });
  });
});

describe("what only flows in", () => {
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
      sent: { ...noneSent, answered: title("A") },
    });
    expect(merged.toRecord).toEqual(number(7));
  });

  it("does not make our create's author the record's owner: that is us", () => {
    const merged = planned({
      fields: [{ name: "author", kind: "actor", writable: false }],
      base: null,
      record: {},
      resource: { author: { ...ada } },
      sent: { ...noneSent, answered: title("A") },
    });
    expect(merged).toMatchObject({ toRecord: {}, base: { author: { ...ada } } });
  });
});

describe("the first pairing of two things that exist", () => {
  const first = { base: null, record: title("L"), resource: title("R") } as const;

  it.each([
    ["resource", at(99), { toRecord: title("R"), toResource: {} }],
    ["record", at(1), { toRecord: {}, toResource: title("L") }],
    ["newer", at(12), { toRecord: {}, toResource: title("L") }],
    ["newer", at(9), { toRecord: title("R"), toResource: {} }],
  ] as const)("initial %s decides", (initial, changedAt, expected) => {
    const merged = planned({ ...first, initial, recordChangedAt: { title: changedAt } });
    expect(merged).toMatchObject(expected);
    expect(merged.conflicts).toMatchObject([{ why: "initial_pairing" }]);
  });

  it("is no conflict where both say the same", () => {
    expect(planned({ ...first, resource: title("L") }).conflicts).toEqual([]);
  });

  it("plans a newly mapped field by the same rule", () => {
    const merged = planned({ base: {}, record: title("L"), resource: title("R") });
    expect(merged).toMatchObject({ toRecord: title("R"), base: title("R") });
  });
});

describe("our own values coming back", () => {
  it("settle an answer: base takes it and the record keeps what it has by now", () => {
    const merged = planned({
      record: title("L2"),
      resource: title("L1"),
      sent: { ...noneSent, answered: title("L1") },
    });
    expect(merged).toMatchObject({
      toRecord: {},
      toResource: title("L2"),
      base: title("L1"),
      conflicts: [],
    });
  });

  it("merge what the answer carries that we did not send", () => {
    const merged = planned({
      fields: [line("title"), line("body")],
      base: { title: "A", body: "a" },
      record: { title: "L", body: "a" },
      resource: { title: "L", body: "r" },
      sent: { ...noneSent, answered: title("L") },
    });
    expect(merged).toMatchObject({ toRecord: { body: "r" }, toResource: {} });
  });

  it("say so where the provider made something else of our value", () => {
    const merged = planned({
      record: title("L"),
      resource: title("l"),
      sent: { ...noneSent, answered: title("L") },
    });
    expect(merged).toMatchObject({
      toRecord: title("l"),
      conflicts: [{ winner: "resource", lost: "L", why: "provider_changed_our_value" }],
    });
  });

  it("settle an unknown outcome where the resource shows them: no edit of theirs", () => {
    const merged = planned({
      record: title("A"),
      resource: title("L"),
      sent: { ...noneSent, unknown: title("L") },
    });
    expect(merged).toMatchObject({ toRecord: {}, toResource: title("A"), base: title("L") });
  });

  it("count as changed here while the outcome is unknown: reverting is an edit too", () => {
    const merged = planned({
      record: title("A"),
      resource: title("R"),
      sent: { ...noneSent, unknown: title("L") },
      recordChangedAt: { title: at(12) },
    });
    expect(merged.conflicts).toMatchObject([{ kept: "A", lost: "R" }]);
    expect(merged.toResource).toEqual(title("A"));
  });

  it("are a late write where a dead worker's request lands after its successor's", () => {
    const merged = planned({
      base: title("L2"),
      record: title("L2"),
      resource: title("L1"),
      sent: { ...noneSent, unanswered: [title("L1")] },
    });
    expect(merged).toMatchObject({
      toRecord: {},
      toResource: title("L2"),
      base: title("L1"),
      conflicts: [{ winner: "record", kept: "L2", lost: "L1", why: "late_write" }],
    });
  });

  it("are no late write where the record says the same", () => {
    const merged = planned({
      record: title("L1"),
      resource: title("L1"),
      sent: { ...noneSent, unanswered: [title("L1")] },
    });
    expect(merged).toMatchObject({ toRecord: {}, toResource: {}, conflicts: [] });
  });
});

describe("a create with fields that a create cannot carry", () => {
  const created = {
    fields: [line("title"), line("state")],
    base: null,
    record: { title: "L", state: "closed" },
    resource: { title: "L", state: "open" },
  };

  it("leaves them with the record, to be sent next, when it is answered", () => {
    const merged = planned({ ...created, sent: { ...noneSent, answered: title("L") } });
    expect(merged).toMatchObject({
      toRecord: {},
      toResource: { state: "closed" },
      base: { title: "L", state: "open" },
      conflicts: [],
    });
  });

  it("does likewise when it is found after its answer was lost", () => {
    const merged = planned({ ...created, sent: { ...noneSent, unknown: title("L") } });
    expect(merged).toMatchObject({ toRecord: {}, toResource: { state: "closed" }, conflicts: [] });
  });

  it("takes an edit made to it before it was found", () => {
    const merged = planned({
      ...created,
      resource: { title: "R", state: "open" },
      sent: { ...noneSent, unknown: title("L") },
    });
    expect(merged.toRecord).toEqual({ title: "R" });
  });
});

describe("what is unsent", () => {
  it("is what the record has that base has not", () => {
    expect(unsent(aPlanInput({ record: title("L") }))).toEqual(title("L"));
    expect(unsent(aPlanInput({}))).toEqual({});
  });
});
