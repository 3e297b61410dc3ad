/** Telling a refusal by the app's tables from a failure of the database, by SQLSTATE alone. */
import { mayPass, sqlState } from "../../database/index.ts";
import { RecordWriteError } from "../../rules/index.ts";

interface Refusal {
  readonly code: string;
  readonly hint: string;
}

const BY_STATE: Readonly<Record<string, Refusal>> = {
  "23502": {
    code: "not_null_violated",
    hint: "Map the column, give it a default in the mapping or in the table, or allow null.",
  },
  "23503": {
    code: "foreign_key_violated",
    hint: "The row that the value refers to does not exist; create it, or map the column otherwise.",
  },
  "23505": {
    code: "unique_violated",
    hint: "Another row has the value already; change one of the two, then restart the event.",
  },
  "23514": {
    code: "check_violated",
    hint: "Translate the value into one that the check allows, in the mapping's toRecord.",
  },
  "23P01": {
    code: "exclusion_violated",
    hint: "Another row excludes the value; change one of the two, then restart the event.",
  },
  "42501": {
    code: "permission_denied",
    hint: "Grant the role Tandem connects as the right to write the table, and check row security.",
  },
  "44000": {
    code: "permission_denied",
    hint: "The view or policy refuses the row; check its WITH CHECK clause.",
  },
};

const BY_CLASS: Readonly<Record<string, Refusal>> = {
  "22": {
    code: "invalid_value",
    hint: "The value does not fit the column's type; translate it in the mapping's toRecord.",
  },
  "23": { code: "constraint_violated", hint: "Change the row or the constraint, then restart." },
  "42": {
    code: "table_changed",
    hint: "The table is not as the mapping says; run `tandem check`, then `tandem migrate`.",
  },
  "54": {
    code: "invalid_value",
    hint: "The value is larger than Postgres or an index of the table can hold; shorten it.",
  },
  P0: {
    code: "refused_by_trigger",
    hint: "A trigger of the table refused the write; satisfy it, then restart the event.",
  },
};

const BY_TRIGGER: Refusal = {
  code: "refused_by_trigger",
  hint: "Code of the database refused the write; satisfy it, then restart the event.",
};

/** Failures of the database or of ours, which say nothing of the row. */
const NOT_THE_ROWS = new Set(["08", "25", "28", "2D", "3B", "40", "53", "55", "57", "58", "XX"]);

/**
 * The refusal that an error stands for, or `null` where it is none. Besides Postgres' own classes
 * an app's functions may raise codes of their making; those are refusals too.
 */
export function refusalOf(error: unknown): RecordWriteError | null {
  const state = sqlState(error);
  if (state?.length !== 5 || mayPass(error) || isOurs(error)) return null;
  const group = state.slice(0, 2);
  if (NOT_THE_ROWS.has(group)) return null;
  const { code, hint } = BY_STATE[state] ?? BY_CLASS[group] ?? BY_TRIGGER;
  return new RecordWriteError(
    {
      code,
      message: error instanceof Error ? error.message : String(error),
      hint: textOf(error, "hint") ?? hint,
      sqlState: state,
      table: textOf(error, "table"),
      column: textOf(error, "column"),
      constraint: textOf(error, "constraint"),
    },
    error,
  );
}

/** The database's error in an error of the app's code, or that error: an ORM wraps its driver's errors. */
export function refusalOfApp(thrown: unknown): unknown {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const state = sqlState(error);
    if (state === "25P02") return swallowed(error);
    if (state === "25P01" || state === "3B001") return ended(error);
    if (state !== null) return refusalOf(error) ?? error;
  }
  return thrown;
}

function swallowed(cause: Error): RecordWriteError {
  return new RecordWriteError(
    {
      code: "error_swallowed",
      message: "a statement of the app's code failed, and the code went on",
      hint: "Let it throw, or run the statement behind a savepoint of its own.",
    },
    cause,
  );
}

function ended(cause: Error): RecordWriteError {
  return new RecordWriteError(
    {
      code: "transaction_ended",
      message: "the app's code ended Tandem's transaction",
      hint: "Leave begin, commit and rollback to Tandem; use savepoints instead.",
    },
    cause,
  );
}

/**
 * The refusal that a failed commit stands for: the app's deferred constraints and triggers speak
 * only then.
 */
export function refusalAtCommit(error: unknown): RecordWriteError | null {
  const group = sqlState(error)?.slice(0, 2);
  return group === "23" || group === "P0" ? refusalOf(error) : null;
}

/** Constraints of Tandem's own tables guard against faults of Tandem. */
function isOurs(error: unknown): boolean {
  return textOf(error, "schema") === "tandem";
}

function textOf(error: unknown, field: string): string | null {
  if (typeof error !== "object" || error === null) return null;
  const value: unknown = Reflect.get(error, field);
  return typeof value === "string" ? value : null;
}

/** A write that the database took without an error, and without doing it. */
export function suppressed(
  table: { readonly name: string },
  operation: "insert" | "update",
): RecordWriteError {
  return new RecordWriteError({
    code: "write_suppressed",
    message: `the ${operation} of a row of ${table.name} had no effect`,
    hint: "A trigger, a rule or row security hides it; `tandem check` lists what the table has.",
    table: table.name,
  });
}
