/** The app's `apply` says that its record is newer: what is kept of the resource's changes then. */
import { expect, it } from "vitest";
import { keepRecord } from "../../../src/engine/merge/keep-record.ts";
import { plan } from "../../../src/engine/merge/plan.ts";
import { aPlanInput, at, line } from "../builders.ts";

it("names each change that the app refused once, and leaves the record to be sent over it", () => {
  // Both changed the title, and the resource's was later; the body was changed there alone.
  const record = { title: "Mine", body: "text" };
  const merged = plan(
    aPlanInput({
      fields: [line("title"), line("body"), line("state")],
      base: { title: "A", body: "text", state: "open" },
      record: { ...record, state: "open" },
      resource: { title: "Theirs", body: "edited", state: "open" },
      resourceAt: at(20),
      recordChangedAt: { title: at(5) },
    }),
  );
  expect(merged.toRecord).toEqual({ title: "Theirs", body: "edited" });

  const refused = { winner: "record", why: "record_is_newer" };
  const kept = keepRecord(merged, record);
  expect(kept).toEqual({
    ...merged,
    toRecord: {},
    conflicts: [
      { field: "title", kept: "Mine", lost: "Theirs", ...refused },
      { field: "body", kept: "text", lost: "edited", ...refused },
    ],
    outcome: "lost",
  });
  expect(kept.base).toMatchObject({ title: "Theirs", body: "edited" });
});

it("says nothing of what is kept where there is no record yet, and keeps other conflicts", () => {
  const other = {
    field: "body",
    winner: "record",
    kept: "mine",
    lost: "theirs",
    why: "both_changed",
  } as const;
  const merged = { ...plan(aPlanInput({ resource: { title: "B" } })), conflicts: [other] };
  expect(keepRecord(merged, null).conflicts).toEqual([
    other,
    { field: "title", winner: "record", kept: null, lost: "B", why: "record_is_newer" },
  ]);
});
