import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Content } from "../../src/model/content.ts";
import type { FieldChange } from "../../src/model/event.ts";
import { eventFromRow, eventToRow } from "../../src/store/postgres/lanes/event-rows.ts";
import {
  changedParts,
  laneFromRows,
  laneToRow,
  recordToRow,
} from "../../src/store/postgres/lanes/lane-rows.ts";
import { aKnown, aLane, anEvent } from "../engine/builders.ts";

const text = fc.constantFrom("", "A", "B", "long ".repeat(50));
const content: fc.Arbitrary<Content> = fc.record(
  { title: text, body: text, labels: fc.array(text), reviewer: fc.constant(null) },
  { requiredKeys: [] },
);
const lane = fc
  .record({ copy: fc.option(content), base: fc.option(content), known: fc.option(content) })
  .filter(({ copy, known }) => copy !== null || known === null)
  .chain(({ copy, base, known }) =>
    // At rest they are one.
    fc.constantFrom(
      { copy, base, known },
      { copy, base: copy, known: copy },
      { copy, base: copy, known },
      { copy, base, known: copy },
    ),
  )
  .map(({ copy, base, known }) =>
    aLane({ copy, base, known: known === null ? null : aKnown(known, 10) }),
  );

describe("rows", () => {
  it("law: a lane reads back as it was written, whatever of it says the same", () => {
    fc.assert(
      fc.property(lane, (given) => {
        const stored = throughJson(recordToRow(given));
        expect(laneFromRows(laneToRow(given), stored, [])).toEqual(given);
      }),
    );
  });

  it("law: what is written of a lane that changed makes of its row what the lane says", () => {
    fc.assert(
      fc.property(lane, lane, (before, after) => {
        const row = { ...recordToRow(before), ...changedParts(before, after) };
        expect(laneFromRows(laneToRow(after), throughJson(row), [])).toEqual(after);
      }),
    );
  });

  it("law: an event reads back as it was written, also where its content says what it altered", () => {
    const change: fc.Arbitrary<FieldChange> = fc.record({
      side: fc.constantFrom("record", "resource"),
      field: fc.constantFrom("title", "body", "labels", "reviewer"),
      from: fc.option(text),
      to: fc.oneof(fc.option(text), fc.array(text)),
    });
    fc.assert(
      fc.property(fc.option(content), fc.array(change), (said, changes) => {
        const altered = changes.map((one) => ({ ...one, to: said?.[one.field] ?? one.to }));
        for (const told of [changes, altered]) {
          const event = anEvent(aLane(), 10, { content: said, changes: told });
          const row = throughJson(
            eventToRow(event, { resourceType: "issue", relation: "github_issues" }),
          );
          expect(eventFromRow(row)).toEqual(event);
        }
      }),
    );
  });

  it("keep at rest the content of a resource once, and what an event altered without repeating it", () => {
    const said = { title: "A", body: "text" };
    const { base, known } = recordToRow(aLane());
    expect([base, known?.content]).toEqual([true, undefined]);
    const changes = [{ side: "record", field: "body", from: "", to: "text" }] as const;
    const row = eventToRow(anEvent(aLane(), 10, { content: said, changes }), {
      resourceType: "issue",
      relation: "github_issues",
    });
    expect(row.changes).toEqual([{ side: "record", field: "body", from: "" }]);
  });
});

function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
