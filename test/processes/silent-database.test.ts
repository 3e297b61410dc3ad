/**
 * Situations 65 and 66 with real processes: between them and Postgres the network falls silent in the
 * middle of work, and what was open then never answers again. Workers and server say so, end when they
 * are told to, and go on once there is an answer.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseKinds, openTestDatabase, type TestDatabase } from "../harness/databases.ts";
import { type FaultProxy, openFaultProxy } from "../harness/fault-proxy.ts";
import { type Fleet, openFleet, REPOSITORY } from "./fleet.ts";

/** For what is promised within a minute: processes give a statement up after thirty seconds. */
const WITHIN_A_MINUTE = { timeout: 60_000, interval: 100 };
const WITHIN_TEN_SECONDS = { timeout: 10_000, interval: 100 };

describe.runIf(databaseKinds.includes("postgres"))("S65 a Postgres that falls silent", () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let fleet: Fleet;

  beforeAll(async () => {
    database = await openTestDatabase("postgres");
    const url = new URL(database.url ?? "");
    proxy = await openFaultProxy(Number(url.port));
    url.port = String(proxy.port);
    fleet = await openFleet({
      url: url.href,
      sql: (text, params) => database.sql(text, params),
      close: () => database.close(),
    });
  });
  afterAll(async () => {
    await proxy.close();
    await fleet.close();
  });

  async function health(): Promise<number> {
    const response = await fetch(`${fleet.serverUrl}/healthz`);
    await response.body?.cancel();
    return response.status;
  }
  const issueTitles = () =>
    fleet.github
      .issues(REPOSITORY)
      .map(({ title }) => title)
      .sort();
  async function taskTitles(): Promise<readonly string[]> {
    const tasks = await fleet.sql<{ title: string }>("select title from tasks order by title");
    return tasks.map(({ title }) => title);
  }
  function redeliverRefused(): void {
    const { deliveries, pendingDeliveries } = fleet.github;
    if (pendingDeliveries > 0) return;
    const taken = new Set(
      deliveries.filter(({ state }) => state === "delivered").map(({ guid }) => guid),
    );
    for (const { guid, id } of deliveries) if (!taken.has(guid)) fleet.github.redeliver(id);
  }

  it("S65: health 503 within ten seconds, and both sides agree within a minute of its end", async () => {
    const workers = [await fleet.startWorker("one"), await fleet.startWorker("two")];
    await fleet.sql("insert into tasks (project_id, title) values (1, 'Before')");
    await expect.poll(issueTitles, WITHIN_A_MINUTE).toEqual(["Before"]);
    expect(await health()).toBe(200);
    const leaving = new AbortController();
    const stream = await fetch(`${fleet.serverUrl}/api/stream`, { signal: leaving.signal });
    expect(stream.status).toBe(200);

    // In the middle of work: a request is under way, and its answer cannot be written down.
    const hold = fleet.github.holdNext({ method: "POST", path: /\/issues$/ });
    await fleet.sql("insert into tasks (project_id, title) values (1, 'Under way')");
    await hold.arrived;
    proxy.silence();
    hold.release();
    await expect.poll(health, WITHIN_TEN_SECONDS).toBe(503);
    fleet.github.as("mona").openIssue(REPOSITORY, { title: "Opened meanwhile" });
    await fleet.sql("insert into tasks (project_id, title) values (1, 'Written meanwhile')");
    await expect.poll(() => fleet.github.deliveries.at(-1)?.statusCode, WITHIN_A_MINUTE).toBe(503);
    leaving.abort();

    proxy.forget();
    const all = ["Before", "Opened meanwhile", "Under way", "Written meanwhile"];
    await expect
      .poll(async () => {
        redeliverRefused();
        const [here, there, isQuiet] = [await taskTitles(), issueTitles(), await fleet.quiet()];
        return { here, there, isQuiet };
      }, WITHIN_A_MINUTE)
      .toEqual({ here: all, there: all, isQuiet: true });
    expect(await health()).toBe(200);

    // Told to end while it is silent, they do: they do not wait for what cannot come.
    proxy.silence();
    for (const child of [...workers, fleet.server]) child.send("SIGTERM");
    const ended = await Promise.all([...workers, fleet.server].map((child) => child.ended));
    for (const status of ended) expect([0, 143]).toContain(status);
  });
});
