/** Claiming due events of many lanes in one transaction, which also decides first steps and ends inbound events. */
import {
  claim,
  disableLane,
  disableWaiting,
  expireLeases,
  nextEvent,
  unchanged,
} from "../../engine/lane/index.ts";
import { type Slots, fairShare } from "../../engine/limits/index.ts";
import { awaitPairing } from "../../engine/reconcile/index.ts";
import type { AccountId, LaneId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { isContention } from "../../store/database/index.ts";
import { RecordWriteError } from "../../store/rules/index.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import { saveDecided } from "../claims/index.ts";
import { applyBatch } from "../inbound/index.ts";
import { decideEdits } from "../outbound/index.ts";
import type { BegunWrite, Claimed, DirectorySnapshot, Services } from "../services/index.ts";
import { describeError } from "../failures/index.ts";

/**
 * Claims up to `limit` due events, one of each lane, and decides the first step of those that a batch can decide.
 *
 * @param slots The slots in use by account, to give each account its share. Absent: the longest wait comes first.
 */
export async function claimDue(
  services: Services,
  book: DirectorySnapshot,
  worker: string,
  leaseMillis: number,
  limit: number,
  slots: Slots | null = null,
): Promise<readonly Claimed[]> {
  if ((await services.instance.checkIdentity()) !== null) return [];
  const by: Claimant = { worker, leaseMillis, limit, slots };
  try {
    return await claimAndBegin(services, book, by, (tx, claimed) =>
      decideEdits(tx, claimed, book, services),
    );
  } catch (error) {
    if (!(error instanceof RecordWriteError) && !isContention(error)) throw error;
    services.log.warn(describeError(error), "a batch of writes failed; each is processed singly");
    return claimAndBegin(services, book, by, () => Promise.resolve(new Map()));
  }
}

interface Claimant {
  readonly worker: string;
  readonly leaseMillis: number;
  readonly limit: number;
  readonly slots: Slots | null;
}

type Begin = (
  tx: StoreTransaction,
  claimed: readonly Decided[],
) => Promise<ReadonlyMap<LaneId, BegunWrite>>;

async function claimAndBegin(
  services: Services,
  book: DirectorySnapshot,
  { worker, leaseMillis, limit, slots }: Claimant,
  begin: Begin,
): Promise<readonly Claimed[]> {
  const turns = slots === null || !book.isShared ? [Infinity] : fairShare(slots);
  // Read our clock before the database grants the lease, so that we never believe in it for longer than the database
  // does.
  const ownUntil = addMillis(services.clock.now(), leaseMillis);
  return services.store.transaction(async (tx) => {
    const claimed: Claimed[] = [];
    const holds = new Map(slots?.held);
    const isFull = (account: AccountId | null, share: number) =>
      account !== null && (holds.get(account) ?? 0) >= share;
    /**
     * Claims due events of accounts below their share. `all`: every due event was considered. `left_out`: accounts
     * with a full share were excluded. `passed_over`: an account reached its share during this query.
     */
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
      // Events of a full account may have used up the query's limit, so query again without that account.
      do seen = await look(share);
      while (seen === "passed_over" && claimed.length < limit);
      if (seen === "all" || claimed.length === limit) break;
    }
    return claimed;
  });
}

const UNMAPPED = { cause: "unmapped", why: "not mapped any more" } as const;

/**
 * Ends due inbound events that need only the database, many lanes in one transaction; returns their number. The other
 * events are claimed and processed singly. `null` if the transaction failed for any reason: then all events are left,
 * and a claim reports the error if the database is unreachable.
 */
export async function processDueBatch(
  services: Services,
  book: DirectorySnapshot,
  worker: string,
  limit: number,
): Promise<number | null> {
  if ((await services.instance.checkIdentity()) !== null) return 0;
  try {
    return await services.store.transaction(async (tx) => {
      const lanes = await tx.lockDueLanes(limit);
      const open = lanes.map((before): Decided => ({ before, after: unchanged(before) }));
      return (await applyBatch(tx, open, worker, book)).ended;
    });
  } catch (error) {
    services.log.warn(
      describeError(error),
      "a batch of inbound events failed; each is processed singly",
    );
    return null;
  }
}

/**
 * Disables events instead of claiming them if their direction or pairing was switched off. Events of an unpaired lane
 * keep waiting while a backfill pairs what exists on both sides.
 */
function leaveUnready(lane: Lane, book: DirectorySnapshot, now: Instant): Transition {
  if (book.mapping(lane) === null) return disableLane(lane, UNMAPPED, now);
  const open = disableWaiting(lane, book.context(lane, now).switchedOff, now);
  const pairing = book.contact(lane.connectionId)?.connection.pairing ?? [];
  if (!pairing.includes(lane.resourceType)) return open;
  const { lane: waiting, ended } = awaitPairing(open.lane, now);
  return { lane: waiting, ended: [...open.ended, ...ended] };
}

/** Requeues events whose lease expired; returns how many. */
export async function passOnLeases(services: Services): Promise<number> {
  return services.store.transaction(async (tx) => {
    const lanes = await tx.lockExpiredLanes(100);
    await tx.saveLanes(lanes.map((before) => ({ before, after: expireLeases(before, tx.now) })));
    return lanes.length;
  });
}
