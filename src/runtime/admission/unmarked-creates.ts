/** Resources that arrived while an unmarked create was open: which lane's create made them. */
import type { ParentState } from "../../engine/processing/index.ts";
import { postpone, trust } from "../../engine/lane/index.ts";
import {
  awaitStill,
  INTENT_DEADLINE_MS,
  letGo,
  ownerByContent,
  takeOver,
} from "../../engine/creates/index.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Observation, ResourceRef } from "../../model/observation.ts";
import type { FoundLane, StoreTransaction } from "../../store/store.ts";
import type { Claimed, ClaimedLane, DirectorySnapshot, Services } from "../services/index.ts";
import { ResourceTakenError } from "../failures/index.ts";
import { lockClaimed, lockClaimedAmong, save } from "../claims/index.ts";
import { parentState } from "../records/index.ts";

/** The delay before a create searches again, if another create of the same content got the resource that it found. */
const AGAIN_MS = 1_000;

type OpenCreate = FoundLane<{ readonly kind: "open_creates" }>;

/**
 * Lets a waiting event continue if no create is open any more, and postpones it otherwise. `overdue`: its deadline
 * has passed, and the content must decide.
 */
export async function passOrWait(
  tx: StoreTransaction,
  claimed: Claimed,
  held: ClaimedLane,
): Promise<ClaimedLane | "waits" | "overdue" | null> {
  const { lane, start, event } = held;
  const answer = trust(lane, event);
  if (answer.kind !== "wait" || answer.why !== "creates_open") return held;
  const open = await openIntents(tx, lane.connectionId, lane.resourceType);
  if (open.length === 0) {
    await save(tx, held, letGo(start, event, tx.now));
    return lockClaimed(tx, claimed);
  }
  if (answer.until <= tx.now || open.every(({ stalled }) => stalled)) return "overdue";
  await save(tx, held, awaitStill(start, event, tx.now));
  return "waits";
}

/**
 * The creates that may have made a resource without a token, by connection and type: the unmarked ones. If a person
 * may have edited the token away, every other unanswered create counts as well.
 */
export async function openIntents(
  tx: StoreTransaction,
  connectionId: Lane["connectionId"],
  resourceType: string,
  mayBeEdited = true,
): Promise<readonly OpenCreate[]> {
  return tx.findLanes({
    kind: "open_creates",
    connectionId,
    resourceType,
    withToken: mayBeEdited,
    stalledSince: addMillis(tx.now, -INTENT_DEADLINE_MS),
  });
}

/** Decides by content after a waiting event's deadline. Returns `true` if it continues as an ordinary new resource. */
export async function decideByContent(
  services: Services,
  claimed: Claimed,
  waiting: Pick<Lane, "connectionId" | "resourceType">,
  book: DirectorySnapshot,
): Promise<boolean> {
  return services.store.transaction(async (tx) => {
    const open = await openIntents(tx, waiting.connectionId, waiting.resourceType);
    const ids = open.map(({ id }) => id);
    const held = await lockClaimedAmong(tx, claimed, ids);
    if (held === null) return false;
    const context = book.context(held.lane, tx.now);
    const rivals: Lane[] = [];
    for (const lane of held.others) {
      const parent = await parentState(tx, lane, context);
      if (isIn(parent, held.lane.parent)) rivals.push(lane);
    }
    const owner = ownerByContent(held.lane, rivals, context);
    switch (owner.kind) {
      case "nobody":
        await save(tx, held, letGo(held.start, held.event, tx.now));
        return true;
      case "wait":
        await save(tx, held, awaitStill(held.start, held.event, tx.now));
        return false;
      case "lane": {
        const after = takeOver({ lane: owner.lane, ended: [] }, held.lane, tx.now);
        await tx.removeLane(held.lane.id);
        await tx.saveLanes([{ before: owner.lane, after }]);
        await tx.wakeAwaitingIntent(waiting.connectionId, waiting.resourceType);
        return false;
      }
    }
  });
}

/** Whether a create below one parent may have made a resource whose observed parent is `seen`. */
export function isIn(parent: ParentState, seen: ResourceRef | null): boolean {
  if (parent === null || parent === "none" || "ended" in parent) return true;
  return parent.externalId === seen?.externalId;
}

/** `taken`: the lane of the create, after it took over the events that waited in the resource's own lane. */
export type Named =
  | { readonly kind: "taken"; readonly start: Transition; readonly held: ClaimedLane }
  /** Another create of the same content has the resource: this create made another one, or must still be sent. */
  | { readonly kind: "again" }
  | { readonly kind: "lost" };

/**
 * Locks a claimed lane, and after a create also the lane that the named resource may have of its own. The resource
 * was named by an answer or a read-back.
 *
 * @param created Whether the request was a create.
 * @throws ResourceTakenError where the resource has a record of its own.
 */
export async function holdNamed(
  tx: StoreTransaction,
  claimed: Claimed,
  connectionId: Lane["connectionId"],
  named: Observation,
  created: boolean,
): Promise<Named> {
  const known = created
    ? await tx.findLanes({
        kind: "of_resources",
        connectionId,
        resourceType: named.type,
        externalIds: [named.externalId],
      })
    : [];
  const ids = known.flatMap(({ id }) => (id === claimed.lane ? [] : [id]));
  const held = await lockClaimedAmong(tx, claimed, ids);
  if (held === null) return { kind: "lost" };
  const [other] = held.others.filter(({ externalId }) => externalId === named.externalId);
  if (other === undefined || held.lane.externalId !== null) {
    return { kind: "taken", start: held.start, held };
  }
  if (other.awaitingIntent !== null) {
    await tx.removeLane(other.id);
    return { kind: "taken", start: takeOver(held.start, other, tx.now), held };
  }
  if (held.lane.intent?.tokenless !== true || other.intent?.tokenless !== true) {
    throw new ResourceTakenError(other);
  }
  const again = postpone(held.start, held.event, tx.now, {
    reason: "awaiting_intent",
    runAt: addMillis(tx.now, AGAIN_MS),
  });
  await save(tx, held, again);
  return { kind: "again" };
}
