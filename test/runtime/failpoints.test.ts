/**
 * The failpoints say of themselves what has and has not happened when they are reached; here that
 * is looked at from outside, and a worker is let die at each within the process.
 */
import { describe, expect, it } from "vitest";
import { AddressBook } from "../../src/runtime/address-book.ts";
import { claimDue, passOnLeases } from "../../src/runtime/claim.ts";
import { drainChanges } from "../../src/runtime/drain.ts";
import { type Failpoint, FAILPOINTS, type Failpoints } from "../../src/runtime/failpoints.ts";
import { processClaimed } from "../../src/runtime/process-claimed.ts";
import { databaseKinds, describeOnEachDatabase, openTestDatabase } from "../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

const LEASE_MS = 60_000;

/** What is called at each point; a test sets it when its story begins. */
interface Watch extends Failpoints {
  at: Failpoints["reach"];
}

function watch(): Watch {
  const watched: Watch = {
    at: () => Promise.resolve(),
    reach: (point, context) => watched.at(point, context),
  };
  return watched;
}

describe.runIf(databaseKinds.includes("postgres"))("what is durable at a failpoint", () => {
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
    const failpoints = watch();
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

describeOnEachDatabase("a worker that dies at a failpoint, in virtual time", (open) => {
  const OF_A_CREATE: readonly Failpoint[] = (Object.keys(FAILPOINTS) as Failpoint[]).filter(
    (point) => !/claim|record|heartbeat|adoption/.test(point),
  );

  it("is survived: one issue, and the event ends with its reason", async () => {
    const failpoints = watch();
    const app = await givenSampleTandem(await open(), undefined, { failpoints });
    for (const [index, point] of OF_A_CREATE.entries()) {
      app.github.clearRequests();
      await app.addTask({ title: point });
      await dieAt(app, failpoints, point);
      await app.advance(LEASE_MS + 1);
      // Webhooks are here, or the look that follows a lost answer may be first.
      await app.github.answered();
      await passOnLeases(app.tandem.services);
      await app.settle();

      const [issue] = app.github.issues(app.repo).slice(index);
      expect(issue).toMatchObject({ title: point, state: "open" });
      expect(app.github.issues(app.repo)).toHaveLength(index + 1);
      expect(app.writes()).toBe(1);
      const [event] = await app.events(`record=tasks:${String(index + 1)}&direction=outbound`);
      const landed = !["before:intent", "after:intent", "before:send"].includes(point);
      const answered = ["after:commit", "after:answer"].includes(point);
      // Its echo came first and was adopted by the token.
      const reason = landed && !answered ? "nothing_to_send" : "created_resource";
      expect({ point, ...event }).toMatchObject({ point, state: "completed", reason });
    }
  });

  /** One worker drains and claims; at the point its signal is aborted and it goes no further. */
  async function dieAt(app: SampleTandem, failpoints: Watch, point: Failpoint): Promise<void> {
    const { services } = app.tandem;
    const killed = new AbortController();
    const reached: Failpoint[] = [];
    failpoints.at = async (at) => {
      reached.push(at);
      if (at !== point) return;
      killed.abort(new Error(`died ${point}`));
      killed.signal.throwIfAborted();
    };
    await drainChanges(services);
    const book = await AddressBook.open(services);
    for (const claimed of await claimDue(services, book, "mortal", LEASE_MS, 1)) {
      await processClaimed(services, claimed, book, killed.signal);
    }
    failpoints.at = () => Promise.resolve();
    expect(reached.at(-1)).toBe(point);
  }
});
