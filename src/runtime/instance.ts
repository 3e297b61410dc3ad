/** The guard before everything that posts: is this database ours, and where it was? */
import { judgeInstance, takeUpAgain } from "../engine/instance.ts";
import type { Clock } from "../model/clock.ts";
import type { LaneId } from "../model/ids.ts";
import { addMillis, type Instant } from "../model/instant.ts";
import type { Store } from "../store/store.ts";
import { drainChanges } from "./drain.ts";
import type { Log } from "./log.ts";
import type { Services } from "./services.ts";

/** How long an answer holds: a database does not become another under a running process. */
const HOLDS_MS = 60_000;

/** What somebody who meets a foreign database can do. */
export const FOREIGN_REMEDY =
  "`tandem approve instance` goes on with this copy; everything is read again first.";

export interface InstanceGuard {
  /** Why nothing may be posted, or `null`. */
  foreign(): Promise<string | null>;
  /** Makes the database this instance's own. */
  adopt(): Promise<void>;
}

export function createInstanceGuard(
  { instance }: Pick<Store, "instance">,
  name: string | null,
  clock: Clock,
  log: Log,
): InstanceGuard {
  let goodUntil: Instant | null = null;
  let told = false;
  return {
    async foreign() {
      if (goodUntil !== null && clock.now() < goodUntil) return null;
      const { stored, place } = await instance.read();
      const verdict = judgeInstance(stored, { name, place });
      if (verdict.kind === "foreign") {
        if (!told) {
          log.error(
            { code: "foreign_instance", why: verdict.why, fix: FOREIGN_REMEDY },
            "nothing is worked on until it is approved",
          );
        }
        told = true;
        return verdict.why;
      }
      if (verdict.kind === "new")
        await instance.adopt({ name, place: place ?? stored?.place ?? null });
      goodUntil = addMillis(clock.now(), HOLDS_MS);
      told = false;
      return null;
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
