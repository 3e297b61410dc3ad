/** Claiming what is due: many lanes in one transaction, with what can be begun or ended of them at once. */
import {
  claim,
  disableLane,
  disableWaiting,
  expireLeases,
  nextEvent,
  unchanged,
} from "../../engine/lane/index.ts";
import { type Places, shares } from "../../engine/limits/index.ts";
import { awaitPairing } from "../../engine/reconcile/index.ts";
import type { AccountId, LaneId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { isContention } from "../../store/database/index.ts";
import { RecordWriteError } from "../../store/rules/index.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import { saveDecided } from "../claims/index.ts";
import { applyBatch } from "../inbound/index.ts";
import { beginWrites } from "../outbound/index.ts";
import {
  type AddressBook,
  type BegunWrite,
  type Claimed,
  type Services,
  describeError,
} from "../services/index.ts";

/**
 * Claims up to `limit` events that are due, one of each lane, and begins what can be begun together.
 *
 * @param places Whose they are that are taken: each account has its share. Absent: who waits longest.
 */
export async function claimDue(
  services: Services,
  book: AddressBook,
  worker: string,
  leaseMillis: number,
  limit: number,
  places: Places | null = null,
): Promise<readonly Claimed[]> {
  if ((await services.instance.foreign()) !== null) return [];
  const by: Claimant = { worker, leaseMillis, limit, places };
  try {
    return await claimAndBegin(services, book, by, (tx, claimed) =>
      beginWrites(tx, claimed, book, services),
    );
  } catch (error) {
    if (!(error instanceof RecordWriteError) && !isContention(error)) throw error;
    services.log.warn(
      describeError(error),
      "writes could not be begun together; each is tried alone",
    );
    return claimAndBegin(services, book, by, () => Promise.resolve(new Map()));
  }
}

interface Claimant {
  readonly worker: string;
  readonly leaseMillis: number;
  readonly limit: number;
  readonly places: Places | null;
}

type Begin = (
  tx: StoreTransaction,
  claimed: readonly Decided[],
) => Promise<ReadonlyMap<LaneId, BegunWrite>>;

async function claimAndBegin(
  services: Services,
  book: AddressBook,
  { worker, leaseMillis, limit, places }: Claimant,
  begin: Begin,
): Promise<readonly Claimed[]> {
  const turns = places === null || !book.isShared ? [Infinity] : shares(places);
  // Read before the database gives the lease, so that it is no longer here than there.
  const ownUntil = addMillis(services.clock.now(), leaseMillis);
  return services.store.transaction(async (tx) => {
    const claimed: Claimed[] = [];
    const holds = new Map(places?.held);
    const isFull = (account: AccountId | null, share: number) =>
      account !== null && (holds.get(account) ?? 0) >= share;
    /** Says whether it saw all who wait, or who had their share was left out or passed over. */
    async function look(share: number): Promise<"all" | "left_out" | "passed_over"> {
      const full = book.contacts.filter(({ account }) => isFull(account.id, share));
      const leftOut = full.map(({ connection }) => connection.id);
      const decided: Decided[] = [];
      const taken: (Omit<Claimed, "begun"> & Decided)[] = [];
      let passedOver = false;
      for (const before of await tx.lockDueLanes(limit - claimed.length, leftOut)) {
        const account = book.contact(before.connectionId)?.account.id ?? null;
        if (isFull(account, share)) {
          passedOver = true;
          continue;
        }
        const open = leaveUnready(before, book, tx.now);
        const event = nextEvent(open.lane, tx.now);
        if (event === null) {
          if (open.lane !== before) decided.push({ before, after: open });
          continue;
        }
        const after = claim(open.lane, event, worker, tx.now, leaseMillis);
        const { direction, action } = event;
        const { id, resourceType } = before;
        const own = { lane: id, account, direction, action, resourceType, ownUntil };
        taken.push({ ...own, claim: after.claim, before, after });
        if (account !== null) holds.set(account, (holds.get(account) ?? 0) + 1);
      }
      const begun = await begin(tx, taken);
      for (const { before, after, ...own } of taken) {
        const write = begun.get(own.lane);
        decided.push({ before, after: write?.after ?? after });
        claimed.push({ ...own, begun: write?.begun ?? null });
      }
      await saveDecided(tx, decided);
      if (passedOver) return "passed_over";
      return full.length > 0 ? "left_out" : "all";
    }
    for (const share of turns) {
      let seen: Awaited<ReturnType<typeof look>>;
      // Who is passed over stood before others: these are looked for without them.
      do seen = await look(share);
      while (seen === "passed_over" && claimed.length < limit);
      if (seen === "all" || claimed.length === limit) break;
    }
    return claimed;
  });
}

const UNMAPPED = { cause: "unmapped", why: "not mapped any more" } as const;

/**
 * Ends what is due and needs nothing but the database, many lanes in one transaction; returns how many
 * were. What is left is claimed and worked on alone. `null` where the database did not do it, for
 * whatever reason: all is left then, and a claim will say it if the database is out of reach.
 */
export async function processDueBatch(
  services: Services,
  book: AddressBook,
  worker: string,
  limit: number,
): Promise<number | null> {
  if ((await services.instance.foreign()) !== null) return 0;
  try {
    return await services.store.transaction(async (tx) => {
      const lanes = await tx.lockDueLanes(limit);
      const open = lanes.map((before): Decided => ({ before, after: unchanged(before) }));
      return (await applyBatch(tx, open, worker, book)).ended;
    });
  } catch (error) {
    services.log.warn(
      describeError(error),
      "what was due could not be ended together; it is tried alone",
    );
    return null;
  }
}

/**
 * What waits in a direction, or a pairing, that was switched off is disabled instead of claimed; what
 * has no counterpart waits on while a backfill pairs what exists on both sides.
 */
function leaveUnready(lane: Lane, book: AddressBook, now: Instant): Transition {
  if (book.mapping(lane) === null) return disableLane(lane, UNMAPPED, now);
  const open = disableWaiting(lane, book.context(lane, now).switchedOff, now);
  const pairing = book.contact(lane.connectionId)?.connection.pairing ?? [];
  if (!pairing.includes(lane.resourceType)) return open;
  const { lane: waiting, ended } = awaitPairing(open.lane, now);
  return { lane: waiting, ended: [...open.ended, ...ended] };
}

/** Puts events whose worker did not finish in time back in the queue; returns how many. */
export async function passOnLeases(services: Services): Promise<number> {
  return services.store.transaction(async (tx) => {
    const lanes = await tx.lockExpiredLanes(100);
    await tx.saveLanes(lanes.map((before) => ({ before, after: expireLeases(before, tx.now) })));
    return lanes.length;
  });
}
