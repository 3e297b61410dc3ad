/**
 * The app's code that follows a commit, and the journal of tables that are not synced.
 *
 * 1. A hook is noted by the transaction that wrote the record, and run at least once.
 * 2. Hooks of one record run in their order; one that fails holds up no other record.
 */
export { runAfterCommits } from "./after-commit.ts";
export { journalOf } from "./journal.ts";
