/** Why the schema, or the triggers on the app's tables, could not be brought up to date. */

export type MigrationErrorCode =
  | "schema_newer"
  | "migration_changed"
  | "table_missing"
  | "table_unsuitable"
  | "column_missing"
  | "table_named_twice"
  | "table_busy"
  | "view_in_use"
  | "time_zone_unknown"
  | "column_unsuitable";

export class MigrationError extends Error {
  override readonly name = "MigrationError";
  readonly code: MigrationErrorCode;
  readonly hint: string;

  constructor(code: MigrationErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}
