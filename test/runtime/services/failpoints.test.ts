/**
 * The failpoints say of themselves what has and has not happened when they are reached; here that
 * is looked at from outside. `test/situations/safety/dying-workers.test.ts` ends workers at them.
 */
import { describe, expect, it } from "vitest";
import { FAILPOINTS } from "../../../src/runtime/services/failpoints.ts";
import { databaseKinds, openTestDatabase } from "../../harness/databases.ts";
import { watchPoints } from "../../harness/mortal-worker.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

describe("the failpoints", () => {
  it("are a point before and one after each step, and each says what is durable there", () => {
    const steps = "claim intent send answer record commit heartbeat adoption".split(" ");
    expect(Object.keys(FAILPOINTS)).toEqual(
      steps.flatMap((step) => [`before:${step}`, `after:${step}`]),
    );
    const told = Object.values(FAILPOINTS);
    for (const text of told) expect(text).toMatch(/^[A-Z].{40,}\.$/);
    expect(new Set(told).size).toBe(told.length);
  });
});

describe.runIf(databaseKinds.includes("postgres"))("the durable state at a failpoint", () => {
  /** Others' view of the only task's event, and what GitHub got: what a crash would leave behind. */
  async function seen(app: SampleTandem, direction: string): Promise<string> {
    const [row] = await app.sql<{ state: string; sent: boolean; lane: boolean; title: string }>(
      `select state, attempt is not null as sent, external_id is not null as lane,
         (select string_agg(title, ', ') from tasks) as title
       from tandem.lanes
       join tandem.integration_records using (id)
       join tandem.events on events.integration_record_id = lanes.id and events.direction = $1
       order by events.id desc limit 1`,
      [direction],
    );
    return [
      row?.state ?? "no event",
      ...(row?.sent === true ? ["sent noted"] : []),
      ...(row?.lane === true ? ["paired"] : []),
      row?.title ?? "no task",
      `${String(app.writes())} written`,
    ].join(", ");
  }

  async function story(
    act: (app: SampleTandem) => Promise<unknown>,
    direction: string,
  ): Promise<readonly string[]> {
    const failpoints = watchPoints();
    const database = await openTestDatabase("postgres");
    try {
      const app = await givenSampleTandem(database, undefined, { failpoints });
      await act(app);
      const told: string[] = [];
      failpoints.at = async (point, context) => {
        if (context.direction === direction) told.push(`${point}: ${await seen(app, direction)}`);
      };
      await app.settle();
      await app.close();
      return told;
    } finally {
      await database.close();
    }
  }

  it("is what its table says, of a create that goes out", async () => {
    const told = await story((app) => app.addTask({ title: "A" }), "outbound");
    expect(told).toEqual([
      "before:claim: queued, A, 0 written",
      "after:claim: processing, A, 0 written",
      "before:intent: processing, A, 0 written",
      "after:intent: processing, sent noted, A, 0 written",
      "before:send: processing, sent noted, A, 0 written",
      "after:send: processing, sent noted, A, 1 written",
      "before:answer: processing, sent noted, A, 1 written",
      "before:commit: processing, sent noted, A, 1 written",
      "after:commit: completed, paired, A, 1 written",
      "after:answer: completed, paired, A, 1 written",
    ]);
  });

  it("is what its table says, of a create that comes in", async () => {
    const told = await story(
      (app) => Promise.resolve(app.github.as("mona").openIssue(app.repo, { title: "B" })),
      "inbound",
    );
    expect(told).toEqual([
      "before:claim: queued, paired, no task, 0 written",
      "after:claim: processing, paired, no task, 0 written",
      "before:record: processing, paired, no task, 0 written",
      "after:record: processing, paired, no task, 0 written",
      "before:commit: processing, paired, no task, 0 written",
      "after:commit: completed, paired, B, 0 written",
    ]);
  });
});
