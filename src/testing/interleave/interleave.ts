/**
 * One interleaved history: a seed interleaves the statements of four to six actors on one Postgres, then all
 * rest, and a verdict follows. Simulated histories run one transaction at a time, so they miss races between
 * transactions.
 *
 * The store in memory cannot be tested this way: it runs each transaction as a whole, so no statement of
 * another can come between its own. Only the order of whole transactions and of calls to GitHub can vary
 * there. The first is covered here (an actor may pause before its `begin`), and `npm run simulate` covers the
 * second with four workers.
 */
import type pg from "pg";
import type { AnyConfig } from "../../config.ts";
import { mapBy } from "../../runtime/services/index.ts";
import { createTestTandem, type TestTandem } from "../test-tandem.ts";
import { connectAll } from "../simulation/people/index.ts";
import { type ConnectedSite, openSqlWorld, type Sql } from "../simulation/world/index.ts";
import { WriteLog, writeAtGitHub, writeInApp } from "./deeds.ts";
import type { GatedPool } from "./gated-pool.ts";
import {
  BEFORE,
  type Part,
  type Interleaving,
  planInterleaving,
  type InterleavedStep,
} from "./plan.ts";
import { Scheduler, type Traced } from "./scheduler.ts";
import { judgeInterleaving, type InterleavingVerdict } from "./verdict.ts";
import { interleavedWorker, takeWorkerStep } from "./worker-steps.ts";

export interface InterleaveOptions {
  readonly gated: GatedPool;
  /** Runs statements outside the schedule, on the same database. */
  readonly sql: Sql;
  /** The sample's mapping on a pool, and its tables. */
  readonly configure: (pool: pg.Pool) => AnyConfig;
  readonly schema: string;
}

export interface Interleaved {
  readonly seed: number;
  readonly verdict: InterleavingVerdict;
  readonly converged: boolean;
  readonly edits: number;
  readonly apiCalls: number;
  readonly steps: readonly InterleavedStep[];
  /** The statements, in the order of their release. */
  readonly trace: readonly Traced[];
  /** All parts of the history: its steps, and the pauses in which other actors ran. */
  readonly parts: readonly Part[];
  readonly story: readonly string[];
}

/** Receives a webhook that has arrived. */
type Arrival = () => Promise<void>;

/** Runs a seed's history; with `only`, reduced to these parts. */
export type Interleave = (seed: number, only?: readonly Part[]) => Promise<Interleaved>;

/** Opens a database for histories; each begins with empty tables. */
export async function openInterleave(options: InterleaveOptions): Promise<Interleave> {
  const { gated, configure, schema } = options;
  const outside = { asked: 0 };
  const sql: Sql = <T>(text: string, params?: unknown[]) => {
    outside.asked += 1;
    return options.sql<T>(text, params).finally(() => {
      outside.asked -= 1;
    });
  };
  const config = configure(gated.pool);
  const world = await openSqlWorld({ kind: "moving", sql, schema, configure: () => config });
  // Migrated once, before the first history, so that all histories start in the same state.
  await world.prepare();
  await (await createTestTandem({ config, ...world.clock })).close();
  return async (seed, only) => {
    await world.prepare();
    const arrivals: Arrival[] = [];
    const test = await createTestTandem({
      ...{ config, ...world.clock, seed, isMigrated: true },
      // During the schedule an actor receives webhooks, one after the other.
      onWebhook: (_payload, receive) =>
        gated.scheduler === null
          ? receive()
          : new Promise((resolve, reject) => {
              arrivals.push(() => receive().then(resolve, reject));
            }),
    });
    try {
      const { places } = await connectAll(test, "moving", seed);
      const plan = planInterleaving(seed, only ?? null);
      return await run({ seed, plan, test, places, arrivals, outside, gated, sql });
    } finally {
      await test.close();
    }
  };
}

interface Run extends Pick<InterleaveOptions, "gated" | "sql"> {
  readonly seed: number;
  readonly plan: Interleaving;
  readonly test: TestTandem;
  readonly places: readonly ConnectedSite[];
  readonly arrivals: Arrival[];
  /** The number of unscheduled statements that are running. */
  readonly outside: { readonly asked: number };
}

async function run(history: Run): Promise<Interleaved> {
  const { seed, plan, test, places, arrivals, outside, gated, sql } = history;
  const { tandem, github } = test;
  const deeds = new WriteLog();
  const scheduler = new Scheduler(
    plan,
    (pids) => gated.findWaiting(pids),
    () => outside.asked > 0,
  );
  const actors = mapBy(plan.steps, ({ actor }) => actor);
  const stepper = (actor: string) => stepsOf(actor, history, deeds, scheduler);
  const takeBefore = stepper(BEFORE);
  for (const step of actors.get(BEFORE) ?? []) await takeBefore(step);
  for (const [actor, steps] of actors) {
    if (actor === BEFORE) continue;
    const take = stepper(actor);
    scheduler.start(
      actor,
      steps.map((step) => ({ id: step.id, run: () => take(step) })),
    );
  }
  gated.scheduler = scheduler;
  try {
    await scheduler.run();
  } finally {
    gated.scheduler = null;
  }
  await receiveAll(arrivals);
  await test.settleWithin(90);
  const verdict = await judgeInterleaving(sql, github, places, deeds);
  return {
    seed,
    verdict,
    converged: Object.values(verdict).every((broken) => broken.length === 0),
    edits: deeds.count,
    apiCalls: github.requests.length,
    steps: plan.steps,
    trace: scheduler.trace,
    parts: [...plan.steps.map(({ id }) => String(id)), ...scheduler.pauses],
    story: (await tandem.services.store.ledger.events({ limit: 200 }))
      .map(
        (event) =>
          `${event.recordType}:${event.recordId ?? "?"} ${event.direction} ${event.state} ${event.reason}`,
      )
      .reverse(),
  };
}

/** How an actor runs its steps. A worker's failed step is noted in the trace, and its events are retried. */
function stepsOf(
  actor: string,
  { test, places, arrivals, gated, sql }: Run,
  deeds: WriteLog,
  scheduler: Scheduler,
): (step: InterleavedStep) => Promise<void> {
  const worker = interleavedWorker(actor, test.tandem.services);
  return async ({ kind, random }) => {
    switch (kind) {
      case "add":
        return addTaskBefore(deeds, sql);
      case "settle":
        return test.settle();
      case "write":
        return writeInApp(gated.pool, deeds, random());
      case "remote": {
        // A statement of its own, so that the scheduler controls its time.
        await gated.pool.query("select 'a person at GitHub'");
        writeAtGitHub(test.github, places, deeds, random());
        await test.advance(200);
        return receiveAll(arrivals);
      }
      default:
        try {
          await takeWorkerStep(worker, kind, random());
        } catch (error) {
          scheduler.noteFailure(error);
        }
    }
  };
}

async function receiveAll(arrivals: Arrival[]): Promise<void> {
  for (let next = arrivals.shift(); next !== undefined; next = arrivals.shift()) await next();
}

async function addTaskBefore(deeds: WriteLog, sql: Sql): Promise<void> {
  const [task] = await sql<{ id: string }>(
    "insert into tasks (project_id, owner_id, title, markdown) values (1, 1, $1, '') returning id::text",
    [deeds.fresh("Task")],
  );
  if (task !== undefined) deeds.tasks.push(task.id);
}
