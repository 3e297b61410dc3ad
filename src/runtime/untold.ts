/** What happened to records although nothing said so, and who would tell of it anyway. */
import { liveEvents } from "../engine/transition.ts";
import type { Lane } from "../model/lane.ts";
import { type Mapping, mappedColumns } from "../model/mapping.ts";
import type { StoreTransaction } from "../store/store.ts";

/** Whether the lane has an event that will look at its record, or may not be looked at for now. */
export function isLookedAt(lane: Lane): boolean {
  return (
    lane.disabled !== null ||
    (["queued", "processing", "errored", "disabled"] as const).some(
      (state) => liveEvents(lane, state, "outbound").length > 0,
    )
  );
}

/** Whether a write to the lane's record was captured and not drained: that is told by itself. */
export async function isCaptured(
  tx: StoreTransaction,
  { recordType, recordId }: Pick<Lane, "recordType" | "recordId">,
): Promise<boolean> {
  return recordId !== null && (await tx.changes.peek(recordType, recordId)).length > 0;
}

/** Lets the drain end the pairings of records that are gone, as if it had been told just now. */
export async function noteGone(
  tx: StoreTransaction,
  records: readonly {
    readonly recordType: string;
    readonly recordId: string | null;
    readonly mapping: Mapping;
  }[],
): Promise<void> {
  await tx.changes.note(
    records.flatMap(({ recordType, recordId, mapping }) =>
      recordId === null
        ? []
        : [{ recordType, recordId, columns: mappedColumns(mapping), origin: null }],
    ),
  );
}
