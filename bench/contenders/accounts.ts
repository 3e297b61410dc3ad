/**
 * Tandem with four accounts, each with its own repository, and an edit of each of their tasks. All APIs answer
 * without delay, or that of one account takes two seconds. Only the other three are measured.
 */
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { pino } from "pino";
import { defineConfig } from "../../src/config.ts";
import { github } from "../../src/integrations/github/index.ts";
import { type AccountId, deliveryId, uuidv7 } from "../../src/model/ids.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { type Edit, REPOSITORY_ID } from "../harness/work.ts";
import { type Audit, type Contender, TASKS } from "./contender.ts";

export const ACCOUNTS = 4;
const SLOW_MS = 2_000;
const HOUR_MS = 3_600_000;

const LOG = pino({ level: "warn", base: null });

export const evenAccounts = withAccounts(0);
export const slowAccount = withAccounts(SLOW_MS);

function withAccounts(millis: number): Contender {
  return {
    setUp: pairTasks,
    async open(url, process, work) {
      let calls = 0;
      const api = apiOf(work, millis, () => void (calls += 1));
      const tandem = await createTandem(config(url), {
        ...{ fetch: api, workerName: `bench-${String(process)}`, log: LOG },
      });
      tandem.startWorker({ pollMillis: 24 * HOUR_MS, sweepMillis: 24 * HOUR_MS });
      return {
        async take() {
          if (process !== 0) return;
          const app = new pg.Client({ connectionString: url });
          await app.connect();
          await app.query("update tasks set title = title || ', and more'");
          await app.end();
        },
        close: () => tandem.stop(),
        calls: () => calls,
      };
    },
    left,
    audit,
  };
}

function config(url: string) {
  return defineConfig({
    database: url,
    integrations: { github: github() },
    records: {
      tasks: {
        sync: {
          "github.issue": {
            scope: "project_id",
            initial: "resource",
            fields: { title: "title", markdown: "body" },
            defaults: { status: "todo", modified_at: new Date(0).toISOString() },
          },
        },
      },
    },
  });
}

/** Creates accounts, their repositories, and a task for each issue, as if webhooks had reported them. */
async function pairTasks(pool: pg.Pool, work: readonly Edit[]): Promise<void> {
  await pool.query(TASKS);
  const url = pool.options.connectionString ?? "";
  const tandem = await createTandem(config(url), { fetch: apiOf(work, 0), log: LOG });
  try {
    await tandem.migrate();
    const { store, random } = tandem.services;
    const accountIds: AccountId[] = [];
    for (let account = 0; account < ACCOUNTS; account += 1) {
      const accountId = await store.directory.saveAccount({
        integration: "github",
        name: `bench-${String(account)}`,
        credentials: { token: `ghp_bench${String(account)}` },
        webhookSecrets: [],
      });
      accountIds.push(accountId);
      const { id: containerId, full_name: containerName } = repositoryOf(account);
      await store.directory.saveConnection({
        ...{ accountId, integration: "github", containerId: String(containerId), containerName },
        scope: String(account),
      });
    }
    // Keeps polls and sweeps out of the measured time.
    await pool.query("update tandem.connections set polled_at = now(), swept_at = now()");
    const worker = tandem.startWorker({ pollMillis: 24 * HOUR_MS, sweepMillis: 24 * HOUR_MS });
    const now = systemClock.now();
    await store.deliveries.receive(
      work.map((edit) => ({
        id: deliveryId(uuidv7(now, random)),
        integration: "github",
        deliveryKey: edit.key,
        event: "issues",
        verifiedBy: accountIds,
        payload: JSON.stringify({
          ...(JSON.parse(edit.text) as object),
          repository: repositoryOf(accountOf(edit)),
        }),
      })),
    );
    worker.wake();
    while ((await pairedOf(pool)) < work.length || (await left(pool)) > 0) await delay(50);
  } finally {
    await tandem.stop();
  }
}

async function pairedOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ paired: string }>(
    "select count(*) as paired from tandem.lanes where record_id is not null",
  );
  return Number(rows[0]?.paired ?? 0);
}

/** The first account is the slow one. */
function accountOf({ issue }: Edit): number {
  return issue % ACCOUNTS;
}

function repositoryOf(account: number) {
  return { id: REPOSITORY_ID + account, full_name: `acme/site-${String(account)}` };
}

/** GitHub: it answers with the received edit, without delay or, for the first account, late. */
function apiOf(
  work: readonly Edit[],
  millis: number,
  counted: () => void = () => undefined,
): typeof fetch {
  const issues = new Map(
    work.map((edit) => [edit.issue, (JSON.parse(edit.text) as { issue: object }).issue]),
  );
  return async (input, init) => {
    counted();
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const number = Number(/\/issues\/(\d+)$/.exec(pathname)?.[1] ?? "0");
    const issue = issues.get(number);
    if (issue === undefined) throw new Error(`the bench has no answer to ${pathname}`);
    if (number % ACCOUNTS === 0) await delay(millis);
    const sent = typeof init?.body === "string" ? (JSON.parse(init.body) as object) : {};
    const answer = { ...issue, ...sent, updated_at: new Date().toISOString() };
    issues.set(number, answer);
    return Response.json(answer, { headers: { date: new Date().toUTCString() } });
  };
}

/** Whether edits are left, without those of the slow account. */
async function left(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ left: boolean }>(
    `select
       exists (select from tandem.deliveries where state in ('received', 'failed'))
       or exists (select from tandem.changes)
       or exists (
         select from tandem.events_live join tandem.connections on connections.id = connection_id
         where scope <> '0'
       ) as left`,
  );
  return rows[0]?.left === true ? 1 : 0;
}

async function audit(pool: pg.Pool, work: readonly Edit[]): Promise<Audit> {
  const { rows } = await pool.query<{ sent: string }>(
    `select count(*) as sent
     from tandem.events join tandem.connections on connections.id = connection_id
     where direction = 'outbound' and events.state = 'completed' and scope <> '0'`,
  );
  const others = work.filter((edit) => accountOf(edit) !== 0).length;
  return {
    ...{ overlaps: 0, inversions: 0, wrong: 0, writesPerEdit: null },
    stuck: others - Number(rows[0]?.sent ?? 0),
  };
}
