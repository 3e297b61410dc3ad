/** Several worker processes on one Postgres: killed, frozen, replaced, and still one of everything. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withoutToken } from "../../src/testing/simulation/history/history.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { databaseKinds } from "../harness/databases.ts";
import type { Child } from "./child.ts";
import { type Fleet, openFleet, REPOSITORY } from "./fleet.ts";

/** Leases run out on the real clock, and machines are slow. */
const PATIENTLY = { timeout: 120_000, interval: 100 };

describe.runIf(databaseKinds.includes("postgres"))("several worker processes", () => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = await openFleet();
  });
  afterEach(() => fleet.close());

  /** Both sides in the same words, in one order. */
  async function sides() {
    const tasks = await fleet.sql<{ title: string; body: string; state: string }>(
      `select title, markdown as body, case status when 'done' then 'closed' else 'open' end as state
       from tasks where deleted_at is null`,
    );
    const comments = await fleet.sql<{ body: string }>("select markdown as body from comments");
    const app = [
      ...tasks.map(({ title, body, state }) => `${title} | ${body} | ${state}`),
      ...comments.map(({ body }) => body),
    ];
    const github = [
      ...fleet.github
        .issues(REPOSITORY)
        .map(({ title, body, state }) => `${title} | ${withoutToken(body)} | ${state}`),
      ...fleet.github.comments(REPOSITORY).map(({ body }) => withoutToken(body)),
    ];
    return { app: app.sort(), github: github.sort() };
  }

  async function ended(): Promise<number> {
    const [row] = await fleet.sql<{ count: number }>("select count(*) from tandem.events_ended");
    return row?.count ?? 0;
  }

  it("killed one after the other in the middle of work: nothing is lost and nothing doubled", async () => {
    const random = seededRandom(20);
    const mona = fleet.github.as("mona");
    fleet.github.faults.api.latencyMs = { min: 5, max: 60 };
    Object.assign(fleet.github.faults.webhooks, { duplicate: 0.2, delayMs: { min: 1, max: 300 } });
    const workers: Child[] = [];
    for (const name of ["one", "two", "three"]) workers.push(await fleet.startWorker(name));

    for (let task = 1; task <= 6; task += 1) {
      await fleet.sql(`insert into tasks (project_id, title) values (1, 'Task ${String(task)}')`);
      mona.openIssue(REPOSITORY, { title: `Issue ${String(task)}` });
    }
    await expect.poll(() => fleet.github.issues(REPOSITORY).length, PATIENTLY).toBe(12);

    for (let step = 1; step <= 24; step += 1) {
      const before = await ended();
      const number = 1 + Math.floor(random() * 12);
      const value = `Edit ${String(step)}`;
      if (random() < 0.4) mona.editIssue(REPOSITORY, number, { title: value });
      else if (random() < 0.3) mona.comment(REPOSITORY, number, value);
      else {
        const id = "(select id from tasks order by id offset $2 limit 1)";
        const column = random() < 0.5 ? "title" : "markdown";
        await fleet.sql(`update tasks set ${column} = $1 where id = ${id}`, [value, number - 1]);
      }
      // Every fourth step finds a worker busy, and ends it.
      if (step % 4 === 0) {
        workers.shift()?.send("SIGKILL");
        workers.push(await fleet.startWorker(`heir ${String(step)}`));
      } else await expect.poll(ended, PATIENTLY).toBeGreaterThan(before);
    }

    await expect.poll(() => fleet.quiet(), PATIENTLY).toBe(true);
    const { app, github } = await sides();
    expect(app).toEqual(github);
    expect(fleet.github.issues(REPOSITORY)).toHaveLength(12);
    const [facts] = await fleet.sql<{ errored: number; workers: number; unpaired: number }>(`
      select (select count(*) from tandem.events where state = 'errored') as errored,
        (select count(distinct worker) from tandem.events) as workers,
        (select count(*) from tandem.lanes where external_id is null or record_id is null) as unpaired`);
    expect(facts).toMatchObject({ errored: 0, unpaired: 0 });
    // They shared the work: no one of them had all of it.
    expect(facts?.workers).toBeGreaterThan(3);
    for (const worker of workers) {
      worker.send("SIGTERM");
      expect(await worker.ended).toBe(0);
    }
  }, 240_000);

  it("frozen with a create in flight: another adopts the issue, and what the frozen one writes later is refused", async () => {
    const frozen = await fleet.startWorker("frozen");
    // A first poll that ends later would see the issue in its list, and pair it there.
    await expect.poll(polled, PATIENTLY).toBe(true);
    const hold = fleet.github.holdNext({ method: "POST", path: /\/issues$/ });
    // Its webhook would let the issue be adopted sooner.
    fleet.github.faults.webhooks.drop = 1;
    await fleet.sql("insert into tasks (project_id, title) values (1, 'Only once')");
    await hold.arrived;
    frozen.send("SIGSTOP");
    // GitHub has made the issue and answers; no worker reads the answer.
    hold.release();

    await fleet.startWorker("heir");
    await expect.poll(() => fleet.quiet(), PATIENTLY).toBe(true);
    fleet.github.faults.webhooks.drop = 0;
    const created = { direction: "outbound", state: "completed", worker: "heir" };
    expect(await outbound()).toMatchObject([{ ...created, reason: "adopted_resource" }]);
    await fleet.sql("update tasks set title = 'Edited meanwhile'");
    await expect
      .poll(() => fleet.github.issues(REPOSITORY)[0]?.title, PATIENTLY)
      .toBe("Edited meanwhile");
    await expect.poll(() => fleet.quiet(), PATIENTLY).toBe(true);

    const before = await outbound();
    frozen.send("SIGCONT");
    // It takes in the answer it got long ago, finds that its claim is lost, and goes on as others do.
    await fleet.sql("update tasks set title = 'After the thaw'");
    await expect
      .poll(() => fleet.github.issues(REPOSITORY)[0]?.title, PATIENTLY)
      .toBe("After the thaw");
    await expect.poll(() => fleet.quiet(), PATIENTLY).toBe(true);
    expect((await outbound()).slice(0, before.length)).toEqual(before);
    expect(fleet.github.issues(REPOSITORY)).toHaveLength(1);
    expect(fleet.github.calls({ method: "POST", path: /\/issues$/ })).toBe(1);
    const { app, github } = await sides();
    expect(app).toEqual(github);
  }, 240_000);

  async function polled(): Promise<boolean> {
    const [row] = await fleet.sql<{ polled: boolean }>(
      "select bool_and(polled_at is not null) as polled from tandem.connections",
    );
    return row?.polled === true;
  }

  async function outbound() {
    return fleet.sql<{ id: string; state: string; reason: string; worker: string; epoch: number }>(
      `select id::text, direction, state, reason, worker, epoch, finished_at::text
       from tandem.events where direction = 'outbound' order by id`,
    );
  }
});
