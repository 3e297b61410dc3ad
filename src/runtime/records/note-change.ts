/** What happened to records although nothing said so, and who would tell of it anyway. */
import type { Lane } from "../../model/lane.ts";
import { type Mapping, mappedColumns } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";

/**
 * Whether the lane has an event that will look at its record, or may not be looked at for now: it is
 * switched off, or its record is archived still while its resource is alive.
 */
export function isLookedAt(lane: Lane): boolean {
  const isHeld = lane.disabled !== null || lane.returned !== null;
  return isHeld || lane.live.some(({ direction }) => direction === "outbound");
}

/** Whether a write to the lane's record was captured and not drained: that is told by itself. */
export async function isCaptured(
  tx: StoreTransaction,
  { recordType, recordId }: Pick<Lane, "recordType" | "recordId">,
): Promise<boolean> {
  return recordId !== null && (await tx.changes.peek(recordType, [recordId])).length > 0;
}

/** A record that the drain is to look at, though nobody wrote it. */
export interface Untold {
  readonly recordType: string;
  readonly recordId: string | null;
  readonly mapping: Mapping;
}

/** Lets the drain end the pairings of records that are gone, as if it had been told just now. */
export async function noteGone(tx: StoreTransaction, records: readonly Untold[]): Promise<void> {
  await noteUntold(tx, records, mappedColumns);
}

/** @param columnsOf What counts as written; `null`: nothing, and the record is left out. */
export async function noteUntold(
  tx: StoreTransaction,
  records: readonly Untold[],
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
