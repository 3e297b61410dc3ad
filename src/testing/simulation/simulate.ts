/**
 * One simulated history: random edits on both sides with every fault on, the real runtime between
 * them, on virtual time; then the faults stop, and both ends must agree.
 */
import { createHash } from "node:crypto";
import { seededRandom } from "../random.ts";
import { createTestTandem, TEST_LOGIN, type TestTandem } from "../test-tandem.ts";
import type { AppWorld } from "./app-world.ts";
import { editSomething, type Stage } from "./edits.ts";
import { History } from "./history.ts";
import { readLedger } from "./ledger-view.ts";
import { type Listener, Traffic } from "./traffic.ts";
import { makeTrouble, setFaults, stopTrouble } from "./troubles.ts";
import { judge, type Verdict } from "./verdict.ts";
import { Workers } from "./workers.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly world: AppWorld;
  /** Edits and other happenings. Default: 80. */
  readonly steps?: number;
}

export interface SimulationResult extends Verdict {
  readonly seed: number;
  readonly converged: boolean;
  readonly edits: number;
  readonly apiCalls: number;
  readonly story: readonly string[];
  /** Every event, in the order they were born. */
  readonly ledger: readonly string[];
  /** The same for every telling of a seed. */
  readonly trace: string;
}

/** Tells and judges one history. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, world, steps = 80 } = options;
  const history = new History();
  await world.prepare();
  const listener: Listener = {
    heard: (text, isList) => {
      history.hear(text, isList);
    },
    missed: (body) => {
      history.miss(body);
    },
  };
  let traffic = new Traffic(globalThis.fetch, listener);
  const random = seededRandom(seed * 7919 + 13);
  const test = await createTestTandem({
    config: world.config,
    ...world.clock,
    seed,
    // Half a minute apart at most: what is later must not be decided by comparing clocks untold.
    githubAheadMillis: random() < 0.5 ? 0 : Math.round((random() - 0.5) * 60_000),
    listenIn: (fetch) => {
      traffic = new Traffic(fetch, listener);
      return traffic.fetch;
    },
    onWebhook: (payload) => {
      history.hear(payload);
    },
  });
  try {
    const { github } = test;
    const { store } = test.tandem.services;
    history.follow(github, TEST_LOGIN);
    const workers = new Workers(test.tandem.services, traffic, random, history);
    const stage: Stage = {
      world,
      github,
      random,
      history,
      isPaired: async (recordType, recordId) =>
        (await store.ledger.lanesOfRecord(recordType, recordId)).some(
          ({ base, tombstone }) => base !== null && tombstone === null,
        ),
    };
    setFaults(github);
    for (let step = 0; step < steps; step += 1) await takeStep(stage, test, workers);
    await comeToRest(test, workers, history);
    const apiCalls = github.calls({});
    const ledger = await readLedger(store);
    const restless = await listenToSilence(test);
    const verdict = await judge({ world, github, history, ledger });
    const stuck = [...verdict.stuck, ...workers.trespasses, ...restless];
    const judged = { ...verdict, stuck };
    const failures = [judged.differing, judged.lost, judged.duplicates, stuck];
    const requests = github.requests.map(
      ({ method, path, query, body, status }) =>
        `${method} ${path}${query} ${body} ${String(status)}`,
    );
    return {
      ...judged,
      seed,
      converged: failures.every((list) => list.length === 0),
      edits: history.edits,
      apiCalls,
      story: history.story,
      ledger: ledger.events.map(({ line }) => line),
      trace: hashOf([...history.story, ...requests, ...ledger.events.map((each) => each.line)]),
    };
  } finally {
    await test.close();
  }
}

async function takeStep(stage: Stage, test: TestTandem, workers: Workers): Promise<void> {
  const { random, history } = stage;
  await test.github.answered();
  const chance = random();
  if (chance < 0.45) await editSomething(stage);
  else if (chance < 0.5) await test.advance(15_000 + random() * 60_000);
  else if (chance < 0.58) await makeTrouble(test, random, history);
  else if (chance < 0.63) await workers.poll();
  else if (chance < 0.64) await workers.sweep();
  else if (chance < 0.67) await workers.crash();
  else if (chance < 0.7) await workers.land();
  if (random() < 0.7) await test.advance(random() * 1_500);
  await test.github.answered();
  if (random() < 0.7) await workers.work();
  if (random() < 0.7) await workers.goOn(3);
}

/** Faults stop, errored events are restarted, one poll and one sweep run. */
async function comeToRest(test: TestTandem, workers: Workers, history: History): Promise<void> {
  const { tandem } = test;
  await stopTrouble(test, history);
  await workers.finish();
  await test.advance(120_000);
  await test.settleWithin(90);
  await restartErrored(test);
  await test.settleWithin(90);
  // An hour's budget of requests that was spent starts anew.
  await test.advance(3_600_000);
  await tandem.syncNow();
  await test.settleWithin(30);
  await tandem.sweepNow();
  await test.settleWithin(30);
}

async function restartErrored({ tandem }: TestTandem): Promise<void> {
  const errored = await tandem.services.store.ledger.events({ state: "errored", limit: 1_000 });
  for (const { id } of errored) {
    await tandem.fetch(
      new Request(`http://localhost/api/events/${id}/restart`, { method: "POST" }),
    );
  }
}

/** Where nothing happens Tandem is quiet: it asks nothing but what a poll asks, and writes nothing. */
async function listenToSilence(test: TestTandem): Promise<readonly string[]> {
  test.github.clearRequests();
  await test.advance(3_600_000);
  await test.settleWithin(60);
  const calls = test.github.calls({});
  await test.tandem.syncNow();
  await test.tandem.sweepNow();
  await test.settleWithin(60);
  const writes = test.github.calls({ writes: true });
  return [
    ...(calls === 0 ? [] : [`${String(calls)} calls while nothing happened`]),
    ...(writes === 0 ? [] : [`${String(writes)} writes while nothing happened`]),
  ];
}

function hashOf(lines: readonly string[]): string {
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16);
}
