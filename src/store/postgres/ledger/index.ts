/**
 * Events that ended, journal entries, and the views over them.
 *
 * 1. A row that is written here never changes again.
 * 2. Reading takes no lock.
 */
export { appendJournal } from "./journal-rows.ts";
export { ledger } from "./ledger-rows.ts";
export { installResourceViews } from "./resource-views.ts";
