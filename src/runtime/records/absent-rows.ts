/** Rows that Tandem does not find: deleted, or hidden by row security. */
import { isHidden } from "../../engine/processing/index.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { RecordStore, StoreTransaction } from "../../store/store.ts";
import { mapBy } from "../services/index.ts";

/** The absent rows that may only be hidden from Tandem. */
export async function hiddenOf(
  tx: StoreTransaction,
  mapping: Mapping,
  absent: readonly string[],
): Promise<ReadonlySet<string>> {
  if (absent.length === 0 || !(await tx.records.mayHideRows(mapping))) return new Set();
  const captured = mapBy(
    await tx.changes.peek(mapping.recordType, absent),
    ({ recordId }) => recordId,
  );
  return new Set(absent.filter((id) => isHidden(true, captured.get(id) ?? [])));
}

/** Locks a record's row unless another transaction holds it; reports whether an absent row may be hidden. */
export async function lockVisible(
  tx: StoreTransaction,
  mapping: Mapping,
  id: string,
): Promise<Awaited<ReturnType<RecordStore["lock"]>> | { readonly status: "hidden" }> {
  const locked = await tx.records.lock(mapping, id);
  if (locked.status !== "missing") return locked;
  return (await hiddenOf(tx, mapping, [id])).has(id) ? { status: "hidden" } : locked;
}
