/** The laws that `plan` keeps for any input, each by its name. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  NOTHING_SENT,
  plan,
  type PlanInput,
  type PlannedField,
} from "../../src/engine/merge/plan.ts";
import { type Content, type Json, sameValue } from "../../src/model/content.ts";
import { aPlanInput, at, line, set } from "./builders.ts";

const texts: readonly PlannedField[] = [line("a"), line("b")];
const sets: readonly PlannedField[] = [set("s")];
const inward: readonly PlannedField[] = [{ name: "u", kind: "value", writable: false }];
const all = [...texts, ...sets, ...inward];

const text = fc.constantFrom("0", "1", "2");
const items = fc.subarray(["x", "y", "z"]);
const content: fc.Arbitrary<Content> = fc.record({ a: text, b: text, s: items, u: text });
const seenContent: fc.Arbitrary<Content> = fc.oneof(
  content,
  fc.record({ a: text, b: text, s: items, u: text }, { requiredKeys: [] }),
);
const rules = fc.record({
  conflict: fc.constantFrom("field", "record", "resource-wins", "record-wins"),
  initial: fc.constantFrom("resource", "record", "newer"),
  recordChangedAt: fc.record(
    { a: fc.constantFrom(at(5), at(15)), b: fc.constantFrom(at(5), at(15)) },
    { requiredKeys: [] },
  ),
} as const);
const writes = fc.record({ a: text, b: text }, { requiredKeys: [] });
const sent = fc.record({
  answered: fc.constant(null),
  unknown: fc.option(writes),
  unanswered: fc.array(writes, { maxLength: 2 }),
  changedSince: fc.boolean(),
  parts: fc.constant({}),
  left: fc.constant({}),
});

const input: fc.Arbitrary<PlanInput> = fc
  .tuple(content, content, seenContent, rules)
  .map(([base, record, resource, given]) =>
    aPlanInput({ fields: all, base, record, resource, ...given }),
  );
const inputAfterWrites = fc
  .tuple(input, sent)
  .map(([given, values]): PlanInput => ({ ...given, sent: values }));

const applied = ({ record }: PlanInput, toRecord: Content): Content => ({ ...record, ...toRecord });
const value = (of: Content | null, { name }: PlannedField): Json | undefined => of?.[name];

describe("plan", () => {
  it("law: nothing changed on either side, nothing to do", () => {
    fc.assert(
      fc.property(content, rules, (same, given) => {
        const input = { fields: all, base: same, record: same, resource: same, ...given };
        expect(plan(aPlanInput(input))).toEqual({
          toRecord: {},
          toResource: {},
          base: same,
          conflicts: [],
          outcome: "agreed",
        });
      }),
    );
  });

  it("law: one side changed, the other takes it, under every policy and at any time", () => {
    fc.assert(
      fc.property(content, content, rules, (before, after, given) => {
        const theirs = plan(
          aPlanInput({ fields: all, base: before, record: before, resource: after, ...given }),
        );
        expect({ ...before, ...theirs.toRecord }).toEqual(after);
        expect(theirs.toResource).toEqual({});
        // A value that the app wrote as late is named, and gives way all the same.
        expect(theirs.conflicts.filter(({ why }) => why !== "agreed_before")).toEqual([]);

        const ours = plan(
          aPlanInput({ fields: all, base: before, record: after, resource: before, ...given }),
        );
        expect(ours.toRecord).toEqual({});
        expect({ ...before, ...ours.toResource }).toEqual({ ...after, u: before.u });
        expect(ours.conflicts).toEqual([]);
      }),
    );
  });

  it("law: base becomes what the resource was seen to say, whoever wins", () => {
    fc.assert(
      fc.property(inputAfterWrites, (given) => {
        expect(plan(given).base).toEqual({ ...given.base, ...given.resource });
      }),
    );
  });

  it("law: what differs from the new base goes out, and nothing else but under `record`", () => {
    fc.assert(
      fc.property(inputAfterWrites, (given) => {
        const merged = plan(given);
        const after = applied(given, merged.toRecord);
        const differing = given.fields.filter(
          (field) => field.writable && !sameValue(value(after, field), value(merged.base, field)),
        );
        const expected =
          given.conflict === "record" && differing.length > 0 ? [...texts, ...sets] : differing;
        expect(Object.keys(merged.toResource).sort()).toEqual(
          expected.map(({ name }) => name).sort(),
        );
        for (const [field, sending] of Object.entries(merged.toResource)) {
          expect(sending).toEqual(after[field]);
        }
      }),
    );
  });

  it("law: planning again after the plan was applied finds only what is still to be sent", () => {
    fc.assert(
      fc.property(input, (given) => {
        const first = plan(given);
        const again = plan({
          ...given,
          base: first.base,
          record: applied(given, first.toRecord),
        });
        expect(again).toEqual({
          toRecord: {},
          toResource: first.toResource,
          base: first.base,
          conflicts: [],
          outcome: "agreed",
        });
      }),
    );
  });

  it("law: no value disappears without being final on a side or named in conflicts", () => {
    fc.assert(
      fc.property(inputAfterWrites, (given) => {
        const merged = plan(given);
        const after = applied(given, merged.toRecord);
        for (const field of texts) {
          const [base, mine, seen] = [given.base, given.record, given.resource].map((of) =>
            value(of, field),
          );
          const final = value(after, field);
          const lost = merged.conflicts
            .filter((conflict) => conflict.field === field.name)
            .map((conflict) => conflict.lost);
          const survives = (one: Json | undefined) =>
            sameValue(one, final) || lost.some((other) => sameValue(one, other));
          const isOurs = sameValue(seen, value(given.sent.unknown, field));
          if (!sameValue(mine, base)) expect(survives(mine)).toBe(true);
          if (seen !== undefined && !sameValue(seen, base) && !isOurs) {
            expect(survives(seen)).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("law: a conflict names two different values, and the kept one is final", () => {
    fc.assert(
      fc.property(inputAfterWrites, (given) => {
        const merged = plan(given);
        const after = applied(given, merged.toRecord);
        for (const { field, kept, lost, winner } of merged.conflicts) {
          expect(sameValue(kept, lost)).toBe(false);
          expect(after[field]).toEqual(kept);
          const goesOut = merged.toResource[field] !== undefined;
          // The policy `record` sends every field, also one that the resource has won.
          if (given.conflict !== "record") expect(goesOut).toBe(winner === "record");
        }
      }),
    );
  });

  it("law: of a set, both sides' additions and removals happen", () => {
    fc.assert(
      fc.property(items, items, items, rules, (before, mine, seen, given) => {
        const merged = plan(
          aPlanInput({
            ...given,
            fields: sets,
            base: { s: before },
            record: { s: mine },
            resource: { s: seen },
          }),
        );
        const kept = before.filter((item) => mine.includes(item) && seen.includes(item));
        const added = [...mine, ...seen].filter((item) => !before.includes(item));
        const final = { s: mine, ...merged.toRecord }.s;
        if (given.conflict !== "record") {
          expect(final).toEqual([...new Set([...kept, ...added])].sort());
        }
      }),
    );
  });

  it("law: swapping the sides and the policy mirrors the outcome", () => {
    fc.assert(
      fc.property(content, content, content, (base, left, right) => {
        const merge = (record: Content, resource: Content, conflict: PlanInput["conflict"]) =>
          plan(aPlanInput({ fields: texts, base, record, resource, conflict }));
        const one = merge(left, right, "resource-wins");
        const other = merge(right, left, "record-wins");
        const final = (given: Content, toRecord: Content) =>
          texts.map((field) => value({ ...given, ...toRecord }, field));
        expect(final(left, one.toRecord)).toEqual(final(right, other.toRecord));
      }),
    );
  });

  it("law: an answer to our own write never changes a field that we sent and that it echoes", () => {
    fc.assert(
      fc.property(content, content, content, rules, (base, record, sending, given) => {
        const { a, b } = sending;
        const answered = { a: a ?? "", b: b ?? "" };
        const resource = { ...base, ...answered };
        const merged = plan(
          aPlanInput({
            ...given,
            fields: all,
            base,
            record,
            resource,
            sent: { ...NOTHING_SENT, answered },
          }),
        );
        expect(merged.toRecord).toEqual({});
        expect(merged.conflicts).toEqual([]);
      }),
    );
  });
});
