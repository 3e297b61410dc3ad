/** Situation 54 with real processes: releases with newer schemas come in beside workers that run. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseKinds } from "../harness/databases.ts";
import { type Fleet, openFleet, REPOSITORY } from "./fleet.ts";
import { makeRelease, type Release } from "./release.ts";

/** Processes start on the real clock, and machines are slow. */
const PATIENTLY = { timeout: 120_000, interval: 100 };

const WIDER = { "0990_wider.sql": "alter table tandem.lanes add column note text;\n" };
const NARROWER = {
  ...WIDER,
  "0991_narrower.sql": `-- Needs code that knows migration 991.
alter table tandem.lanes drop column note;
`,
};

describe.runIf(databaseKinds.includes("postgres"))("releases one after the other", () => {
  let fleet: Fleet;
  let releases: Release[];
  beforeEach(async () => {
    fleet = await openFleet();
    releases = [makeRelease(WIDER), makeRelease(NARROWER)];
  });
  afterEach(async () => {
    await fleet.close();
    for (const release of releases) release.remove();
  });

  const titles = () => fleet.github.issues(REPOSITORY).map(({ title }) => title);

  async function endedBy(worker: string): Promise<number> {
    const [ended] = await fleet.sql<{ count: number }>(
      "select count(*) from tandem.events_ended where worker = $1",
      [worker],
    );
    return ended?.count ?? 0;
  }

  /** Adds tasks until a worker has worked on one. */
  async function untilWorkedOnBy(worker: string): Promise<void> {
    const before = await endedBy(worker);
    await expect
      .poll(async () => {
        await fleet.sql("insert into tasks (project_id, title) values (1, 'For ' || $1)", [worker]);
        return endedBy(worker);
      }, PATIENTLY)
      .toBeGreaterThan(before);
  }

  it("S54: both work on a schema that allows it; a worker that is too old stops, and nothing is lost", async () => {
    const [wider, narrower] = releases;
    if (wider === undefined || narrower === undefined) throw new Error("there are no releases");
    const old = await fleet.startWorker("old");
    await untilWorkedOnBy("old");

    const migrations = [wider, wider].map(({ folder }) => fleet.start(["migrate"], folder));
    expect(await Promise.all(migrations.map(({ ended }) => ended))).toEqual([0, 0]);
    const applied = "select version from tandem.migrations where version >= 990 order by version";
    expect(await fleet.sql(applied)).toEqual([{ version: 990 }]);

    const newer = await fleet.startWorker("newer", wider.folder);
    await untilWorkedOnBy("newer");
    await untilWorkedOnBy("old");
    expect([old.log(), newer.log()]).toEqual(["", ""]);

    const last = fleet.start(["migrate"], narrower.folder);
    expect(await last.ended).toBe(0);
    await expect.poll(() => old.log(), PATIENTLY).toContain("schema_newer");
    await expect.poll(() => newer.log(), PATIENTLY).toContain("schema_newer");
    await fleet.sql("insert into tasks (project_id, title) values (1, 'For the newest')");

    const newest = await fleet.startWorker("newest", narrower.folder);
    await expect.poll(titles, PATIENTLY).toContain("For the newest");
    await expect.poll(() => fleet.quiet(), PATIENTLY).toBe(true);
    expect(newest.log()).toBe("");
    const [tasks] = await fleet.sql<{ count: number }>("select count(*) from tasks");
    expect(titles()).toHaveLength(tasks?.count ?? 0);
    const [left] = await fleet.sql<{ count: number }>("select count(*) from tandem.events_live");
    expect(left?.count).toBe(0);
  });
});
