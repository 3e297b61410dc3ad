/**
 * Capturing local writes, as the triggers of Postgres do (`postgres/capture-sql.ts`): an update
 * that moves no watched column leaves nothing, everything else leaves one row.
 */
import type { Json } from "../../../model/content.ts";
import { type Instant, instantFromMicros, parseInstant } from "../../../model/instant.ts";
import { type Journal, mappedColumns, type Mapping, type Row } from "../../../model/mapping.ts";
import { MigrationError } from "../../database/index.ts";
import type { CapturedChange, IdentitySettings } from "../../store.ts";
import type { AppTables, RowWrite } from "./app-tables.ts";
import { sameKept } from "./kept-values.ts";

/** The columns of one table that capture reads. */
export interface CapturedMemoryTable {
  readonly key: string;
  /** The mapped columns. */
  readonly columns: readonly string[];
  /** The columns whose values are kept; none where the table has no journal. */
  readonly journal: readonly string[];
  /** The app's own modified-at column. */
  readonly modifiedAt: string | null;
}

/** The tables whose writes are to be captured, by name. */
export function capturedTables(
  tables: AppTables,
  mappings: readonly Mapping[],
  journals: readonly Journal[],
  identities: IdentitySettings | undefined,
): ReadonlyMap<string, CapturedMemoryTable> {
  const users = watchedUsers(tables, identities);
  return new Map(
    [...mappings, ...journals, ...users].map(({ recordType, key }) => {
      const own = mappings.filter((mapping) => mapping.recordType === recordType);
      const logins = users.flatMap((table) =>
        table.recordType === recordType ? table.logins : [],
      );
      const mapped = own.flatMap((mapping) => mappedColumns(mapping));
      const columns = [...new Set([...mapped, ...logins])].sort();
      const modifiedAt = own.find((mapping) => mapping.modifiedAt !== null)?.modifiedAt ?? null;
      const named = [key, ...columns, ...(modifiedAt === null ? [] : [modifiedAt])];
      refuseMissing(tables, recordType, named);
      const journal = journals.find((each) => each.recordType === recordType);
      const kept = journal === undefined ? [] : (journal.columns ?? tables.columnsOf(recordType));
      refuseMissing(tables, recordType, kept);
      return [recordType, { key, columns, journal: kept, modifiedAt }];
    }),
  );
}

/** Logins are watched where placeholders may have to be linked. */
function watchedUsers(tables: AppTables, identities: IdentitySettings | undefined) {
  if (identities?.unknown !== "placeholder" || !tables.has(identities.table)) return [];
  const { table, key, login } = identities;
  return [{ recordType: table, key, logins: Object.values(login) }];
}

function refuseMissing(tables: AppTables, table: string, columns: readonly string[]): void {
  if (!tables.has(table)) {
    throw new MigrationError(
      "table_missing",
      `there is no table ${table}`,
      "Give it to createMemoryDatabase, or correct the configuration.",
    );
  }
  const missing = columns.find((column) => !tables.has(table, column));
  if (missing === undefined) return;
  throw new MigrationError(
    "column_missing",
    `${table} has no column ${missing}`,
    "Correct the mapping, or add the column first.",
  );
}

/** The change that a write to a captured table adds; `null` if no watched column changed. */
export function captured(
  { key, columns, journal, modifiedAt }: CapturedMemoryTable,
  { table, id, row, old, origin }: RowWrite,
  now: Instant,
): CapturedChange | null {
  const watched = [...columns, ...journal.filter((column) => !columns.includes(column))];
  const change = {
    recordType: table,
    recordId: id,
    columns: watched,
    changedAt: modifiedAt === null || row === null ? now : writersTime(modifiedAt, row, old, now),
    origin,
    oldRow: null,
    journal: journal.length === 0 || origin !== null ? null : valuesMoved(journal, row, old),
  };
  if (row === null) {
    const shown = [key, ...columns].map((column) => [column, old?.[column]] as const);
    return { ...change, operation: "delete", columns: [], oldRow: Object.fromEntries(shown) };
  }
  if (old === null) return { ...change, operation: "insert" };
  const moved = watched.filter((column) => !sameKept(old[column], row[column]));
  return moved.length === 0 ? null : { ...change, operation: "update", columns: moved };
}

function valuesMoved(journal: readonly string[], row: Row | null, old: Row | null) {
  const moved: Record<string, { readonly from: Json; readonly to: Json }> = {};
  for (const column of journal) {
    const [from, to] = [old?.[column] ?? null, row?.[column] ?? null];
    if (!sameKept(from, to)) moved[column] = { from: from as Json, to: to as Json };
  }
  return moved;
}

/** The writer's own time, where it set one; no write was made later than now. */
function writersTime(column: string, row: Row, old: Row | null, now: Instant): Instant {
  if (old !== null && sameKept(old[column], row[column])) return now;
  const value = row[column];
  const stamp = typeof value === "string" ? parsedOrNull(value) : null;
  return stamp === null ? now : instantFromMicros(Math.min(now, Math.max(stamp, 0)));
}

/** A time without a zone cannot be compared. */
function parsedOrNull(text: string): Instant | null {
  try {
    return parseInstant(text);
  } catch {
    return null;
  }
}
