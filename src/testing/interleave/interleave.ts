/**
 * One interleaved history: two to four actors whose statements a seed interleaves on one Postgres, then rest
 * and a verdict. Simulated histories run one transaction at a time, so they miss what overlapping ones break.
 */
import type pg from "pg";
import type { AnyConfig } from "../../config.ts";
import type { Random } from "../../model/clock.ts";
import { AddressBook } from "../../runtime/address-book.ts";
import { claimDue, endDueTogether } from "../../runtime/claim.ts";
import { drainChanges } from "../../runtime/drain.ts";
import { messageOf } from "../../runtime/failures.ts";
import { gather } from "../../runtime/gather.ts";
import { sweepRecords } from "../../runtime/local-sweep.ts";
import { pollConnection } from "../../runtime/poll.ts";
import { processClaimed } from "../../runtime/process-claimed.ts";
import type { Services } from "../../runtime/services.ts";
import { translateDeliveries } from "../../runtime/translate-deliveries.ts";
import { seededRandom } from "../random.ts";
import { connectAll } from "../simulation/connect.ts";
import type { Place } from "../simulation/places.ts";
import { openSqlWorld, type Sql } from "../simulation/sql-world.ts";
import { createTestTandem, type TestTandem } from "../test-tandem.ts";
import { Deeds, writeAtGitHub, writeInApp } from "./deeds.ts";
import type { GatedPool } from "./gated-pool.ts";
import { Scheduler } from "./scheduler.ts";
import { judge, type Verdict } from "./verdict.ts";

export interface InterleaveOptions {
  readonly gated: GatedPool;
  /** Runs statements that nobody schedules, on the same database. */
  readonly sql: Sql;
  /** The sample's mapping on a pool, and its tables. */
  readonly configure: (pool: pg.Pool) => AnyConfig;
  readonly schema: string;
}

export interface Interleaved {
  readonly seed: number;
  readonly verdict: Verdict;
  readonly converged: boolean;
  readonly edits: number;
  readonly apiCalls: number;
  /** The statements, in the order in which they were released. */
  readonly trace: readonly string[];
  readonly story: readonly string[];
}

/** Receives a webhook that has arrived. */
type Arrival = () => Promise<void>;

export type Interleave = (seed: number) => Promise<Interleaved>;

const LEASE_MS = 60_000;
const WORKERS = ["ada", "bob", "cleo"];

/** Opens a database for histories; each begins with empty tables. */
export async function openInterleave(options: InterleaveOptions): Promise<Interleave> {
  const { gated, sql, configure, schema } = options;
  const config = configure(gated.pool);
  const world = await openSqlWorld({ kind: "moving", sql, schema, configure: () => config });
  // Migrated once, before the first history, so that all of them begin alike.
  await world.prepare();
  await (await createTestTandem({ config, ...world.clock })).close();
  return async (seed) => {
    await world.prepare();
    const random = seededRandom(seed);
    const arrivals: Arrival[] = [];
    const test = await createTestTandem({
      ...{ config, ...world.clock, seed, isMigrated: true },
      // While statements are scheduled, webhooks are received by an actor, one after the other.
      onWebhook: (_payload, receive) =>
        gated.scheduler === null
          ? receive()
          : new Promise((resolve, reject) => {
              arrivals.push(() => receive().then(resolve, reject));
            }),
    });
    try {
      const { places } = await connectAll(test, "moving", seed);
      return await tell(seed, test, places, { random, arrivals }, options);
    } finally {
      await test.close();
    }
  };
}

async function tell(
  seed: number,
  test: TestTandem,
  places: readonly Place[],
  { random, arrivals }: { readonly random: Random; readonly arrivals: Arrival[] },
  { gated, sql }: InterleaveOptions,
): Promise<Interleaved> {
  const { tandem, github } = test;
  const deeds = new Deeds();
  await begin(test, deeds, sql, random);
  const scheduler = new Scheduler(random, (pids) => gated.findWaiting(pids));
  const workers = 2 + Math.floor(random() * 2);
  for (const name of WORKERS.slice(0, workers)) {
    const own = seededRandom(Math.floor(random() * 2 ** 31));
    scheduler.start(name, () => work(name, tandem.services, own, scheduler));
  }
  for (let writer = 1; writer <= 1 + Math.floor(random() * 2); writer += 1) {
    const own = seededRandom(Math.floor(random() * 2 ** 31));
    scheduler.start(`writer ${String(writer)}`, () => writeInApp(gated.pool, deeds, own));
  }
  const own = seededRandom(Math.floor(random() * 2 ** 31));
  scheduler.start("github", async () => {
    for (let left = 1 + Math.floor(own() * 3); left > 0; left -= 1) {
      await gated.pool.connect().then(async (client) => {
        await client.query("select 'a person at github'").finally(() => {
          client.release();
        });
      });
      writeAtGitHub(github, places, deeds, own);
      await test.advance(200);
      await receiveAll(arrivals);
    }
  });
  gated.scheduler = scheduler;
  try {
    await scheduler.run();
  } finally {
    gated.scheduler = null;
  }
  await receiveAll(arrivals);
  await test.settleWithin(90);
  const verdict = await judge(sql, github, places, deeds);
  return {
    seed,
    verdict,
    converged: Object.values(verdict).every((broken) => broken.length === 0),
    edits: deeds.count,
    apiCalls: github.requests.length,
    trace: scheduler.trace,
    story: (await tandem.services.store.ledger.events({ limit: 200 }))
      .map(
        (event) =>
          `${event.recordType}:${event.recordId ?? "?"} ${event.direction} ${event.state} ${event.reason}`,
      )
      .reverse(),
  };
}

async function receiveAll(arrivals: Arrival[]): Promise<void> {
  for (let next = arrivals.shift(); next !== undefined; next = arrivals.shift()) await next();
}

/** Some tasks and comments that were there before, mostly paired. */
async function begin(test: TestTandem, deeds: Deeds, sql: Sql, random: Random): Promise<void> {
  for (let left = Math.floor(random() * 3); left > 0; left -= 1) {
    const title = deeds.fresh("Task");
    const [task] = await sql<{ id: string }>(
      "insert into tasks (project_id, owner_id, title, markdown) values (1, 1, $1, '') returning id::text",
      [title],
    );
    if (task !== undefined) deeds.tasks.push(task.id);
  }
  if (random() < 0.5) await test.settle();
}

/** A worker's loops, one step after the other. A step that fails is logged and comes again. */
async function work(
  name: string,
  services: Services,
  random: Random,
  { trace }: Scheduler,
): Promise<void> {
  const { store } = services;
  // A worker is a process: it shares no read of the directory with another.
  const own: Services = {
    ...services,
    store: { ...store, directory: { ...store.directory } },
    answers: gather(),
  };
  for (let left = 3 + Math.floor(random() * 5); left > 0; left -= 1) {
    const dice = random();
    try {
      if (dice < 0.45) await drainChanges(own);
      else if (dice < 0.8) await claim(name, own, random() < 0.3);
      else if (dice < 0.92) await translateDeliveries(own, random() < 0.5 ? name : null);
      else await look(own, random);
    } catch (error) {
      trace.push(`${name}: a step failed: ${messageOf(error)}`);
    }
  }
}

async function claim(name: string, own: Services, isTogether: boolean): Promise<void> {
  const book = await AddressBook.open(own);
  if (isTogether) await endDueTogether(own, book, name, 4);
  const claims = await claimDue(own, book, name, LEASE_MS, 2);
  for (const claimed of claims) {
    await processClaimed(own, claimed, book, new AbortController().signal);
  }
}

async function look(own: Services, random: Random): Promise<void> {
  const book = await AddressBook.open(own);
  const contact = book.contacts[Math.floor(random() * book.contacts.length)];
  if (contact === undefined) return;
  if (random() < 0.5) await sweepRecords(own, contact);
  else await pollConnection(own, contact, new AbortController().signal);
}
