/**
 * Children that cannot follow their moved parent: it is out of reach, or its record was deleted or moved away. Their
 * pairings end, and return with the parent.
 */
import { leaveLane, type MoveNews, placeText } from "../../engine/lifecycle/index.ts";
import { liveEvents, requeue, unchanged } from "../../engine/lane/index.ts";
import type { LaneId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { LaneAddress, Place } from "../../model/observation.ts";
import { outlivesRecord, placeOutOfReach, previousAddress } from "../../model/tombstone.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import type { DirectorySnapshot, Services } from "../services/index.ts";
import { mappingsBelow } from "../settings/index.ts";
import { keyText } from "../records/index.ts";
import { findTrail, lanesBelow } from "./trail.ts";

/** A resource's address, and the address it was moved from if its children must still follow. */
type Above = Pick<Lane, "connectionId" | "moved"> & { readonly externalId: string };

/** The lanes of the children of resources, at all addresses of their trails. */
export async function childrenAlong(
  tx: StoreTransaction,
  above: readonly Above[],
  mapping: Mapping,
  services: Services,
): Promise<readonly LaneId[]> {
  const places: LaneAddress[] = [];
  for (const one of above) places.push(...(await placesOf(tx, one, mapping)));
  return childrenAt(tx, places, mapping, services);
}

/**
 * The lanes of children whose parent's record was moved away, and which the app has put below another record. Their
 * resources stay below the parent's resource. The other children leave with the record.
 */
export async function childrenPutElsewhere(
  tx: StoreTransaction,
  left: readonly (Above & Pick<Lane, "recordId">)[],
  mapping: Mapping,
  services: Services,
): Promise<readonly LaneId[]> {
  const result: LaneId[] = [];
  for (const one of left) {
    const places = await placesOf(tx, one, mapping);
    for (const its of mappingsBelow(services, mapping)) {
      const children = await lanesBelow(tx, places, its);
      const ids = children.flatMap(({ recordId }) => recordId ?? []);
      for (const [recordId, row] of await tx.records.read(its, ids)) {
        if (keyText(row[its.parent?.column ?? ""])[0] === one.recordId) continue;
        result.push(...children.filter((child) => child.recordId === recordId).map(({ id }) => id));
      }
    }
  }
  return result;
}

async function placesOf(
  tx: StoreTransaction,
  { connectionId, externalId, moved }: Above,
  { resource }: Mapping,
): Promise<readonly LaneAddress[]> {
  const way = { connectionId, resourceType: resource.type, externalId, moved };
  return [...(await findTrail(tx, way)).places, { connection: connectionId, externalId }];
}

async function childrenAt(
  tx: StoreTransaction,
  places: readonly LaneAddress[],
  mapping: Mapping,
  services: Services,
): Promise<readonly LaneId[]> {
  const result: LaneId[] = [];
  for (const its of mappingsBelow(services, mapping)) {
    result.push(...(await lanesBelow(tx, places, its)).map(({ id }) => id));
  }
  return result;
}

/** Ends the living lanes of children whose parent's resource moved out of reach. */
export function leaveAlong(
  children: readonly Lane[],
  to: Place,
  known: Pick<MoveNews, "source" | "deliveryId">,
  book: DirectorySnapshot,
  now: Instant,
): readonly Decided[] {
  return children
    .filter(({ tombstone }) => tombstone === null)
    .map((child) => {
      const context = book.context(child, now);
      const after = leaveLane(child, placeText(to), { ...known, display: {} }, context);
      return { before: child, after };
    });
}

/**
 * Ends the lane of a child that was created while its parent moved out of reach: it moved with the parent. No webhook
 * could report that, because its id was not known yet.
 */
export async function leaveWithParent(
  tx: StoreTransaction,
  created: Transition,
  book: DirectorySnapshot,
): Promise<Transition> {
  const { connectionId, parent, externalId, tombstone } = created.lane;
  if (parent === null || externalId === null || tombstone !== null) return created;
  const [above] = await tx.findLanes({
    kind: "of_resources",
    connectionId,
    resourceType: parent.type,
    externalIds: [parent.externalId],
  });
  const [parentLane] = above === undefined ? [] : await tx.lockLanes([above.id]);
  const place = placeOutOfReach(parentLane?.tombstone ?? null);
  if (place === null) return created;
  const news = { source: "reread", deliveryId: null, display: {} } as const;
  const left = leaveLane(created.lane, place, news, book.context(created.lane, tx.now));
  return { lane: left.lane, ended: [...created.ended, ...left.ended] };
}

/**
 * Requeues creates below a resource that was moved, and deleted before its children followed. They were redirected to
 * the new address and failed; retried, they end with their parent (S69).
 */
export async function resumeBelow(
  tx: StoreTransaction,
  lane: Lane,
  book: DirectorySnapshot,
  services: Services,
): Promise<void> {
  const { recordId } = lane;
  const mapping = book.mapping(lane);
  const from = previousAddress(lane);
  if (from === null || recordId === null || mapping === null) return;
  for (const its of mappingsBelow(services, mapping)) {
    const ids = await tx.records.childrenOf(its, mapping, [recordId]);
    const below = (
      await tx.findLanes({ kind: "of_records", recordType: its.recordType, recordIds: ids })
    ).filter(
      (one) => one.connectionId === from.connection && one.resourceType === its.resource.type,
    );
    const lanes = await tx.lockLanes(below.map(({ id }) => id));
    const decided = lanes.map((before): Decided => {
      const failed = liveEvents(before, "errored", "outbound").filter(
        ({ error }) => error?.code === "moved",
      );
      const details = {
        reason: "resource_moved",
        attempts: 0,
        error: null,
        runAt: tx.now,
      } as const;
      const after = failed.reduce(
        (start, event) => requeue(start, event, tx.now, details),
        unchanged(before),
      );
      return { before, after };
    });
    await tx.saveLanes(decided);
  }
}

/** Ends the lanes of children at the old addresses if their parent's record was deleted before they followed. */
export async function strandChildren(
  tx: StoreTransaction,
  { connectionId, resourceType, externalId, moved, tombstone }: Lane,
  book: DirectorySnapshot,
  services: Services,
): Promise<void> {
  if (!outlivesRecord(tombstone) || moved === null || externalId === null) return;
  const contact = book.contact(connectionId);
  const mapping = book.mapping({ connectionId, resourceType });
  if (contact === null || mapping === null) return;
  const way = { connectionId, resourceType, externalId, moved };
  const { places } = await findTrail(tx, way);
  const ids = await childrenAt(tx, places, mapping, services);
  const to = { containerId: contact.connection.containerId, externalId };
  const news = { source: "reread", deliveryId: null, display: {} } as const;
  const lanes = await tx.lockLanes(ids);
  await tx.saveLanes(leaveAlong(lanes, to, news, book, tx.now));
}
