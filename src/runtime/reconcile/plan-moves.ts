/** Planning for resources that a reconcile finds in another container. */
import type { PlannedAction } from "../../engine/lifecycle/index.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { LaneAddress, Place, ResourceMove } from "../../model/observation.ts";
import { isEndedByResource, nextAddress, placeOutOfReach } from "../../model/tombstone.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot, type Contact, type Services } from "../services/index.ts";
import { awayLanes, findReturned, goneOn, isSamePlace } from "../moves/index.ts";

/** A move to follow. */
export interface MovedStep {
  readonly cause: "moved";
  readonly move: ResourceMove;
  readonly actions: readonly PlannedAction[];
}

/** The connection and mapping in which a moved resource was found. */
interface Finding {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
}

/**
 * Whether a lane's parent was moved: the child then is elsewhere and follows, or is out of reach with its parent. A
 * parent that was deleted before its children followed does not count, because its children were deleted with it.
 */
export async function hasMovedWithParent(
  tx: StoreTransaction,
  { connectionId, parent }: Lane,
  movedParents: ReadonlySet<string>,
): Promise<boolean> {
  if (parent === null) return false;
  const { type, externalId } = parent;
  if (movedParents.has(externalId)) return true;
  const passed: LaneAddress[] = [];
  for (let next: LaneAddress | null = { connection: connectionId, externalId }; next !== null;) {
    const place: LaneAddress = next;
    if (passed.some((one) => isSamePlace(one, place))) return false;
    const [above] = await tx.findLanes({
      kind: "of_resources",
      connectionId: place.connection,
      resourceType: type,
      externalIds: [place.externalId],
    });
    if (placeOutOfReach(above?.tombstone ?? null) !== null) return true;
    if (above === undefined || !isEndedByResource(above.tombstone)) return passed.length > 0;
    passed.push(place);
    next = nextAddress(above.tombstone);
  }
  return false;
}

/** Plans the move of a resource whose webhooks were lost: its record follows, or is detached. */
export async function planMoved(
  { services, contact, mapping }: Finding,
  externalId: string,
  to: Place,
): Promise<readonly (MovedStep & Pick<Finding, "mapping">)[]> {
  const { id, integration, containerId } = contact.connection;
  const { type } = mapping.resource;
  const book = await DirectorySnapshot.open(services);
  const told = { type, from: { containerId, externalId }, to, seen: null };
  const isNear = book.ofContainer(integration, to.containerId).length > 0;
  const { found, further } = await services.store.transaction(async (tx) => ({
    found: await tx.findLanes({
      kind: "of_resources",
      connectionId: id,
      resourceType: type,
      externalIds: [externalId],
    }),
    further: isNear ? null : await goneOn(tx, integration, told, book),
  }));
  const kind = isNear || further !== null ? "move" : "detach";
  const actions = found.flatMap(({ recordId }): PlannedAction[] =>
    recordId === null
      ? []
      : [
          {
            kind: `${kind}_record`,
            resourceType: type,
            externalId,
            recordType: mapping.recordType,
            recordId,
            changes: [],
            conflicts: [],
          },
        ],
  );
  return [{ cause: "moved", mapping, move: further ?? told, actions }];
}

/** How many lanes that are out of reach one run reads: those that left last. */
const READS = 500;

/**
 * Plans the return of resources that were out of reach, whose webhooks were lost. A record that was made of such a
 * resource meanwhile is a double and is deleted.
 */
export async function planFromAway({
  services,
  contact,
  mapping,
  signal,
}: Finding & { readonly signal?: AbortSignal }): Promise<
  readonly (MovedStep & Pick<Finding, "mapping">)[]
> {
  const steps: (MovedStep & Pick<Finding, "mapping">)[] = [];
  const book = await DirectorySnapshot.open(services);
  for (const lane of await awayLanes(services, [contact], mapping, READS)) {
    const move = await findReturned(services, lane, mapping, book, signal);
    if (move === null) continue;
    const { recordId, recordType } = lane;
    const doubles = await doublesAt(services, contact, move, recordId, book);
    const action = { resourceType: move.type, recordType, changes: [], conflicts: [] };
    const { externalId } = move.to;
    steps.push({
      cause: "moved",
      mapping,
      move,
      actions: [
        { ...action, kind: "move_record", externalId: lane.externalId, recordId },
        ...doubles.map((double): PlannedAction => ({
          ...action,
          kind: "delete_record",
          externalId,
          recordId: double,
        })),
      ],
    });
  }
  return steps;
}

/** The other records that a resource got at the new place before its move was known. */
async function doublesAt(
  services: Services,
  { connection: { integration } }: Contact,
  { type, to }: Pick<ResourceMove, "type" | "to">,
  record: string,
  book: DirectorySnapshot,
): Promise<readonly string[]> {
  const doubles: string[] = [];
  const { containerId, externalId } = to;
  await services.store.transaction(async (tx) => {
    for (const { connection } of book.ofContainer(integration, containerId)) {
      const found = await tx.findLanes({
        kind: "of_resources",
        connectionId: connection.id,
        resourceType: type,
        externalIds: [externalId],
      });
      for (const { recordId, tombstone } of found) {
        if (recordId !== null && recordId !== record && tombstone === null) doubles.push(recordId);
      }
    }
  });
  return doubles;
}
