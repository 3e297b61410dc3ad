/** The drain beside a merge: what it reads before it holds the lane may be older than base. */
import { expect, it, describe } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import type { Failpoints } from "../../../src/runtime/services/failpoints.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { databaseKinds, describeOnOneDatabase, openTestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { asLimitedRole } from "../../harness/limited-role.ts";
import { givenSampleTandem, journaled, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Waits, on the database's word, until some session waits for a lock. */
async function untilSomebodyWaits(app: SampleTandem): Promise<void> {
  for (;;) {
    const [row] = await app.sql<{ waiting: number }>(
      `select count(*)::integer as waiting from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if ((row?.waiting ?? 0) > 0) return;
  }
}

describe.runIf(databaseKinds.includes("postgres"))("the drain", () => {
  it("takes our own write for ours although a merge of the same record is being committed", async () => {
    const database = await openTestDatabase("postgres");
    const failpoints: { reach: Failpoints["reach"] } = { reach: () => Promise.resolve() };
    try {
      // A record with a journal is captured, whoever wrote it.
      const app = await givenSampleTandem(database, journaled, { failpoints });
      const { services } = app.tandem;
      const mona = app.github.as("mona");
      mona.openIssue(app.repo, { title: "First" });
      await app.advance(2_000);
      await app.settle();
      mona.editIssue(app.repo, 1, { title: "Second" });
      await app.advance(2_000);
      await translateDeliveries(services, "one");
      mona.editIssue(app.repo, 1, { title: "Third" });
      await app.advance(2_000);

      // It finds our write of "Second" captured, and reads the row before that of "Third" is there.
      const draining: Promise<number>[] = [];
      failpoints.reach = async (point) => {
        if (point !== "before:commit" || draining.length > 0) return;
        draining.push(drainChanges(services));
        await untilSomebodyWaits(app);
      };
      await translateDeliveries(services, "two");
      expect(await Promise.all(draining)).toEqual([1]);

      expect((await app.task()).title).toBe("Third");
      expect(await app.story("direction=outbound")).toEqual([]);
      await app.settle();
      expect(await app.story("direction=outbound")).toEqual([]);
    } finally {
      await database.close();
    }
  });
});

describeOnOneDatabase("the drain of rows that a policy hides", (open) => {
  it("gives them no counterpart until they are visible, and says which they are", async () => {
    const { log, lines } = keptLog();
    const limited = await asLimitedRole(await open());
    const app = await givenSampleTandem(limited, undefined, { log });
    await app.sql(`
      alter table tasks enable row level security;
      alter table tasks force row level security;
      create policy guarded on tasks to ${limited.role} using (title <> 'Hidden')`);
    const ids: string[] = [];
    for (const title of ["Hidden", "Shown", "Hidden"]) ids.push(await app.addTask({ title }));
    await app.settle();
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual(["Shown"]);
    expect(lines).toEqual([
      {
        message:
          "rows were written that row security hides from Tandem's role: they get no counterpart until it may see them",
        ...{ table: "tasks", rows: [ids[0], ids[2]] },
      },
    ]);
  });
});
