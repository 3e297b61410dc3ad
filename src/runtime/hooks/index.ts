/**
 * The app's code that runs after a commit, and the journal.
 *
 * 1. The transaction that writes a record notes its hook, which runs at least once.
 * 2. Hooks of one record run in order; a failing one delays no other record.
 */
export { runAfterCommits } from "./after-commit.ts";
export { journalOf } from "./journal.ts";
