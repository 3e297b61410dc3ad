/** The guard before everything that posts: is this database ours, where it was, and as new as it was? */
import {
  judgeInstance,
  missBeat,
  SET_BACK,
  type StoredInstance,
  takeUpAgain,
} from "../engine/instance.ts";
import type { Clock } from "../model/clock.ts";
import type { LaneId } from "../model/ids.ts";
import { addMillis, type Instant } from "../model/instant.ts";
import type { Store } from "../store/store.ts";
import type { BeatMemory } from "./beat-memory.ts";
import { drainChanges } from "./drain.ts";
import type { Log } from "./log.ts";
import type { Services } from "./services.ts";

/** How long an answer holds: a database does not become another under a running process. */
const HOLDS_MS = 60_000;

/** What somebody who meets a foreign database can do. */
export const FOREIGN_REMEDY =
  "`tandem approve instance` goes on with this copy; everything is read again first.";

export interface InstanceGuard {
  /** Why nothing may be posted, or `null`: then this process is at work, which the database is told. */
  foreign(): Promise<string | null>;
  /** The same as far as the database says it; nothing is written. */
  told(): Promise<string | null>;
  /** Makes the database this instance's own. */
  adopt(): Promise<void>;
}

export function createInstanceGuard(
  { instance }: Pick<Store, "instance">,
  name: string | null,
  { clock, log, beats }: { readonly clock: Clock; readonly log: Log; readonly beats: BeatMemory },
): InstanceGuard {
  let goodUntil: Instant | null = null;
  let isTold = false;

  function refuse(why: string): string {
    if (!isTold) {
      log.error(
        { code: "foreign_instance", why, fix: FOREIGN_REMEDY },
        "nothing is worked on until it is approved",
      );
    }
    isTold = true;
    return why;
  }

  /** Whether the database knows what it kept for us before; it is told that we are at work. */
  async function beat(stored: StoredInstance, place: string | null): Promise<boolean> {
    const seen = await beats.recall(place);
    const host = seen?.host ?? beats.newHost();
    let at = await instance.beat(host, seen?.at ?? null);
    if (at === null && seen !== null) {
      if (missBeat(seen, stored, clock.now()) === "set_back") return false;
      at = await instance.beat(host, null);
    }
    if (at !== null) await beats.keep(place, { host, at });
    return true;
  }

  return {
    async foreign() {
      if (goodUntil !== null && clock.now() < goodUntil) return null;
      let { stored, place } = await instance.read();
      const verdict = judgeInstance(stored, { name, place });
      if (verdict.kind === "foreign") return refuse(verdict.why);
      if (verdict.kind === "new") {
        await instance.adopt({ name, place: place ?? stored?.place ?? null });
        ({ stored, place } = await instance.read());
      }
      if (stored !== null && !(await beat(stored, place))) {
        await instance.noteSetBack(SET_BACK);
        return refuse(SET_BACK);
      }
      goodUntil = addMillis(clock.now(), HOLDS_MS);
      isTold = false;
      return null;
    },
    async told() {
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

/** Runs what posts or reads at an integration; a foreign database gets none of it done. */
export async function unlessForeign(
  { instance }: Services,
  work: () => Promise<number>,
): Promise<number> {
  return (await instance.foreign()) === null ? work() : 0;
}

/**
 * A person's word that this copy is the one to go on with. Everything is listed anew, and whatever
 * waits to be written looks at its resource first.
 */
export async function approveInstance(services: Services): Promise<void> {
  const { store } = services;
  await drainOld(services);
  for (const connection of await store.directory.connections()) {
    for (const state of ["queued", "errored", "disabled"] as const) {
      await takeUpLanes(services, connection.id, state);
    }
    const anew = { highWater: {}, etags: {}, polledAt: null, sweptAt: null, localSweptAt: null };
    await store.directory.updateConnection(connection.id, anew);
  }
  await services.instance.adopt();
}

/**
 * What was captured before the backup, and not yet looked at, is as old as what waits. Some of it may be
 * in a worker's hands, which a drain of ours skips: it is waited for, and what the app writes
 * meanwhile is not.
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
  { store }: Services,
  connection: Parameters<Store["directory"]["updateConnection"]>[0],
  state: "queued" | "errored" | "disabled",
): Promise<void> {
  let after: LaneId | null = null;
  do {
    const cursor: LaneId | null = after;
    after = await store.transaction(async (tx) => {
      const lanes = await tx.lockLanesInState(connection, state, 200, cursor ?? undefined);
      await tx.saveLanes(lanes.map((before) => ({ before, after: takeUpAgain(before, tx.now) })));
      return lanes.at(-1)?.id ?? null;
    });
  } while (after !== null);
}
