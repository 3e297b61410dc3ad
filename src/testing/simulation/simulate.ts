/**
 * One simulated history: random edits on both sides with every fault on, the real runtime between
 * them, on virtual time; then the faults stop, and both ends must agree.
 */
import type { AnyConfig } from "../../config.ts";
import type { Random } from "../../model/clock.ts";
import { AddressBook } from "../../runtime/address-book.ts";
import { claimDue, passOnLeases } from "../../runtime/claim.ts";
import { drainChanges } from "../../runtime/drain.ts";
import { pollConnection } from "../../runtime/poll.ts";
import { processClaimed } from "../../runtime/process-claimed.ts";
import { translateDeliveries } from "../../runtime/translate-deliveries.ts";
import { seededRandom } from "../random.ts";
import { createTestTandem, TEST_LOGIN, type TestTandem } from "../test-tandem.ts";
import { editSomething, type Sql, type Stage } from "./edits.ts";
import { History } from "./history.ts";
import { judge, type Verdict } from "./verdict.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly sql: Sql;
  readonly config: AnyConfig;
  /** Prepares the app's tables, empty. */
  readonly prepare: () => Promise<void>;
  /** Edits and other happenings. Default: 40. */
  readonly steps?: number;
}

export interface SimulationResult extends Verdict {
  readonly seed: number;
  readonly converged: boolean;
  readonly edits: number;
  readonly apiCalls: number;
  readonly story: readonly string[];
}

const LEASE_MS = 20_000;

/** Tells and judges one history. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, sql, steps = 40 } = options;
  const history = new History();
  await options.prepare();
  const test = await createTestTandem({
    config: options.config,
    sql: (text, params) => sql(text, params),
    seed,
    listenIn: (fetch) => overheard(fetch, history),
    onWebhook: (payload) => {
      history.hear(payload);
    },
  });
  try {
    await sql("truncate simulation_shown");
    history.follow(test.github, TEST_LOGIN);
    const random = seededRandom(seed * 7919 + 13);
    const stage: Stage = { sql, github: test.github, random, history };
    const workers = new Workers(test, random, history);
    setFaults(test);
    for (let step = 0; step < steps; step += 1) {
      await takeStep(stage, test, workers);
    }
    await comeToRest(test, sql, history);
    const verdict = await judge(sql, test.github, history);
    const failures = [verdict.differing, verdict.lost, verdict.duplicates, verdict.stuck];
    return {
      ...verdict,
      seed,
      converged: failures.every((list) => list.length === 0),
      edits: history.edits,
      apiCalls: test.github.calls({}),
      story: history.story,
    };
  } finally {
    await test.close();
  }
}

async function takeStep(stage: Stage, test: TestTandem, workers: Workers): Promise<void> {
  const { random, history, github } = stage;
  const chance = random();
  if (chance < 0.5) await editSomething(stage);
  else if (chance < 0.55) await test.advance(15_000 + random() * 60_000);
  else if (chance < 0.6) {
    github.faults.api.down = !github.faults.api.down;
    history.tell(`github is ${github.faults.api.down ? "down" : "up"}`);
  } else if (chance < 0.64) {
    github.failNext({
      with: random() < 0.5 ? "rate-limit" : "secondary-limit",
      retryAfterSeconds: 20,
    });
  } else if (chance < 0.7) await workers.poll();
  else if (chance < 0.85) await workers.workWithRequestHeld(stage);
  if (random() < 0.8) await test.advance(random() * 1_500);
  if (random() < 0.7) await workers.work();
}

/** Several workers' steps, taken in a random order, some of them cut off in the middle. */
class Workers {
  readonly #test: TestTandem;
  readonly #random: Random;
  readonly #history: History;

  constructor(test: TestTandem, random: Random, history: History) {
    this.#test = test;
    this.#random = random;
    this.#history = history;
  }

  get #services() {
    return this.#test.tandem.services;
  }

  /** A round of some of the loops' steps. */
  async work(): Promise<void> {
    await this.#test.github.answered();
    const steps = [
      () => translateDeliveries(this.#services),
      () => drainChanges(this.#services),
      () => passOnLeases(this.#services),
      () => this.process(),
      () => this.process(),
    ];
    for (const step of shuffled(steps, this.#random)) if (this.#random() < 0.85) await step();
  }

  async process(killed = new AbortController()): Promise<void> {
    const book = await AddressBook.open(this.#services);
    const claims = await claimDue(this.#services, book, "simulated", LEASE_MS, 4);
    if (claims.length > 0 && this.#random() < 0.03) {
      this.#history.tell("a worker dies with its claims");
      return;
    }
    await Promise.all(
      claims.map((claimed) => processClaimed(this.#services, claimed, book, killed.signal)),
    );
  }

  async poll(): Promise<void> {
    const book = await AddressBook.open(this.#services);
    for (const contact of book.contacts) {
      await pollConnection(this.#services, contact).catch((error: unknown) => {
        this.#history.tell(`a poll failed: ${error instanceof Error ? error.message : ""}`);
      });
    }
  }

  /**
   * A write is caught in flight; the world goes on; then it is answered, or its worker is killed
   * and it lands late or never.
   */
  async workWithRequestHeld(stage: Stage): Promise<void> {
    const { github } = this.#test;
    await drainChanges(this.#services);
    const killed = new AbortController();
    const hold = github.holdNext({ method: this.#random() < 0.5 ? "POST" : "PATCH" });
    const working = this.process(killed);
    const caught = await Promise.race([hold.arrived.then(() => true), working.then(() => false)]);
    if (!caught) {
      const down = github.faults.api.down;
      github.clearFaults();
      setFaults(this.#test);
      github.faults.api.down = down;
      return;
    }
    this.#history.tell("a write is in flight");
    if (this.#random() < 0.4) hold.apply();
    for (let more = Math.floor(this.#random() * 3); more > 0; more -= 1) await editSomething(stage);
    await this.#test.advance(this.#random() * 3_000);
    if (this.#random() < 0.6) await this.work();
    if (this.#random() < 0.5) {
      this.#history.tell("it is answered");
      hold.release();
      await working;
      return;
    }
    this.#history.tell("its worker is killed");
    killed.abort();
    hold.drop();
    await working;
    if (this.#random() < 0.3) return;
    await this.#test.advance(LEASE_MS * this.#random() * 2);
    if (this.#random() < 0.7) await this.work();
    this.#history.tell("and the write lands late");
    hold.apply();
  }
}

function setFaults({ github }: TestTandem): void {
  Object.assign(github.faults.webhooks, {
    drop: 0.05,
    duplicate: 0.1,
    reorder: 0.2,
    reorderByMs: { min: 500, max: 20_000 },
    delayMs: { min: 10, max: 1_500 },
  });
  Object.assign(github.faults.api, {
    errorRate: 0.03,
    lostAnswer: { rate: 0.05, applied: "either", as: "reset" },
    staleReads: { rate: 0.03, lagMs: { min: 500, max: 5_000 } },
  });
}

/** Faults stop, errored events are restarted, one poll and one sweep run. */
async function comeToRest(test: TestTandem, sql: Sql, history: History): Promise<void> {
  const { github, tandem } = test;
  github.clearFaults();
  history.tell("the faults stop");
  await test.advance(120_000);
  await test.settleWithin(90);
  await restartErrored(test, sql);
  await test.settleWithin(90);
  // An hour's budget of requests that was spent starts anew.
  await test.advance(3_600_000);
  await tandem.syncNow();
  await test.settleWithin(30);
  await tandem.sweepNow();
  await test.settleWithin(30);
}

async function restartErrored({ tandem }: TestTandem, sql: Sql): Promise<void> {
  const errored = await sql<{ id: string }>(
    "select id::text from tandem.events_live where state = 'errored'",
  );
  for (const { id } of errored) {
    await tandem.fetch(
      new Request(`http://localhost/api/events/${id}/restart`, { method: "POST" }),
    );
  }
}

function overheard(fetch: typeof globalThis.fetch, history: History): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    history.hear(await response.clone().text());
    return response;
  };
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
