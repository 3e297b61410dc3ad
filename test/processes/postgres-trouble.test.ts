/**
 * Situation 49 with real processes on a Postgres of their own: it crashes, restarts, ends
 * connections, takes none, is full, and fails over. Workers and server survive, say what is wrong,
 * and nothing is lost or doubled.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withoutToken } from "../../src/testing/simulation/history/history.ts";
import { databaseKinds } from "../harness/databases.ts";
import { type PostgresNode, startPostgresNode } from "../harness/postgres-server.ts";
import { type Address, openAddress } from "./address.ts";
import type { Child } from "./child.ts";
import { type Fleet, openFleet, REPOSITORY } from "./fleet.ts";
import { asAdmin, ask } from "./node-sql.ts";

/** Leases run out on the real clock, and machines are slow. */
const PATIENTLY = { timeout: 20_000, interval: 50 };
const DISK_FULL = ["deliveries", "changes", "events_live", "events_ended"];

/** Two workers and a server on a Postgres of their own, with two tasks and two issues paired. */
interface Site extends Fleet {
  readonly primary: PostgresNode;
  readonly workers: readonly Child[];
  /** The server's answer to whoever asks how it is. */
  readonly health: () => Promise<{ readonly status: number; readonly code: string | null }>;
  /** Sends every webhook again that the server did not take, until it has taken each. */
  redeliverFailed(): Promise<void>;
  /** Waits until nothing is under way, and holds both sides against each other. */
  expectAgreement(titles: readonly string[]): Promise<void>;
  /** No process died: each ends when it is told to. */
  expectAlive(): Promise<void>;
  dispose(): Promise<void>;
}

async function openSite(
  primary: PostgresNode,
  sqlOn: () => PostgresNode,
  port = primary.port,
): Promise<Site> {
  await asAdmin(primary, "create role app login password 'app'", "postgres");
  await asAdmin(primary, "create database app owner app", "postgres");
  const url = `postgres://app:app@127.0.0.1:${String(port)}/app`;
  let isOwner = true;
  const fleet = await openFleet({
    url,
    async sql<T>(text: string, params?: unknown[]) {
      // The app's tables are the app's own; later queries bypass its limits.
      const answer = isOwner ? ask(url, text, params) : asAdmin<T>(sqlOn(), text, "app", params);
      isOwner = false;
      return (await answer) as T[];
    },
    close: () => Promise.resolve(),
  });
  fleet.github.faults.webhooks.timeoutMs = 5_000;
  const workers = await Promise.all(["one", "two"].map((name) => fleet.startWorker(name)));
  const { github } = fleet;

  async function sides() {
    const tasks = await fleet.sql<{ title: string; body: string }>(
      "select title, markdown as body from tasks where deleted_at is null",
    );
    const shown = (title: string, body: string | null) => `${title} | ${withoutToken(body)}`;
    return {
      app: tasks.map(({ title, body }) => shown(title, body)).sort(),
      github: github
        .issues(REPOSITORY)
        .map(({ title, body }) => shown(title, body))
        .sort(),
    };
  }

  /** The work under way, or that the database cannot be asked. */
  async function waiting(): Promise<readonly unknown[]> {
    try {
      if (github.pendingDeliveries > 0) return ["webhooks"];
      return await fleet.sql(`
        select 'event' as what, direction || ' ' || state || ' ' || reason as which, attempts,
          run_at::text, error, record_id
        from tandem.events_live where state in ('queued', 'processing')
        union all
        select 'delivery', event || ' ' || coalesce(reason, ''), attempts, run_at::text, error, null
        from tandem.deliveries where state in ('received', 'failed')
        union all
        select 'write', operation, 0, null, null, record_id from tandem.changes`);
    } catch (error) {
      return [error];
    }
  }

  /** The webhooks that the server did not take; one under way may be refused yet. */
  function untaken() {
    const { deliveries } = github;
    const taken = new Set(
      deliveries.filter(({ state }) => state === "delivered").map(({ guid }) => guid),
    );
    return new Map(
      deliveries.filter(({ guid }) => !taken.has(guid)).map(({ guid, id }) => [guid, id]),
    );
  }

  return {
    ...fleet,
    primary,
    workers,
    async health() {
      const response = await fetch(`${fleet.serverUrl}/healthz`);
      const body = (await response.json()) as { readonly error?: { readonly code: string } };
      return { status: response.status, code: body.error?.code ?? null };
    },
    async redeliverFailed() {
      const again = () => {
        if (github.pendingDeliveries > 0) return "under way";
        const left = untaken();
        for (const id of left.values()) github.redeliver(id);
        return left.size === 0 ? "all taken" : "sent again";
      };
      await expect.poll(again, PATIENTLY).toBe("all taken");
    },
    async expectAgreement(titles) {
      await expect.poll(() => waiting(), PATIENTLY).toEqual([]);
      const both = await sides();
      expect(both.app).toEqual(both.github);
      expect(both.app.map((line) => line.split(" | ")[0])).toEqual([...titles].sort());
      const [facts] = await fleet.sql<{ errored: number; unpaired: number }>(`
        select (select count(*) from tandem.events where state = 'errored') as errored,
          (select count(*) from tandem.lanes where external_id is null or record_id is null) as unpaired`);
      expect(facts).toEqual({ errored: 0, unpaired: 0 });
      // Each issue was opened once: by Mona, or for a task.
      const posts = github.calls({ method: "POST", path: /\/issues$/, applied: true });
      const opened = github.issues(REPOSITORY).filter(({ author }) => author !== "mona");
      expect(posts).toBe(opened.length);
    },
    async expectAlive() {
      for (const child of [...workers, fleet.server]) {
        child.send("SIGTERM");
        expect(await child.ended).toBe(0);
      }
    },
    async dispose() {
      await fleet.close();
      await primary.stop();
    },
  };
}

/** How much a process had logged when its log was last forgotten. */
const forgotten = new WeakMap<Child, number>();

function forgetLogs(children: readonly Child[]): void {
  for (const child of children) forgotten.set(child, child.log().length);
}

/** The trouble with the database that a process has logged: code, cause and remedy of each. */
function troubles(child: Child) {
  const log = child.log().slice(forgotten.get(child) ?? 0);
  const lines = log.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
  return lines.flatMap((line) => {
    const { code, error, hint } = JSON.parse(line) as Record<string, string | undefined>;
    return code === undefined ? [] : [{ code, error: error ?? "", hint: hint ?? "" }];
  });
}

function expectTold(children: readonly Child[], code: RegExp): void {
  const told = children.flatMap(troubles).filter((trouble) => code.test(trouble.code));
  expect(told).not.toEqual([]);
  for (const { error, hint } of told) {
    expect(error).not.toBe("");
    expect(hint).not.toBe("");
  }
}

const onPostgres = describe.runIf(databaseKinds.includes("postgres"));

onPostgres("S49 a Postgres that gets into trouble", () => {
  let site: Site;
  const titles: string[] = [];
  const added: string[] = [];

  beforeAll(async () => {
    const primary = await startPostgresNode(process.env.TANDEM_TEST_EMBEDDED_PG);
    site = await openSite(primary, () => primary);
    site.github.faults.api.latencyMs = { min: 5, max: 40 };
  });
  afterAll(() => site.dispose());
  beforeEach(() => {
    forgetLogs([...site.workers, site.server]);
  });

  it("is well at first", async () => {
    for (const title of ["Task", "Other task"]) await addTask(title);
    for (const title of ["Issue", "Other issue"]) openIssue(title);
    await site.expectAgreement(titles);
    expect(await site.health()).toEqual({ status: 200, code: null });
  });

  async function addTask(title: string): Promise<void> {
    await site.sql("insert into tasks (project_id, title) values (1, $1)", [title]);
    added.push(title);
    titles.push(title);
  }
  function openIssue(title: string): void {
    site.github.as("mona").openIssue(REPOSITORY, { title });
    titles.push(title);
  }
  /** An edit of each task that the app added, and of each issue that Mona opened. */
  async function editAll(text: string): Promise<void> {
    const mona = site.github.as("mona");
    for (const { number, author } of site.github.issues(REPOSITORY)) {
      if (author === "mona") mona.editIssue(REPOSITORY, number, { body: `${text} there` });
    }
    await site.sql("update tasks set markdown = $1 where title = any ($2)", [
      `${text} here`,
      added,
    ]);
  }

  it.each(["immediate", "fast"] as const)(
    "stopped (%s) in the middle of work and started again: nothing is lost, nothing doubled",
    async (how) => {
      await editAll(`Before ${how}`);
      const hold = site.github.holdNext({ method: "POST", path: /\/issues$/ });
      await addTask(`Created while it stops (${how})`);
      await hold.arrived;
      await site.primary.halt(how);
      // GitHub has made the issue, and nobody can write down its number.
      hold.release();
      openIssue(`Opened while it is down (${how})`);
      await expect.poll(() => site.github.deliveries.at(-1)?.statusCode, PATIENTLY).toBe(503);
      expect(await site.health()).toEqual({ status: 503, code: "database_unreachable" });
      await expect
        .poll(() => site.workers.every(hasTold("database_unreachable")), PATIENTLY)
        .toBe(true);

      await site.primary.resume();
      await expect.poll(site.health, PATIENTLY).toEqual({ status: 200, code: null });
      await editAll(`After ${how}`);
      await site.redeliverFailed();
      await site.expectAgreement(titles);
      expectTold([...site.workers, site.server], /^database_unreachable$/);
    },
  );

  it("that ends every connection, again and again (57P01): work goes on", async () => {
    for (let round = 1; round <= 5; round += 1) {
      await editAll(`Round ${String(round)}`);
      await asAdmin(
        site.primary,
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'",
        "postgres",
      );
    }
    await site.redeliverFailed();
    await site.expectAgreement(titles);
  });

  it("that takes no more connections (53300): it is told, and work goes on when it does", async () => {
    await asAdmin(site.primary, "alter role app connection limit 0", "postgres");
    await asAdmin(
      site.primary,
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'",
      "postgres",
    );
    await editAll("Too many");
    openIssue("Opened while it takes nobody");
    await expect.poll(() => site.github.deliveries.at(-1)?.statusCode, PATIENTLY).toBe(503);
    await expect
      .poll(site.health, PATIENTLY)
      .toEqual({ status: 503, code: "too_many_connections" });
    await expect
      .poll(() => site.workers.every(hasTold("too_many_connections")), PATIENTLY)
      .toBe(true);
    // One that is started now ends, and says what to do.
    await expect(site.startWorker("late")).rejects.toThrow(/too_many_connections/);

    await asAdmin(site.primary, "alter role app connection limit -1", "postgres");
    await expect.poll(site.health, PATIENTLY).toEqual({ status: 200, code: null });
    await site.redeliverFailed();
    await site.expectAgreement(titles);
    expectTold([...site.workers, site.server], /^too_many_connections$/);
  });

  it("with a full disk (53100): a write that cannot be captured is refused, the rest waits for room", async () => {
    await editAll("Before it is full");
    await asAdmin(
      site.primary,
      `create function disk_full() returns trigger language plpgsql as $$
       begin raise exception 'could not extend file: No space left on device'
         using errcode = '53100'; end $$;
       ${DISK_FULL.map(
         (table) => `create trigger disk_full before insert on tandem.${table}
           for each statement execute function disk_full();`,
       ).join("\n")}`,
      "app",
    );
    const write = site.sql("insert into tasks (project_id, title) values (1, 'No room')");
    await expect(write).rejects.toMatchObject({ code: "53100" });
    openIssue("Opened while it is full");
    await expect.poll(() => site.github.deliveries.at(-1)?.statusCode, PATIENTLY).toBe(503);
    await asAdmin(
      site.primary,
      DISK_FULL.map((table) => `drop trigger disk_full on tandem.${table};`).join("\n"),
      "app",
    );
    await addTask("There is room");
    await site.redeliverFailed();
    await site.expectAgreement(titles);
    expectTold([site.server], /^disk_full$/);
  });

  it("has ended no process", async () => {
    await site.expectAlive();
  });
});

function hasTold(code: string): (child: Child) => boolean {
  return (child) => troubles(child).some((trouble) => trouble.code === code);
}

onPostgres("S49 a Postgres that fails over", () => {
  let site: Site;
  let address: Address;
  let standby: PostgresNode;
  let primary: PostgresNode;

  beforeAll(async () => {
    const first = await startPostgresNode(process.env.TANDEM_TEST_EMBEDDED_PG);
    primary = first;
    address = await openAddress(first.port);
    standby = await first.addStandby();
    site = await openSite(first, () => primary, address.port);
  });
  afterAll(async () => {
    await site.dispose();
    await address.close();
    await standby.stop();
  });

  it("to a standby: while nothing takes writes (25006) nothing is taken, and afterwards nothing is missing", async () => {
    const { github } = site;
    const mona = github.as("mona");
    await site.sql("insert into tasks (project_id, title) values (1, 'Task')");
    mona.openIssue(REPOSITORY, { title: "Issue" });
    await site.expectAgreement(["Issue", "Task"]);

    // The old primary is fenced off and stays: connections to it are good, and of no use.
    await asAdmin(primary, "alter system set default_transaction_read_only = on", "postgres");
    await asAdmin(primary, "select pg_reload_conf()", "postgres");
    const number = github.issues(REPOSITORY).find(({ title }) => title === "Issue")?.number ?? 0;
    mona.editIssue(REPOSITORY, number, { body: "Edited while nobody takes it" });
    await expect.poll(site.health, PATIENTLY).toEqual({ status: 503, code: "database_read_only" });
    await expect
      .poll(() => site.workers.every(hasTold("database_read_only")), PATIENTLY)
      .toBe(true);
    // The address leads to the standby before that is promoted.
    address.leadTo(standby.port);
    expect(await site.health()).toEqual({ status: 503, code: "database_read_only" });

    const [end] = await asAdmin<{ lsn: string }>(
      primary,
      "select pg_current_wal_lsn()::text as lsn",
      "postgres",
    );
    const caughtUp = async () => {
      const query = "select pg_last_wal_replay_lsn() >= $1::pg_lsn as done";
      const [row] = await asAdmin<{ done: boolean }>(standby, query, "postgres", [end?.lsn]);
      return row?.done;
    };
    await expect.poll(caughtUp, PATIENTLY).toBe(true);
    await standby.promote();
    const fenced = primary;
    primary = standby;

    await expect.poll(site.health, PATIENTLY).toEqual({ status: 200, code: null });
    await site.sql("insert into tasks (project_id, title) values (1, 'Added afterwards')");
    await site.redeliverFailed();
    await site.expectAgreement(["Added afterwards", "Issue", "Task"]);
    expect(github.issue(REPOSITORY, number)?.body).toBe("Edited while nobody takes it");
    const [kept] = await site.sql<{ markdown: string }>(
      "select markdown from tasks where title = 'Issue'",
    );
    expect(kept).toEqual({ markdown: "Edited while nobody takes it" });
    expectTold([...site.workers, site.server], /^database_read_only$/);

    // The old one ends permanently, and nothing depends on it.
    await fenced.halt("immediate");
    await site.sql("update tasks set markdown = 'Without the old one' where title = 'Task'");
    await site.expectAgreement(["Added afterwards", "Issue", "Task"]);
    await site.expectAlive();
  });
});
