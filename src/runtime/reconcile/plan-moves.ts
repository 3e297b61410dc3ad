/** What a reconcile finds to have been moved to another container: planned, to be followed. */
import type { PlannedAction } from "../../engine/lifecycle/index.ts";
import type { FormerPlace, Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Place, ResourceMove } from "../../model/observation.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { AddressBook, type Contact, type Services } from "../services/index.ts";
import { goneOn, isSamePlace } from "../moves/index.ts";

/** A move that is to be followed. */
export interface MovedStep {
  readonly cause: "moved";
  readonly move: ResourceMove;
  readonly actions: readonly PlannedAction[];
}

/** Where a moved resource was looked for. */
interface Finding {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
}

/**
 * Whether what it belongs to was moved: then it is elsewhere, and follows by itself, or is out of reach with
 * that. What was deleted before anything had followed takes along what belongs to it.
 */
export async function hasMovedWithParent(
  tx: StoreTransaction,
  { connectionId, parent }: Lane,
  movedParents: ReadonlySet<string>,
): Promise<boolean> {
  if (parent === null) return false;
  const { type, externalId } = parent;
  if (movedParents.has(externalId)) return true;
  const passed: FormerPlace[] = [];
  for (let next: FormerPlace | null = { connection: connectionId, externalId }; next !== null;) {
    const place: FormerPlace = next;
    if (passed.some((one) => isSamePlace(one, place))) return false;
    const [above] = await tx.findLanesByResource(place.connection, type, [place.externalId]);
    if (above !== undefined && above.movedTo !== null) return true;
    if (above?.side !== "resource") return passed.length > 0;
    passed.push(place);
    next = above.moved;
  }
  return false;
}

/** What was moved while its webhooks were lost: the record follows it, or is let go of. */
export async function planMoved(
  { services, contact, mapping }: Finding,
  externalId: string,
  to: Place,
): Promise<readonly (MovedStep & Pick<Finding, "mapping">)[]> {
  const { id, integration, containerId } = contact.connection;
  const { type } = mapping.resource;
  const book = await AddressBook.open(services);
  const told = { type, from: { containerId, externalId }, to, seen: null };
  const isNear = book.ofContainer(integration, to.containerId).length > 0;
  const { found, further } = await services.store.transaction(async (tx) => ({
    found: await tx.findLanesByResource(id, type, [externalId]),
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
