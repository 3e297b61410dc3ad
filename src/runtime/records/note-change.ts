/** Changes of records that no trigger captured, noted for the drain as if one had. */
import type { Lane } from "../../model/lane.ts";
import { type Mapping, mappedColumns } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";

/**
 * Whether a comparison of the lane's record is not needed, because an outbound event will make it, or not allowed: the
 * lane is switched off, or its record is still archived although its resource returned.
 */
export function isLookedAt(lane: Lane): boolean {
  const isHeld = lane.disabled !== null || lane.returned !== null;
  return isHeld || lane.live.some(({ direction }) => direction === "outbound");
}

/** Whether a write to the lane's record was captured and not drained yet: the drain will handle it. */
export async function isCaptured(
  tx: StoreTransaction,
  { recordType, recordId }: Pick<Lane, "recordType" | "recordId">,
): Promise<boolean> {
  return recordId !== null && (await tx.changes.peek(recordType, [recordId])).length > 0;
}

/** A record that the drain must check although no write was captured. */
export interface UncapturedRecord {
  readonly recordType: string;
  readonly recordId: string | null;
  readonly mapping: Mapping;
}

/** Lets the drain end the pairings of deleted records, as if the deletions had been captured now. */
export async function noteGone(
  tx: StoreTransaction,
  records: readonly UncapturedRecord[],
): Promise<void> {
  await enqueueSyntheticChanges(tx, records, mappedColumns);
}

/** @param columnsOf The columns that count as written; `null`: the record is skipped. */
export async function enqueueSyntheticChanges(
  tx: StoreTransaction,
  records: readonly UncapturedRecord[],
  columnsOf: (mapping: Mapping) => readonly string[] | null,
): Promise<void> {
  await tx.changes.note(
    records.flatMap(({ recordType, recordId, mapping }) => {
      const columns = columnsOf(mapping);
      if (recordId === null || columns === null) return [];
      return [{ recordType, recordId, columns, origin: null }];
    }),
  );
}
