/** The planner where there is no base yet, and where it meets values that we sent ourselves. */
import { describe, expect, it } from "vitest";
import {
  NOTHING_SENT,
  plan,
  type PlannedField,
  type PlanInput,
  unsent,
} from "../../src/engine/merge/plan.ts";
import { aPlanInput, at, line } from "./builders.ts";

const planned = (changes: Partial<PlanInput>) => plan(aPlanInput(changes));
const ada = { id: "1", login: "ada" };
const title = (value: string) => ({ title: value });

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

  it("does not make ours the author of what was deleted and taken back before we saw our create", () => {
    const author: PlannedField = { name: "author", kind: "actor", writable: false };
    const grace = { id: "2", login: "grace" };
    const first = { fields: [author], base: null, identity: ada, initial: "newer" } as const;
    const ours = { ...first, record: { author: null }, resource: { author: { ...ada } } };
    expect(planned(ours)).toMatchObject({ toRecord: {}, base: { author: { ...ada } } });
    expect(planned({ ...ours, record: { author: grace } })).toMatchObject({
      ...{ toRecord: {}, conflicts: [] },
    });
    // Another person's text keeps its author.
    const theirs = { ...first, record: { author: null }, resource: { author: grace } };
    expect(planned(theirs).toRecord).toEqual({ author: grace });
  });
});

describe("our own values coming back", () => {
  it("settle an answer: base takes it and the record keeps what it has by now", () => {
    const merged = planned({
      record: title("L2"),
      resource: title("L1"),
      sent: { ...NOTHING_SENT, answered: title("L1") },
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
      sent: { ...NOTHING_SENT, answered: title("L") },
    });
    expect(merged).toMatchObject({ toRecord: { body: "r" }, toResource: {} });
  });

  it("say so where the provider made something else of our value", () => {
    const merged = planned({
      record: title("L"),
      resource: title("l"),
      sent: { ...NOTHING_SENT, answered: title("L") },
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
      sent: { ...NOTHING_SENT, unknown: title("L") },
    });
    expect(merged).toMatchObject({ toRecord: {}, toResource: title("A"), base: title("L") });
  });

  it("count as changed here while the outcome is unknown: reverting is an edit too", () => {
    const merged = planned({
      record: title("A"),
      resource: title("R"),
      sent: { ...NOTHING_SENT, unknown: title("L") },
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
      sent: { ...NOTHING_SENT, unanswered: [title("L1")] },
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
      sent: { ...NOTHING_SENT, unanswered: [title("L1")] },
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
    const merged = planned({ ...created, sent: { ...NOTHING_SENT, answered: title("L") } });
    expect(merged).toMatchObject({
      toRecord: {},
      toResource: { state: "closed" },
      base: { title: "L", state: "open" },
      conflicts: [],
    });
  });

  it("does likewise when it is found after its answer was lost", () => {
    const merged = planned({ ...created, sent: { ...NOTHING_SENT, unknown: title("L") } });
    expect(merged).toMatchObject({ toRecord: {}, toResource: { state: "closed" }, conflicts: [] });
  });

  describe("and of which is known what it makes of them", () => {
    const state = { ...line("state"), createdAs: "open" };
    const known = {
      ...created,
      fields: [line("title"), state],
      sent: { ...NOTHING_SENT, unknown: title("L") },
    };

    it("leaves them with the record while the resource says that still", () => {
      expect(planned(known)).toMatchObject({ toRecord: {}, toResource: { state: "closed" } });
    });

    it("takes what somebody has changed in them before it was found", () => {
      const open = { title: "L", state: "open" };
      const merged = planned({ ...known, record: open, resource: { title: "L", state: "closed" } });
      expect(merged).toMatchObject({ toRecord: { state: "closed" }, toResource: {} });
    });
  });

  it("takes an edit made to it before it was found", () => {
    const merged = planned({
      ...created,
      resource: { title: "R", state: "open" },
      sent: { ...NOTHING_SENT, unknown: title("L") },
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
