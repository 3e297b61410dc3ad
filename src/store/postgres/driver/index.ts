/**
 * Connections to Postgres and PGlite, and how a statement reaches the database.
 *
 * 1. Values of a type have the same form in JavaScript under both drivers.
 * 2. A statement that is repeated has a fixed text: it is kept prepared by that text.
 * 3. A lost connection is replaced; a transaction on it is never continued.
 */
export { attempt } from "./attempt.ts";
export { withBriefLock } from "./brief-lock.ts";
export { isParsedArray } from "./column-values.ts";
export { quoteIdentifier, quoteLiteral } from "./identifiers.ts";
export { oneStatement, type Statement, type Write } from "./one-statement.ts";
export {
  type DatabaseAddress,
  DEFAULT_DATA_DIRECTORY,
  openDatabase,
  readDatabaseAddress,
  UnknownDatabaseError,
} from "./open-database.ts";
export { pgliteDatabase } from "./pglite-database.ts";
export { openPglite } from "./prepared-directory.ts";
export { allowPauses, opening, timeOf, waitingAtMost } from "./transaction-settings.ts";
