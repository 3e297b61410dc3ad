/** The error that a user reads in an event after the database refused a write of Tandem or of the app's code. */
import { describe, expect, it } from "vitest";
import { RecordWriteError } from "../../src/store/rules/record-write-error.ts";
import {
  refusalAtCommit,
  refusalOf,
  refusalOfApp,
  suppressed,
} from "../../src/store/postgres/records/refusals.ts";

/** An error as both drivers throw it. */
function failure(code: string, message = "it failed", fields: object = {}): Error {
  return Object.assign(new Error(message), { code, ...fields });
}

const TRIGGER_HINT =
  "A trigger of the table refused the write; satisfy it, then restart the event.";

describe("a write that the table refuses", () => {
  it("tells the row's user which column and constraint it was, in the database's words", () => {
    const error = failure("23502", 'null value in column "title" of relation "tasks"', {
      schema: "public",
      table: "tasks",
      column: "title",
      constraint: "tasks_title_not_null",
    });
    const refusal = refusalOf(error);
    expect(refusal).toBeInstanceOf(RecordWriteError);
    expect(refusal).toMatchObject({
      code: "not_null_violated",
      message: 'null value in column "title" of relation "tasks"',
      hint: "Map the column, give it a default in the mapping or in the table, or allow null.",
      retryable: false,
      sqlState: "23502",
      table: "tasks",
      column: "title",
      constraint: "tasks_title_not_null",
      cause: error,
    });
  });

  it.each([
    [
      "a value that is missing",
      ["23502"],
      "not_null_violated",
      "Map the column, give it a default in the mapping or in the table, or allow null.",
    ],
    [
      "a row that is not there",
      ["23503"],
      "foreign_key_violated",
      "The row that the value refers to does not exist; create it, or map the column otherwise.",
    ],
    [
      "a value that another row has",
      ["23505"],
      "unique_violated",
      "Another row has the value already; change one of the two, then restart the event.",
    ],
    [
      "a value that a check forbids",
      ["23514"],
      "check_violated",
      "Translate the value into one that the check allows, in the mapping's toRecord.",
    ],
    [
      "a range that another row excludes",
      ["23P01"],
      "exclusion_violated",
      "Another row excludes the value; change one of the two, then restart the event.",
    ],
    [
      "any other constraint",
      ["23000", "23001"],
      "constraint_violated",
      "Change the row or the constraint, then restart.",
    ],
    [
      "a right that Tandem lacks",
      ["42501"],
      "permission_denied",
      "Grant the role Tandem connects as the right to write the table, and check row security.",
    ],
    [
      "a row that a view's check option forbids",
      ["44000"],
      "permission_denied",
      "The view or policy refuses the row; check its WITH CHECK clause.",
    ],
    [
      "text that is none of the type",
      ["22P02", "22001", "22003"],
      "invalid_value",
      "The value does not fit the column's type; translate it in the mapping's toRecord.",
    ],
    [
      "text too long for an index",
      ["54000"],
      "invalid_value",
      "The value is larger than Postgres or an index of the table can hold; shorten it.",
    ],
    [
      "a column or table that was dropped",
      ["42703", "42P01"],
      "table_changed",
      "The table is not as the mapping says; run `tandem check`, then `tandem migrate`.",
    ],
    ["a trigger that raises", ["P0001"], "refused_by_trigger", TRIGGER_HINT],
    [
      "a trigger that raises a code of its own",
      ["ACME1"],
      "refused_by_trigger",
      "Code of the database refused the write; satisfy it, then restart the event.",
    ],
  ])("for %s is an error of the row, with a hint", (_why, states, code, hint) => {
    for (const sqlState of states) {
      const refusal = refusalOf(failure(sqlState));
      expect(refusal).toMatchObject({ name: "RecordWriteError", code, hint, sqlState });
      expect(refusal).toMatchObject({ table: null, column: null, constraint: null });
    }
  });

  it("is none where the code is not one of Postgres, however it begins", () => {
    expect(refusalOf(failure("2350"))).toBeNull();
    expect(refusalOf(failure("235055"))).toBeNull();
  });

  it("shows the hint of the trigger where it gives one, else what to do", () => {
    expect(refusalOf(failure("P0001", "no", { hint: "Ask Ada." }))?.hint).toBe("Ask Ada.");
    expect(refusalOf(failure("P0001", "no"))?.hint).toBe(TRIGGER_HINT);
    expect(refusalOf(failure("P0001", "no", { hint: null }))?.hint).toBe(TRIGGER_HINT);
    expect(refusalOf(failure("ACME1", "no"))?.hint).toBe(
      "Code of the database refused the write; satisfy it, then restart the event.",
    );
  });

  it("that had no effect names the table, and where to look", () => {
    expect(suppressed({ name: "tasks" }, "update")).toMatchObject({
      code: "write_suppressed",
      message: "the update of a row of tasks had no effect",
      hint: "A trigger, a rule or row security hides it; `tandem check` lists what the table has.",
      table: "tasks",
      column: null,
    });
    expect(suppressed({ name: "notes" }, "insert").message).toBe(
      "the insert of a row of notes had no effect",
    );
  });
});

describe("no refusal of a row is", () => {
  it.each([
    ["a lost connection", failure("08006")],
    ["a broken protocol", failure("08P01")],
    ["a password that is wrong", failure("28P01")],
    ["a commit where there is no transaction", failure("2D000")],
    ["a savepoint that is gone", failure("3B001")],
    ["a deadlock, which passes", failure("40P01")],
    ["a statement whose outcome is unknown", failure("40003")],
    ["an object that others use", failure("55006")],
    ["a disk that cannot be read", failure("58030")],
    ["damaged data", failure("XX001")],
    ["a full disk", failure("53100")],
    ["a statement that was cancelled", failure("57014")],
    ["a transaction that has failed before", failure("25P02")],
    ["a failure of the network", failure("ECONNRESET")],
    [
      "a fault of Tandem: a constraint of its own tables",
      failure("23505", "x", { schema: "tandem" }),
    ],
    ["an error without a code", new Error("x is not a function")],
    ["a value that is no error", "23505"],
    ["nothing", null],
  ])("%s", (_which, thrown) => {
    expect(refusalOf(thrown)).toBeNull();
  });
});

describe("a commit that fails", () => {
  it.each(["23503", "23514", "P0001"])(
    "by a deferred constraint or trigger (%s) is refused",
    (state) => {
      expect(refusalAtCommit(failure(state))).toMatchObject({ sqlState: state });
    },
  );

  it.each(["22003", "42P01", "08006", "40001"])("otherwise (%s) is no refusal", (state) => {
    expect(refusalAtCommit(failure(state))).toBeNull();
  });

  it("by a constraint of Tandem's own tables is a fault of Tandem", () => {
    expect(refusalAtCommit(failure("23505", "x", { schema: "tandem" }))).toBeNull();
  });
});

describe("the app's own code", () => {
  it("that went on after a failed statement is told to throw or to use a savepoint", () => {
    const error = failure("25P02", "current transaction is aborted");
    expect(refusalOfApp(new Error("Failed query", { cause: error }))).toMatchObject({
      code: "error_swallowed",
      message: "a statement of the app's code failed, and the code went on",
      hint: "Let it throw, or run the statement behind a savepoint of its own.",
      cause: error,
    });
  });

  it.each(["25P01", "3B001"])("that ended Tandem's transaction (%s) is told not to", (state) => {
    const error = failure(state);
    expect(refusalOfApp(error)).toMatchObject({
      code: "transaction_ended",
      message: "the app's code ended Tandem's transaction",
      hint: "Leave begin, commit and rollback to Tandem; use savepoints instead.",
      cause: error,
    });
  });

  it("is refused by its table however deep an ORM wraps that", () => {
    const wrapped = new Error("Failed query", {
      cause: new Error("insert", { cause: failure("23514", "violates check") }),
    });
    expect(refusalOfApp(wrapped)).toMatchObject({
      name: "RecordWriteError",
      code: "check_violated",
      message: "violates check",
    });
  });

  it("passes on a failure of the database that it wrapped, so that it is tried again", () => {
    const lost = failure("08006");
    expect(refusalOfApp(new Error("Failed query", { cause: lost }))).toBe(lost);
  });

  it("keeps what it threw itself", () => {
    const own = new TypeError("x is not a function", { cause: "no error" });
    expect(refusalOfApp(own)).toBe(own);
    expect(refusalOfApp("a text")).toBe("a text");
  });
});
