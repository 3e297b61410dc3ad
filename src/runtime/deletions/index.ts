/**
 * Deletions on the record's side, and their undoing.
 *
 * 1. A removal is planned under the lock of its row.
 * 2. A record that went with its parent, by our own deletion, deletes nothing at the provider.
 * 3. A record that is back gets another resource where the old one is gone.
 */
export { goneWithParents } from "./cascaded.ts";
export { beginAnew } from "./recreate.ts";
export { removeRecord } from "./remove-record.ts";
export { followRestored, noteBelow, noteRestored, type RecordMoved } from "./restored-children.ts";
