/**
 * Children of a record that was restored, or moved to another connection. While it was deleted, they found no parent
 * and ended. So they are checked again, once its resource was found alive or another is being created.
 *
 * The check is noted as a captured write without changed columns, and the drain carries it out. By then every event
 * that still saw the parent as ended has ended itself.
 */
import { queueRemoval } from "../../engine/processing/index.ts";
import { deletedWhileAway } from "../../engine/lifecycle/index.ts";
import type { EventId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { isSoftDeleted, type Mapping } from "../../model/mapping.ts";
import type { CapturedChange, Decided, StoreTransaction } from "../../store/store.ts";
import type { DirectorySnapshot, Services } from "../services/index.ts";

/** Notes that a record was restored, with the event that restores it. */
export async function noteRestored(
  tx: StoreTransaction,
  { recordType, recordId }: Pick<Lane, "recordType" | "recordId">,
  origin: EventId,
): Promise<void> {
  if (recordId === null) return;
  await tx.changes.note([{ recordType, recordId, columns: [], origin }]);
}

/**
 * Handles restored records among captured writes. Their children's records are noted for the drain under Tandem's
 * mark, so that it ignores those that agree with base. Returns the lanes of children that have no record.
 */
export async function followRestored(
  tx: StoreTransaction,
  changes: readonly CapturedChange[],
  { mappings }: Pick<Services, "mappings">,
  book: DirectorySnapshot,
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
    const living = await tx.findLanes({ kind: "of_records", recordType, recordIds: ids });
    for (const lane of living) await removeDeletedBelow(tx, lane, mappings, book);
    if (living.length === 0) continue;
    const parents = living.map(({ id }) => id);
    const below = await tx.findLanes({ kind: "unpaired_children", parents });
    lanes.push(...below.map(({ id }) => id));
  }
  return lanes;
}

/**
 * Removes children's resources below a returned resource. They were detached when its record was moved away, and
 * their own records were deleted meanwhile, so nothing else would ever remove them (S68).
 */
async function removeDeletedBelow(
  tx: StoreTransaction,
  { connectionId, resourceType, externalId }: ReturningParent,
  mappings: Services["mappings"],
  book: DirectorySnapshot,
): Promise<void> {
  if (externalId === null) return;
  for (const mapping of mappings.filter(({ resource }) => resource.parent === resourceType)) {
    const below = await tx.findLanes({
      kind: "children",
      connectionId,
      resourceType: mapping.resource.type,
      parentExternalId: externalId,
    });
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

/** A record that was moved out of a connection or into one, with the event of the move. */
export interface RecordMoved {
  readonly mapping: Mapping;
  readonly lane: Pick<Lane, "recordId">;
  readonly event: EventId;
}

/** Notes the children of moved records for the drain, which moves them as well. */
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
