/** The refusals of the app's tables, in the words and codes of Postgres. */
import { RecordWriteError } from "../../rules/index.ts";

export function unknownTable(table: string): RecordWriteError {
  return new RecordWriteError({
    code: "table_changed",
    message: `there is no table ${table}`,
    hint: "Give it to createMemoryDatabase, or take it out of the configuration.",
    table,
  });
}

export function unknownColumn(table: string, column: string): RecordWriteError {
  return new RecordWriteError({
    code: "table_changed",
    message: `${table} has no column ${column}`,
    hint: "Give it to createMemoryDatabase, or correct the mapping.",
    table,
    column,
  });
}

/** A column that may not be null is. */
export function nullRefused(table: string, column: string): RecordWriteError {
  return new RecordWriteError({
    code: "not_null_violated",
    message: `null value in column "${column}" of "${table}" violates its not-null constraint`,
    hint: "Map the column, give it a default in the mapping or in the table, or allow null.",
    sqlState: "23502",
    table,
    column,
  });
}

export function checkRefused(table: string, constraint: string): RecordWriteError {
  return new RecordWriteError({
    code: "check_violated",
    message: `a row of "${table}" violates the check "${constraint}"`,
    hint: "Translate the value into one that the check allows, in the mapping's toRecord.",
    sqlState: "23514",
    table,
    constraint,
  });
}

/** Another row has the value. */
export function repeatRefused(table: string, constraint: string): RecordWriteError {
  return new RecordWriteError({
    code: "unique_violated",
    message: `duplicate key value violates unique constraint "${constraint}"`,
    hint: "Another row has the value already; change one of the two, then restart the event.",
    sqlState: "23505",
    table,
    constraint,
  });
}

/** A column would refer to a row that is not there. */
export function danglingRefused(table: string, column: string, target: string): RecordWriteError {
  return new RecordWriteError({
    code: "foreign_key_violated",
    message: `column "${column}" of "${table}" must refer to a row of "${target}"`,
    hint: "The row that the value refers to does not exist; create it, or map the column otherwise.",
    sqlState: "23503",
    table,
    constraint: `${table}_${column}_fkey`,
  });
}
