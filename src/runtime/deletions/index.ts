/**
 * Deletions of records, and restored records.
 *
 * 1. A removal is planned under the lock of its row.
 * 2. A record that was deleted with its parent, by our own deletion, deletes nothing at the provider.
 * 3. A restored record gets another resource if the old one is deleted.
 */
export { goneWithParents } from "./cascaded.ts";
export { recreateResource } from "./recreate.ts";
export { removeRecord } from "./remove-record.ts";
export { followRestored, noteBelow, noteRestored, type RecordMoved } from "./restored-children.ts";
