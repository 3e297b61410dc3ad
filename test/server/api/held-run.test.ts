/** The text that explains a held run: each number that is not zero is named. */
import { expect, test } from "vitest";
import { connectionId } from "../../../src/model/ids.ts";
import { parseInstant } from "../../../src/model/instant.ts";
import { representHeldRun } from "../../../src/server/protocol/index.ts";

test.each([
  [1, 0, "delete 1"],
  [0, 2, "overwrite 2"],
  [1, 2, "delete 1 and overwrite 2"],
])("a held run of %i deletes and %i overwrites would %s", (deletes, overwrites, plan) => {
  const run = {
    id: "1",
    connectionId: connectionId("1"),
    kind: "reconcile",
    state: "held",
    outlook: { deletes, overwrites, records: 3 },
    sample: [],
    since: parseInstant("2026-03-02T09:00:00Z"),
  } as const;
  expect(representHeldRun(run, []).because).toBe(
    `It would ${plan} of 3 records: record and resource differ.`,
  );
});
