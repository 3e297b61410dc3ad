/**
 * A SQL database as the drivers offer it, and what it may answer instead of rows.
 *
 * 1. A failure is an error of a class or an SQLSTATE; its text is never asked.
 * 2. A failure that may pass is told from one that stays: only the first is tried again.
 * 3. Text is stored without the null byte, which Postgres refuses.
 */
export { describeTrouble, isSchemaMissing, textOf } from "./database-trouble.ts";
export {
  AbortedTransactionError,
  type Closing,
  ConnectionLostError,
  type Database,
  isContention,
  LostWorkError,
  mayPass,
  NoAnswerError,
  NoConnectionError,
  type Queryable,
  type QueryResult,
  ReadOnlyDatabaseError,
  sqlState,
} from "./database.ts";
export { MigrationError } from "./migration-error.ts";
export { didYouMean } from "./nearest-name.ts";
export {
  mappingDigest,
  type SchemaMismatch,
  schemaMismatchOf,
  type SchemaFacts,
} from "./schema-mismatch.ts";
export { allOf, tell } from "./pipeline.ts";
export { storableJson, storableValue, withoutNul } from "./storable-json.ts";
