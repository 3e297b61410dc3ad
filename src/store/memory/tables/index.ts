/**
 * The state that the in-memory store keeps, and how a transaction is rolled back.
 *
 * 1. Every change notes its own undoing first; a rollback runs these in reverse.
 * 2. A kept value is replaced and never changed, so it may be handed out as it is.
 */
export type { TableEntry, MemoryTable, MemoryTables, NewRow, RowWrite } from "./app-tables.ts";
export { ConstraintError } from "./constraint-error.ts";
export { keptKey } from "./kept-values.ts";
export { type KeptKey, MemoryState, type Step, type MemoryDelivery } from "./memory-state.ts";
export { unknownColumn } from "./table-refusals.ts";
export { UndoableList } from "./undo-log.ts";
