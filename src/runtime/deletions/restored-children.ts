/**
 * Children of a record that is here again, or was moved to another connection. While it was deleted they found no parent, and ended; so
 * they are looked at once more, when its resource was seen to live or another is being made.
 *
 * That is noted as a captured write which moved no column, and done by the drain that takes it: what
 * still saw the parent as ended has ended by then, or will see that it lives.
 */
import { queueRemoval } from "../../engine/processing/index.ts";
import { deletedWhileAway } from "../../engine/lifecycle/index.ts";
import type { EventId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { CapturedChange, Decided, StoreTransaction } from "../../store/store.ts";
import type { AddressBook, Services } from "../services/index.ts";
import { isSoftDeleted } from "../records/index.ts";

/** Notes that a record is here again, by the event that restores it. */
export async function noteRestored(
  tx: StoreTransaction,
  { recordType, recordId }: Pick<Lane, "recordType" | "recordId">,
  origin: EventId,
): Promise<void> {
  if (recordId === null) return;
  await tx.changes.note([{ recordType, recordId, columns: [], origin }]);
}

/**
 * Follows restored records among captured writes. Their children's records are left to the drain,
 * under our mark: what is paired and agrees is none of its business. Returns the lanes of children
 * that have no record.
 */
export async function followRestored(
  tx: StoreTransaction,
  changes: readonly CapturedChange[],
  { mappings }: Pick<Services, "mappings">,
  book: AddressBook,
): Promise<readonly LaneId[]> {
  const restored = changes.filter(isRestoration);
  if (restored.length === 0) return [];
  const lanes: LaneId[] = [];
  for (const parent of parentsOf(mappings)) {
    const { recordType } = parent;
    const own = restored.filter((change) => change.recordType === recordType);
    const [first] = own;
    if (first === undefined) continue;
    const ids = [...new Set(own.map(({ recordId }) => recordId))];
    await noteChildren(tx, parent, ids, first.origin, mappings);
    const living = await tx.findLanesByRecord(recordType, ids);
    for (const lane of living) await removeDeletedBelow(tx, lane, mappings, book);
    lanes.push(...(await tx.findUnpairedChildren(living.map(({ id }) => id))));
  }
  return lanes;
}

/**
 * Removes what is left below a resource that is back: it was let go of when the record was moved away, and its
 * own record was deleted meanwhile, so nothing else would ever look at it (S68).
 */
async function removeDeletedBelow(
  tx: StoreTransaction,
  { connectionId, resourceType, externalId }: ReturningParent,
  mappings: Services["mappings"],
  book: AddressBook,
): Promise<void> {
  if (externalId === null) return;
  for (const mapping of mappings.filter(({ resource }) => resource.parent === resourceType)) {
    const below = await tx.findChildLanes(connectionId, mapping.resource.type, externalId);
    const rows = await tx.records.read(
      mapping,
      below.flatMap(({ recordId }) => recordId ?? []),
    );
    const gone = below.filter(({ recordId }) => {
      const row = recordId === null ? undefined : rows.get(recordId);
      return recordId !== null && (row === undefined || isSoftDeleted(mapping, row));
    });
    const lanes = await tx.lockLanes(gone.map(({ id }) => id));
    const decided = lanes.flatMap((before): Decided[] => {
      const deleted = deletedWhileAway(before);
      if (deleted === before) return [];
      return [{ before, after: queueRemoval(deleted, book.context(before, tx.now)) }];
    });
    await tx.saveLanes(decided);
  }
}

type ReturningParent = Pick<Lane, "connectionId" | "resourceType" | "externalId">;

/** A record that has left a connection, or has come to one, with the event that says so. */
export interface RecordMoved {
  readonly mapping: Mapping;
  readonly lane: Pick<Lane, "recordId">;
  readonly event: EventId;
}

/** What belongs to records that were moved goes with them: that is left to the drain that takes this. */
export async function noteBelow(
  tx: StoreTransaction,
  moves: readonly RecordMoved[],
  { mappings }: Pick<Services, "mappings">,
): Promise<void> {
  for (const parent of parentsOf(moves.map(({ mapping }) => mapping))) {
    const own = moves.filter(({ mapping }) => mapping.recordType === parent.recordType);
    const ids = [...new Set(own.flatMap(({ lane }) => lane.recordId ?? []))];
    await noteChildren(tx, parent, ids, own[0]?.event ?? null, mappings);
  }
}

async function noteChildren(
  tx: StoreTransaction,
  parent: Mapping,
  ids: readonly string[],
  origin: EventId | null,
  mappings: readonly Mapping[],
): Promise<void> {
  const { recordType } = parent;
  for (const mapping of mappings.filter((one) => one.parent?.recordType === recordType)) {
    const columns = mapping.parent === null ? [] : [mapping.parent.column];
    const children = await tx.records.childrenOf(mapping, parent, ids);
    await tx.changes.note(
      children.map((recordId) => ({ recordType: mapping.recordType, recordId, columns, origin })),
    );
  }
}

/** One mapping of each record type: a type may be mapped more than once, and has one table. */
function parentsOf(mappings: readonly Mapping[]): readonly Mapping[] {
  return [...new Map(mappings.map((mapping) => [mapping.recordType, mapping])).values()];
}

function isRestoration({ operation, columns }: CapturedChange): boolean {
  return operation === "update" && columns.length === 0;
}
