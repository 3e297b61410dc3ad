/** Writes of the decisions on a moved resource's children: see `engine/lifecycle/moved-children.ts`. */
import { type MovedChildren, misplacedRows } from "../../engine/lifecycle/index.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import type { ClaimedLane } from "../services/index.ts";

/** Removes lanes that must not keep a record: unsent ones of records with several lanes, and those of surplus. */
export async function removeYielding(
  tx: StoreTransaction,
  yielding: readonly Decided[],
): Promise<void> {
  await tx.saveLanes(yielding);
  for (const { before } of yielding) await tx.removeLane(before.id);
}

/**
 * Notes for the drain the rows below the record whose counterparts are in other connections, and followers that
 * belong to another record by now: the drain moves each to its connection.
 */
export async function noteMisplacedRows(
  tx: StoreTransaction,
  { lane, event, others }: ClaimedLane & { readonly others: readonly Lane[] },
  families: readonly MovedChildren[],
  above: Mapping,
): Promise<void> {
  if (lane.recordId === null) return;
  for (const family of families) {
    const { mapping } = family;
    if (mapping.parent === null) continue;
    const { recordType } = mapping;
    const columns = [mapping.parent.column];
    const rows = await tx.records.childrenOf(mapping, above, [lane.recordId]);
    const misplaced = misplacedRows({ lane, others }, family, rows);
    if (misplaced.length === 0) continue;
    await tx.changes.note(
      misplaced.map((recordId) => ({ recordType, recordId, columns, origin: event.id })),
    );
  }
}
