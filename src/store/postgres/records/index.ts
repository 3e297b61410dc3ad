/**
 * The app's rows, read and written.
 *
 * 1. A row is never waited for: a row that the app has locked is reported as busy.
 * 2. A refusal by the app's constraints is an error that names the record; the transaction goes on.
 * 3. Column names are quoted, values are parameters.
 */
export { RecordRows } from "./record-rows.ts";
export { recordStore } from "./record-store.ts";
export { refusalAtCommit } from "./refusals.ts";
