/**
 * The state that the in-memory store keeps, and how a transaction is rolled back.
 *
 * 1. `Table` holds the rows of a kind, with its indexes. `MemoryState` declares all tables.
 * 2. A rollback takes back each write of a table in reverse, to the transaction's beginning or to a savepoint.
 * 3. A kept value is replaced and never changed, so it may be handed out as it is.
 */
export type { TableEntry, MemoryTable, MemoryTables, NewRow, RowWrite } from "./app-tables.ts";
export { ConstraintError } from "./constraint-error.ts";
export { keptKey } from "./kept-values.ts";
export { livingRecordKey, recordKey, resourceKeyInMemory } from "./lane-table.ts";
export {
  backfillKeyOf,
  deliveryKeyOf,
  type KeptKey,
  type MemoryDelivery,
  MemoryState,
  missKeyOf,
  placeholderKeyOf,
  refusalKeyOf,
  type Step,
} from "./memory-state.ts";
export { unknownColumn } from "./table-refusals.ts";
