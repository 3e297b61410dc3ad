/** What no token tells: whose create a resource is that came in while one without a token was open. */
import type { ParentState } from "../../engine/processing/index.ts";
import { postpone } from "../../engine/lane/index.ts";
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
import type { StoreTransaction } from "../../store/store.ts";
import {
  type AddressBook,
  type Claimed,
  type Held,
  PairedElsewhereError,
  type Services,
} from "../services/index.ts";
import { hold, holdAmong, save } from "../claims/index.ts";
import { parentState } from "../records/index.ts";

/** A resource that two creates of one content may both have made is looked for again this soon. */
const AGAIN_MS = 1_000;

/**
 * Lets a waiting event go on where no create is open any more, and else sends it back to wait.
 * `overdue`: its time is up, and its content decides.
 */
export async function passOrWait(
  tx: StoreTransaction,
  claimed: Claimed,
  held: Held,
): Promise<Held | "waits" | "overdue" | null> {
  const { lane, start, event } = held;
  if (lane.awaitingIntent === null) return held;
  const open = await openIntents(tx, lane.connectionId, lane.resourceType);
  if (open.length === 0) {
    await save(tx, held, letGo(start, event, tx.now));
    return hold(tx, claimed);
  }
  if (lane.awaitingIntent <= tx.now || open.every(({ stalled }) => stalled)) return "overdue";
  await save(tx, held, awaitStill(start, event, tx.now));
  return "waits";
}

/**
 * Creates that may have made a resource without a token, of a type and connection: those that left without
 * one, and, where somebody may have edited it away, every other that was not answered.
 */
export async function openIntents(
  tx: StoreTransaction,
  connectionId: Lane["connectionId"],
  resourceType: string,
  mayBeEdited = true,
): ReturnType<StoreTransaction["findOpenIntents"]> {
  const since = addMillis(tx.now, -INTENT_DEADLINE_MS);
  const tokenless = await tx.findOpenIntents(connectionId, resourceType, since);
  if (!mayBeEdited) return tokenless;
  const others = await tx.findUnansweredCreates(connectionId, resourceType, since);
  return [...tokenless, ...others.filter(({ id }) => !tokenless.some((one) => one.id === id))];
}

/** The deadline of a waiting event has passed; `true` where it goes on as an ordinary new resource. */
export async function decideByContent(
  services: Services,
  claimed: Claimed,
  waiting: Pick<Lane, "connectionId" | "resourceType">,
  book: AddressBook,
): Promise<boolean> {
  return services.store.transaction(async (tx) => {
    const open = await openIntents(tx, waiting.connectionId, waiting.resourceType);
    const ids = open.map(({ id }) => id);
    const held = await holdAmong(tx, claimed, ids);
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

/** Whether a create under one parent may have made a resource that has the other. */
export function isIn(parent: ParentState, seen: ResourceRef | null): boolean {
  if (parent === null || parent === "none" || "ended" in parent) return true;
  return parent.externalId === seen?.externalId;
}

/** The lane of the create, with what waited in a lane of the resource's own taken over. */
export type Named =
  | { readonly kind: "taken"; readonly start: Transition; readonly held: Held }
  /** A create of the same content has it by now: this one's is another, or is still to be made. */
  | { readonly kind: "again" }
  | { readonly kind: "lost" };

/**
 * Holds the lane of a create (of another request, where `created` is false) together with the lane that the resource named by an answer or a look
 * may have of its own.
 *
 * @throws PairedElsewhereError where the resource has a record of its own.
 */
export async function holdNamed(
  tx: StoreTransaction,
  claimed: Claimed,
  connectionId: Lane["connectionId"],
  named: Observation,
  created: boolean,
): Promise<Named> {
  const known = created
    ? await tx.findLanesByResource(connectionId, named.type, [named.externalId])
    : [];
  const ids = known.flatMap(({ id }) => (id === claimed.lane ? [] : [id]));
  const held = await holdAmong(tx, claimed, ids);
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
    throw new PairedElsewhereError(other);
  }
  const again = postpone(held.start, held.event, tx.now, {
    reason: "awaiting_intent",
    runAt: addMillis(tx.now, AGAIN_MS),
  });
  await save(tx, held, again);
  return { kind: "again" };
}
