/**
 * One simulated history: random edits on both sides, with every fault enabled and the real runtime between
 * them, on virtual time. Then the faults stop, and both ends must agree.
 */
import { createHash } from "node:crypto";
import type { AnyConfig } from "../../config.ts";
import type { Failpoint } from "../../runtime/services/index.ts";
import type { Store } from "../../store/store.ts";
import { createTestTandem, type TestTandem } from "../test-tandem.ts";
import { type AppWorld, type ConnectedSite, OUR_LOGINS, type Site } from "./world/index.ts";
import type { Random } from "../../model/clock.ts";
import { Chance } from "./chance.ts";
import { connectAll, editSomething, type Stage } from "./people/index.ts";
import {
  type Fetch,
  History,
  type LedgerView,
  LedgerWatch,
  NO_REMOTE_EDITS,
  readLedger,
  type RemoteEditCounts,
  RemoteEdits,
  Traffic,
  type TrafficListener,
  type Turn,
} from "./history/index.ts";
import { type Fault, type Move, planHistory } from "./plan.ts";
import { makeTrouble, restartErrored, setFaults, stopTrouble, webhooksOf } from "./troubles.ts";
import { behindIn, isUpheld, judgeHistory, type Verdict } from "./judge/index.ts";
import { Workers } from "./workers.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly world: AppWorld;
  /** The number of moves. Default: 80. */
  readonly steps?: number;
  /** Run only these of the seed's moves. Default: all. */
  readonly moves?: readonly number[];
  /** Faults that are switched off. Default: none. */
  readonly without?: readonly Fault[];
  /** Plants a bug that the verdict must find: between Tandem and its store, or the network. */
  readonly doctor?: {
    readonly store?: (store: Store) => Store;
    readonly network?: (fetch: Fetch) => Fetch;
  };
}

export interface SimulationResult {
  readonly seed: number;
  readonly verdict: Verdict;
  /** Whether every invariant held. */
  readonly converged: boolean;
  readonly edits: number;
  readonly apiCalls: number;
  readonly remote: RemoteEditCounts;
  /** The failpoints at which workers died. */
  readonly deaths: readonly Failpoint[];
  /** The rare happenings, once for each occurrence. */
  readonly turns: readonly Turn[];
  readonly story: readonly string[];
  /** All events, in the order of their creation. */
  readonly ledger: readonly string[];
  /** The ids of the moves that ran. */
  readonly moves: readonly number[];
  /** A hash of the history: the same in every run of a seed. */
  readonly trace: string;
}

/** How long Tandem waits for the app to give a user's token. */
const PATIENCE_MS = 5_000;
/** The pause between a record's edits in even seeds, as in production. Odd seeds have none. */
const WRITE_PAUSE_MS = 2_000;
/** The move number of a history's end, beyond all numbers of moves. */
const THE_END = 1_000_000;

/** Runs and judges one history. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, world, steps = 80, without = [] } = options;
  const chance = new Chance(seed);
  const random = chance.stream();
  const unlucky = chance.stream();
  let eager: Random | null = null;
  const history = new History();
  const watch = new LedgerWatch();
  const remoteEdits = new RemoteEdits();
  const webhooks = webhooksOf(world.kind, seed);
  const moves = planHistory(seed, steps, world.kind).filter(
    ({ id }) => options.moves?.includes(id) ?? true,
  );
  await world.prepare();
  const listener: TrafficListener = {
    heard: (text, isList, answer, by, asks) => {
      const saying = history.hear(text, isList);
      if (answer.status === 304) remoteEdits.heardNothingNew(asks, answer, by);
      else remoteEdits.heard(saying, answer, by);
      return saying;
    },
    takesEffect: (sender) => {
      remoteEdits.takesEffect(sender);
    },
    missed: (body) => {
      history.miss(body);
    },
  };
  let traffic = new Traffic(globalThis.fetch, listener);
  let arriving: Promise<unknown> = Promise.resolve();
  // At most half a minute: Tandem must not decide the order of edits by comparing two clocks.
  let ahead = offsetOf(without.includes("clock-offset") ? 0 : random(), random());
  const test = await createTestTandem({
    config: safe(world.config, seed % 2 === 0),
    ...world.clock,
    seed,
    chance: { tandem: chance.stream(), github: () => chance.stream() },
    githubAheadMillis: ahead,
    listenIn: (fetch) => {
      const network = remoteEdits.watch(options.doctor?.network?.(fetch) ?? fetch);
      traffic = new Traffic(network, listener);
      return traffic.fetch;
    },
    onWebhook: (payload, receive) => {
      remoteEdits.heard(history.hear(payload));
      // If the machine would decide their order, receive webhooks one after the other, in the order of sending.
      const received = world.order === "own" ? receive() : arriving.then(receive);
      arriving = Promise.allSettled([arriving, received]).then(() => undefined);
      return received;
    },
    // Covers both ways: a webhook is ingested as it is stored, or waits for a worker.
    takesIn: () => (eager !== null && eager() < 0.5 ? "receiver" : null),
    wrapStore: (store) => {
      const watched = watch.watch(store);
      return options.doctor?.store?.(watched) ?? watched;
    },
  });
  try {
    const { github } = test;
    const { services } = test.tandem;
    const { store } = services;
    const { places, sites } = await connectAll(test, world.kind, seed);
    for (const site of sites) history.names.call(site, site.repository);
    history.follow(github, (login) => OUR_LOGINS.has(login) && !remoteEdits.isPerson);
    remoteEdits.follow(github);
    const workers = new Workers({
      ...{ services, traffic, history, watch, random },
      linking: world.kind === "moving",
      beats: chance.stream(),
      dying: without.includes("failpoints") ? null : unlucky,
    });
    eager = chance.stream();
    // GitHub may have timed out on a webhook that is still being stored.
    const allArrived = async () => {
      await github.answered();
      for (let last = null; last !== arriving; await last) last = arriving;
    };
    const arrived = world.order === "machine" ? allArrived : null;
    // Stall until the last moment, so that webhooks that arrive meanwhile are stored before a worker continues.
    world.tokens.stall = async () => {
      await test.advance(PATIENCE_MS - 1);
      if (arrived !== null) await arrived();
      await test.advance(1);
    };
    const stage: Stage = {
      world,
      github,
      random,
      history,
      remoteEdits,
      setBack: (millis) => {
        ahead -= millis;
        test.setGitHubAhead(ahead);
      },
      sites,
      places,
      isSettled: async ({ id }, number) => {
        const place = places.find((each) => each.id === id);
        if (place === undefined) return true;
        const { connection } = place;
        return store.transaction(async (tx) => {
          const found = await tx.findLanes({
            kind: "of_resources",
            connectionId: connection,
            resourceType: "issue",
            externalIds: [String(number)],
          });
          const [lane] = await tx.lockLanes(found.map((each) => each.id));
          return lane?.base !== undefined && lane.base !== null && lane.attempt === null;
        });
      },
      counterpartOf: async (recordType, recordId) => {
        const lanes = await store.ledger.lanesOfRecord(recordType, recordId);
        const found = lanes.find(({ base, tombstone }) => base !== null && tombstone === null);
        return found?.externalId === undefined || found.externalId === null
          ? null
          : Number(found.externalId);
      },
      isPaired: async (recordType, recordId) =>
        (await store.ledger.lanesOfRecord(recordType, recordId)).some(
          ({ base, tombstone }) => base !== null && tombstone === null,
        ),
    };
    setFaults(github, without, webhooks);
    for (const move of moves) {
      chance.enter(move.id);
      // An app's edit is one transaction, so a webhook is ingested before it or after it, not during it.
      if (arrived !== null || move.kind === "edit") await allArrived();
      await make(move, stage, test, workers, places);
    }
    chance.enter(THE_END);
    if (arrived !== null) await arrived();
    const end = { world, history, traffic, arrived, places, sites, webhooks };
    const { overdue, behind } = await comeToRest(test, workers, end);
    const requests = [...github.requests];
    const ledger = await readLedger(store);
    const restless = await listenToSilence(test);
    const verdict = await judgeHistory({
      ...{
        world,
        places,
        sites,
        github,
        history,
        ledger,
        watch,
        requests,
        behind,
        overdue,
        restless,
      },
      happenings: moves.filter(isCause).length + workers.deaths.length + history.calls,
    });
    const unnamed = remoteEdits.unnamed(ledger, places);
    const asked = requests.map(
      ({ method, path, query, body, status }) =>
        `${method} ${path}${query} ${body} ${String(status)}`,
    );
    return {
      seed,
      verdict,
      converged: isUpheld(verdict),
      edits: history.edits,
      apiCalls: requests.length,
      // With several repositories the count cannot tell their issues apart.
      remote: world.kind === "moving" ? NO_REMOTE_EDITS : remoteEdits.counts(unnamed),
      deaths: workers.deaths,
      turns: [...history.turns, ...turnsIn(ledger)],
      story: history.story,
      ledger: ledger.events.map(({ line }) => line),
      moves: moves.map(({ id }) => id),
      trace: hashOf([...history.story, ...asked, ...ledger.events.map((each) => each.line)]),
    };
  } finally {
    await test.close();
  }
}

/** The rare outcomes in Tandem's ledger. */
function turnsIn({ events }: LedgerView): readonly Turn[] {
  return events.flatMap(({ reason }): readonly Turn[] => {
    if (reason === "followed_move") return ["Tandem followed a move"];
    if (reason === "moved_away") return ["Tandem took an issue for moved away"];
    return reason === "author_linked" ? ["Tandem linked an author"] : [];
  });
}

/** As in production, each write reads first. `paced`: a record's edits also wait for each other. */
function safe(config: AnyConfig, paced: boolean): AnyConfig {
  const pause = paced ? { writePause: WRITE_PAUSE_MS } : {};
  return { ...config, safety: { ...config.safety, readFreshness: false, ...pause } };
}

/** Whether a move can cause calls. The others only let time pass, or let work continue. */
function isCause({ kind }: Move): boolean {
  return kind !== "tick" && kind !== "work" && kind !== "network" && kind !== "answers";
}

function offsetOf(chance: number, size: number): number {
  return chance < 0.5 ? 0 : Math.round((size - 0.5) * 60_000);
}

async function make(
  move: Move,
  stage: Stage,
  test: TestTandem,
  workers: Workers,
  places: readonly ConnectedSite[],
): Promise<void> {
  const { random, history } = stage;
  await test.github.answered();
  switch (move.kind) {
    case "edit":
      return editSomething(stage);
    case "wait":
      return test.advance(15_000 + random() * 60_000);
    case "trouble":
      return makeTrouble(test, random, history, places);
    case "poll":
      return workers.poll();
    case "sweep":
      return workers.sweep();
    case "crash":
      return workers.crash();
    case "land":
      return workers.land();
    case "tick":
      return test.advance(random() * 1_500);
    case "work":
      return workers.work();
    case "network":
      return workers.goOn(3);
    case "answers":
      return workers.answerAll();
  }
}

interface End {
  readonly world: AppWorld;
  readonly history: History;
  readonly traffic: Traffic;
  /** `null` if sent webhooks are always received before the next step. */
  readonly arrived: (() => Promise<void>) | null;
  readonly places: readonly ConnectedSite[];
  readonly sites: readonly Site[];
  readonly webhooks: ReturnType<typeof webhooksOf>;
}

/**
 * Stops the faults, restarts errored events, then runs one poll and one sweep. Returns the events that hung,
 * and the differences that were left after the poll.
 */
async function comeToRest(
  test: TestTandem,
  workers: Workers,
  { world, history, traffic, arrived, places, sites, webhooks }: End,
): Promise<{ readonly overdue: readonly string[]; readonly behind: readonly string[] }> {
  const { tandem, github } = test;
  await stopTrouble(test, history, places, webhooks);
  await workers.finish();
  await test.advance(120_000);
  if (arrived !== null) await arrived();
  await test.settleWithin(90);
  const overdue = hangingIn(await readLedger(tandem.services.store));
  await restartErrored(tandem, history);
  await test.settleWithin(90);
  // The hourly rate limit resets.
  await test.advance(3_600_000);
  await traffic.polling(() => tandem.syncNow());
  await test.settleWithin(30);
  const ledger = await readLedger(tandem.services.store);
  const behind = await behindIn({ world, github, places, sites, history, ledger });
  await traffic.polling(() => tandem.sweepNow());
  await test.settleWithin(30);
  return { overdue, behind };
}

/**
 * Events that hang: leases and backoffs are over, so an event that is neither ended nor errored must not wait,
 * unless it waits for a failed parent.
 */
function hangingIn({ lanes }: LedgerView): readonly string[] {
  const live = lanes.flatMap((lane) => lane.live);
  const hasFailed = live.some(({ state }) => state === "errored");
  return live
    .filter(({ state }) => state === "queued" || state === "processing")
    .filter(({ reason }) => !(hasFailed && reason === "awaiting_parent"))
    .map(
      ({ laneId, direction, state, reason }) => `lane ${laneId}: ${direction} ${state} ${reason}`,
    );
}

/** Without changes Tandem is idle: it makes no request except those of polls, and writes nothing. */
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
