/** The guard before everything that posts: checks that the database is neither a copy nor set back. */
import { creationValues } from "../../engine/creates/index.ts";
import {
  type Beat,
  judgeInstance,
  type LostCreate,
  missBeat,
  SET_BACK,
  type StoredInstance,
  TAKEN_UP,
  takeUpAgain,
} from "../../engine/limits/index.ts";
import { recordContent } from "../../engine/merge/index.ts";
import type { Clock } from "../../model/clock.ts";
import { actOf, hint, sayHint } from "../../model/acts/hint.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Decided, Store, StoreTransaction } from "../../store/store.ts";
import {
  DirectorySnapshot,
  type InstanceGuard,
  type Log,
  randomToken,
  type Services,
} from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import type { HeartbeatStore } from "./heartbeat-file.ts";
import { drainChanges } from "../outbound/index.ts";

/** How long a result is valid: the database rarely changes under a running process. */
const HOLDS_MS = 60_000;

/**
 * How long other processes have to report that a replica that took over lacks their commits. Their loops rest for at
 * most five seconds while the database is in trouble.
 */
const OTHERS_TELL_MS = 10_000;
const FAILED_OVER =
  "a replica took over: Tandem waits ten seconds for other processes to report commits that it lacks, and then continues";

/** The next step for a person whose database is refused. */
export const FOREIGN_REMEDY = hint`If Tandem should work with this database: ${actOf("instance.approve")}. It then reads every resource again before it sends anything.`;

export function createInstanceGuard(
  { instance }: Pick<Store, "instance">,
  name: string | null,
  {
    clock,
    log,
    beats,
  }: { readonly clock: Clock; readonly log: Log; readonly beats: HeartbeatStore },
): InstanceGuard {
  let goodUntil: Instant | null = null;
  let doubtsThen = 0;
  let failoversThen = 0;
  let othersTellUntil: Instant | null = null;
  let isTold = false;

  function refuse(why: string): string {
    if (!isTold) {
      log.error(
        { code: "foreign_instance", why, fix: sayHint(FOREIGN_REMEDY, "command") },
        "no event is processed until the database is approved",
      );
    }
    isTold = true;
    return why;
  }

  /** Our heartbeat that the database lacks; `null`: it lacks none, and a new heartbeat was written. */
  async function missed(stored: StoredInstance, place: string | null): Promise<Beat | null> {
    const seen = await beats.recall(place);
    const host = seen?.host ?? beats.newHost();
    let at = await instance.beat(host, seen?.at ?? null);
    if (at === null && seen !== null) {
      if (missBeat(seen, stored, clock.now()) === "set_back") return seen;
      at = await instance.beat(host, null);
    }
    if (at !== null) await beats.keep(place, { host, at });
    return null;
  }

  return {
    async checkIdentity() {
      const { doubts, failovers } = instance.noticed();
      if (failovers > failoversThen) {
        failoversThen = failovers;
        othersTellUntil = addMillis(clock.now(), OTHERS_TELL_MS);
        log.info({ code: "failover", why: FAILED_OVER }, "nothing is sent meanwhile");
      }
      if (othersTellUntil !== null && clock.now() < othersTellUntil) return FAILED_OVER;
      if (goodUntil !== null && clock.now() < goodUntil && doubts === doubtsThen) return null;
      let { stored, place } = await instance.read();
      const verdict = judgeInstance(stored, { name, place });
      if (verdict.kind === "foreign") return refuse(verdict.why);
      if (verdict.kind === "new") {
        await instance.adopt({ name, place: place ?? stored?.place ?? null });
        ({ stored, place } = await instance.read());
      }
      const unknown = stored === null ? null : await missed(stored, place);
      if (unknown !== null) {
        await instance.noteSetBack(SET_BACK, unknown.at);
        return refuse(SET_BACK);
      }
      doubtsThen = doubts;
      goodUntil = addMillis(clock.now(), HOLDS_MS);
      isTold = false;
      return null;
    },
    async storedRefusal() {
      const { stored, place } = await instance.read();
      const verdict = judgeInstance(stored, { name, place });
      return verdict.kind === "foreign" ? verdict.why : null;
    },
    async adopt() {
      const { place } = await instance.read();
      await instance.adopt({ name, place });
    },
  };
}

/** Runs work that posts or reads at an integration, unless the database is refused. */
export async function unlessForeign(
  { instance }: Services,
  work: () => Promise<number>,
): Promise<number> {
  return (await instance.checkIdentity()) === null ? work() : 0;
}

/**
 * Approves this copy of the database for use. Everything is listed again, and every waiting write reads its resource
 * first.
 */
export async function approveInstance(services: Services): Promise<void> {
  const { store } = services;
  await drainOld(services);
  const book = await DirectorySnapshot.open(services);
  // The original of a copy may still run, and create the resources that wait in both databases.
  const { stored, place } = await store.instance.read();
  const isAlone = stored !== null && stored.setBack !== null && stored.place === place;
  for (const connection of await store.directory.connections()) {
    for (const state of TAKEN_UP) {
      await takeUpLanes(services, connection.id, state, isAlone ? book : null);
    }
    const anew = { highWater: {}, etags: {}, polledAt: null, sweptAt: null, localSweptAt: null };
    await store.directory.updateConnection(connection.id, anew);
  }
  await services.instance.adopt();
}

/**
 * Drains the captures that exist now, which are as old as the waiting events. A drain skips captures that another
 * worker holds, so this waits until these are gone; it does not wait for later captures.
 */
async function drainOld(services: Services): Promise<void> {
  const { store } = services;
  const until = await store.transaction((tx) => Promise.resolve(tx.now));
  for (;;) {
    await drainChanges(services);
    const oldest = await store.transaction((tx) => tx.changes.oldest());
    if (oldest === null || oldest > until) return;
  }
}

async function takeUpLanes(
  services: Services,
  connection: ConnectionId,
  state: (typeof TAKEN_UP)[number],
  book: DirectorySnapshot | null,
): Promise<void> {
  const { store } = services;
  let after: LaneId | null = null;
  do {
    const cursor: LaneId | null = after;
    after = await store.transaction(async (tx) => {
      const lanes = await tx.lockLanesInState(connection, state, 200, cursor ?? undefined);
      const decided: Decided[] = [];
      for (const before of lanes) {
        const create = book === null ? null : await lostCreate(tx, before, book, services);
        decided.push({ before, after: takeUpAgain(before, tx.now, create) });
      }
      await tx.saveLanes(decided);
      return lanes.at(-1)?.id ?? null;
    });
  } while (after !== null);
}

/** The create that the lane's record would need; `null` if there is no such record, or if it has a resource. */
async function lostCreate(
  tx: StoreTransaction,
  lane: Lane,
  book: DirectorySnapshot,
  { random, log }: Services,
): Promise<LostCreate | null> {
  const mapping = book.mapping(lane);
  const { recordId, externalId, intent, disabled } = lane;
  if (mapping === null || recordId === null || externalId !== null) return null;
  if (intent !== null || disabled !== null) return null;
  const row = (await tx.records.read(mapping, [recordId])).get(recordId);
  if (row === undefined) return null;
  try {
    const values = creationValues(mapping, recordContent(mapping, row));
    return { values, token: randomToken(random) };
  } catch (thrown) {
    log.warn(
      { record: `${lane.recordType}:${recordId}`, ...describeError(thrown) },
      "its resource cannot be searched for, because its mapping fails: check whether one exists",
    );
    return null;
  }
}
