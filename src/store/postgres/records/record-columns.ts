/** The columns of an app's table in statements, by the names that mappings give them. */
import type { RowPatch } from "../../../model/mapping.ts";
import type { RecordTable } from "../../rules/index.ts";
import { RecordWriteError } from "../../rules/index.ts";
import type { ToldBy } from "../../store.ts";
import type { Column, TableShape } from "../capture/index.ts";
import { quoteIdentifier } from "../driver/index.ts";

/** The key as text beside the row, under a name that no column of an app has. */
export const KEY = "tandem.record_id";

/** The list that a statement returns: every column, and the key as text. */
export function returned(shape: TableShape, key: Column): string {
  return `${shape.selectList}, ${key.quoted}::text as ${quoteIdentifier(KEY)}`;
}

/** A value that is `undefined` leaves its column alone. */
export function columnsOf(
  table: RecordTable,
  shape: TableShape,
  patch: RowPatch,
): readonly (readonly [Column, unknown])[] {
  return Object.entries(patch)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [columnOf(table, shape, name), value]);
}

export function columnOf(table: RecordTable, shape: TableShape, name: string): Column {
  const column = shape.columns.get(name);
  if (column !== undefined) return column;
  throw new RecordWriteError({
    code: "table_changed",
    message: `${table.name} has no column ${name}`,
    hint: "Correct the mapping, then run `tandem check` and `tandem migrate`.",
    table: table.name,
    column: name,
  });
}

export function noTable({ name }: RecordTable): RecordWriteError {
  return new RecordWriteError({
    code: "table_changed",
    message: `there is no table ${name}`,
    hint: "Create it, or take it out of the configuration; `tandem check` compares the two.",
    table: name,
  });
}

/** The table whose trigger leaves a write to its writer: none that rules make more statements of. */
export function toldOf({ ruled }: TableShape, { name }: RecordTable, by: ToldBy): string {
  return by === "writer" && !ruled ? name : "";
}
