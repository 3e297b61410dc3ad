/** Changes of records that no trigger captured, noted for the drain as if one had. */
import { type Mapping, mappedColumns } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";

/** The records with a write that was captured and not drained yet: the drain will handle them. */
export async function capturedAmong(
  tx: StoreTransaction,
  recordType: string,
  recordIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (recordIds.length === 0) return new Set();
  return new Set((await tx.changes.peek(recordType, recordIds)).map(({ recordId }) => recordId));
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
