/** Situations 9 and 10: what is later, where the two clocks differ in steps or in time. */
import { expect, it } from "vitest";
import type { TestDatabase } from "../../harness/databases.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { withConflictPolicy } from "../../harness/sample-policies.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("clocks", (open) => {
  // The remote edit carries 09:01:05Z. The local time counts, cut to its second.
  for (const [what, micros, winner] of [
    ["in the last microsecond of the same second: a tie, the resource wins", 999_999, "resource"],
    ["in the first microsecond of the next second: the record wins", 1_000_000, "record"],
  ] as const) {
    for (const conflict of ["field", "record"] as const) {
      it(`S9 a local edit ${what} (conflict: ${conflict})`, async () => {
        const app = await givenPairedTask(await open(), conflict);
        await advanceToSecond(app, 5);
        app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
        await app.advance(micros / 1_000);
        const { id } = await app.task();
        await app.editTask(id, { title: "Ours" });
        await app.settle();

        const title = winner === "record" ? "Ours" : "Theirs";
        expect(await app.task()).toMatchObject({ title });
        expect(app.github.issue(app.repo, 1)).toMatchObject({ title });
        expect(await app.copiedTitle(1)).toBe(title);
        const [, edit] = await app.events();
        expect(edit?.integration_updated_at).toBe("2026-03-02T09:01:05.000000Z");
        if (winner === "record") {
          const why = conflict === "record" ? "record_is_newer" : "both_changed";
          expect(edit).toMatchObject({
            state: "ignored",
            reason: "record_is_newer",
            ignored_for_id: id,
            ignored_for_type: "tasks",
            conflicts: [{ field: "title", winner: "record", kept: "Ours", lost: "Theirs", why }],
          });
        } else {
          expect(edit).toMatchObject({
            state: "completed",
            reason: "updated_record",
            conflicts: [
              {
                field: "title",
                winner: "resource",
                kept: "Theirs",
                lost: "Ours",
                why: "both_changed",
              },
            ],
          });
        }
        expect(app.writes()).toBe(winner === "record" ? 1 : 0);
      });
    }
  }

  it("S9 the app's own time of modification keeps its microseconds, and never goes back", async () => {
    const app = await givenPairedTask(await open(), "field");
    await advanceToSecond(app, 5);
    await app.advance(0.123_4 * 1_000 + 0.056);
    const { id } = await app.task();
    await app.editTask(id, { status: "doing" });
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Theirs", status: "doing" });
    const [row] = await app.sql<{ at: string }>(
      "select to_json(modified_at at time zone 'UTC') #>> '{}' as at from tasks",
    );
    expect(row?.at).toBe("2026-03-02T09:01:05.123456");
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed nothing_to_send",
      "inbound completed updated_record",
    ]);
    expect(app.writes()).toBe(0);
  });

  for (const conflict of ["field", "record"] as const) {
    for (const skew of [30, -30]) {
      const clock = `local clock 30 s ${skew > 0 ? "ahead" : "behind"} (conflict: ${conflict})`;

      it(`S10 ${clock}: a remote edit after a local one still arrives`, async () => {
        const app = await givenPairedTask(await open(), conflict);
        await setLocalClockApart(app, skew);
        const { id } = await app.task();
        await app.editTask(id, { title: "Ours" });
        await app.settle();
        expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours" });
        expect(app.writes()).toBe(1);

        await app.advance(10_000);
        app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
        await app.settle();

        expect(await app.task()).toMatchObject({ title: "Theirs" });
        expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Theirs" });
        const last = (await app.events()).at(-1);
        expect(last).toMatchObject({
          direction: "inbound",
          state: "completed",
          reason: "updated_record",
          conflicts: [],
        });
        expect(app.writes()).toBe(1);
      });

      it(`S10 ${clock}: of two edits that meet, the one that was really later wins`, async () => {
        const app = await givenPairedTask(await open(), conflict);
        await setLocalClockApart(app, skew);
        const { id } = await app.task();

        // Ahead, our own stamp would beat theirs; behind, theirs would beat ours.
        const titles = skew > 0 ? (["Ours", "Theirs"] as const) : (["Theirs", "Ours"] as const);
        for (const title of titles) {
          if (title === "Ours") await app.editTask(id, { title });
          else app.github.as("mona").editIssue(app.repo, 1, { title });
          await app.advance(10_000);
        }
        await app.settle();

        const [, later] = titles;
        expect(await app.task()).toMatchObject({ title: later });
        expect(app.github.issue(app.repo, 1)).toMatchObject({ title: later });
        const edit = (await app.events()).find((event) => event.conflicts.length > 0);
        if (later === "Ours") {
          expect(edit).toMatchObject({
            state: "ignored",
            reason: "record_is_newer",
            ignored_for_id: id,
            ignored_for_type: "tasks",
            conflicts: [{ winner: "record", kept: "Ours", lost: "Theirs" }],
          });
        } else {
          expect(edit).toMatchObject({
            state: "completed",
            reason: "updated_record",
            conflicts: [{ winner: "resource", kept: "Theirs", lost: "Ours", why: "both_changed" }],
          });
        }
        expect(app.writes()).toBe(later === "Ours" ? 1 : 0);
      });
    }
  }
});

async function givenPairedTask(
  database: TestDatabase,
  conflict: "field" | "record",
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, withConflictPolicy(conflict));
  app.github.as("mona").openIssue(app.repo, { title: "Old" });
  await app.settle();
  return app;
}

/** Moves every clock to a second of 09:01, exactly. */
async function advanceToSecond(app: SampleTandem, second: number): Promise<void> {
  const target = Date.UTC(2026, 2, 2, 9, 1, second);
  await app.advance(target - app.clock.now() / 1_000);
}

/** Sets the database's clock apart from the provider's. A poll meets both, and measures. */
async function setLocalClockApart(app: SampleTandem, seconds: number): Promise<void> {
  await app.sql(`
    create or replace function tandem.now() returns timestamptz
    language sql volatile as
    $$ select at + interval '${String(seconds)} seconds' from tandem.virtual_clock $$`);
  await app.advance(120_000);
  await app.tandem.syncNow();
  await app.settle();
  app.github.clearRequests();
}
