/**
 * The app's own tables, in memory: rows by key, with the constraints that apps rely on. Each write, by
 * the app or by Tandem, is reported to `wrote`.
 */
import type { EventId } from "../../../model/ids.ts";
import type { Instant } from "../../../model/instant.ts";
import type { Row, RowPatch } from "../../../model/mapping.ts";
import { Table } from "./table.ts";
import type { UndoLog } from "./undo-log.ts";
import { keptKey, keptValue, sameKept } from "./kept-values.ts";
import {
  checkRefused,
  danglingRefused,
  nullRefused,
  repeatRefused,
  unknownColumn,
  unknownTable,
} from "./table-refusals.ts";

/** The facts about a new row that a column's default may depend on. */
export interface NewRow {
  readonly key: string;
  readonly now: Instant;
}

/** A table of the app. */
export interface MemoryTable {
  /** The primary key's column; keys are text and count up. Default: `id`. */
  readonly key?: string;
  /**
   * The other columns with their defaults: a value, or a function of the new row's key and time.
   * One whose default is `null` may be null, others may not; `undefined` has to be given.
   */
  readonly columns: Readonly<Record<string, unknown>>;
  /** Columns of which no two rows have the same value. */
  readonly unique?: readonly string[];
  /** Columns that hold the key of a row elsewhere; `cascade` deletes their row with it. */
  readonly references?: Readonly<Record<string, Reference>>;
  /** The conditions that every row must meet, by the name that a refusal carries. */
  readonly checks?: Readonly<Record<string, (row: Row) => boolean>>;
}

interface Reference {
  readonly table: string;
  readonly onDelete?: "cascade";
}

export type MemoryTables = Readonly<Record<string, MemoryTable>>;

/** A write to one row. A row that changes its key is one that goes and one that comes. */
export interface RowWrite {
  readonly table: string;
  readonly id: string;
  /** `null`: it was deleted. */
  readonly row: Row | null;
  /** `null`: it was inserted. */
  readonly old: Row | null;
  /** The event that wrote it; `null` where the app did. */
  readonly origin: EventId | null;
}

export interface TableEntry {
  readonly id: string;
  readonly row: Row;
}

interface AppTable extends MemoryTable {
  readonly name: string;
  readonly key: string;
  readonly rows: Table<TableEntry>;
  /** Counts rows; like a sequence, it takes no number back. */
  count: number;
}

export class AppTables {
  readonly #tables: ReadonlyMap<string, AppTable>;
  readonly #now: () => Instant;
  readonly #wrote: (write: RowWrite) => void;

  constructor(
    tables: MemoryTables,
    log: UndoLog,
    now: () => Instant,
    wrote: (write: RowWrite) => void,
  ) {
    this.#tables = new Map(
      Object.entries(tables).map(([name, table]) => {
        const rows = new Table(log, { key: ({ id }: TableEntry) => id });
        return [name, { ...table, name, key: table.key ?? "id", rows, count: 0 }];
      }),
    );
    this.#now = now;
    this.#wrote = wrote;
  }

  has(table: string, column?: string): boolean {
    const found = this.#tables.get(table);
    if (found === undefined) return false;
    return column === undefined || column === found.key || column in found.columns;
  }

  keyOf(table: string): string {
    return this.#table(table).key;
  }

  columnsOf(name: string): readonly string[] {
    const table = this.#table(name);
    return [table.key, ...Object.keys(table.columns)];
  }

  /** The table that a column's values refer to. */
  targetOf(name: string, column: string | null): string | null {
    return this.#table(name).references?.[column ?? ""]?.table ?? null;
  }

  row(table: string, id: string): Row | undefined {
    return this.#table(table).rows.get(id)?.row;
  }

  /** Every row with its key, in the order in which they were inserted. */
  entries(table: string): readonly TableEntry[] {
    return this.#table(table).rows.rows();
  }

  insert(name: string, values: RowPatch, origin: EventId | null): TableEntry {
    const table = this.#table(name);
    const given = givenTo(table, values);
    table.count += 1;
    const id = keptKey(given[table.key] ?? table.count);
    const row: Record<string, unknown> = { [table.key]: id };
    for (const [column, initial] of Object.entries(table.columns)) {
      row[column] = column in given ? given[column] : this.#initial(initial, id);
    }
    this.#check(table, row, null);
    table.rows.put({ id, row: Object.freeze(row) });
    this.#wrote({ table: name, id, row, old: null, origin });
    return { id, row };
  }

  /** The row as it is afterwards; `undefined` where there is none. */
  update(name: string, id: string, patch: RowPatch, origin: EventId | null): Row | undefined {
    const table = this.#table(name);
    const given = givenTo(table, patch);
    const before = table.rows.get(id);
    if (before === undefined) return undefined;
    const newId = keptKey(given[table.key] ?? id);
    const row = Object.freeze({ ...before.row, ...given, [table.key]: newId });
    this.#check(table, row, id);
    if (newId === id) {
      table.rows.put({ id, row });
      this.#wrote({ table: name, id, row, old: before.row, origin });
      return row;
    }
    const [referrer] = this.#referrers(table, id);
    if (referrer !== undefined) throw danglingRefused(referrer.table, referrer.column, name);
    table.rows.delete(id);
    table.rows.put({ id: newId, row });
    this.#wrote({ table: name, id, row: null, old: before.row, origin });
    this.#wrote({ table: name, id: newId, row, old: null, origin });
    return row;
  }

  /** A row that is not there is deleted already. */
  delete(name: string, id: string, origin: EventId | null): void {
    const table = this.#table(name);
    const before = table.rows.get(id);
    if (before === undefined) return;
    table.rows.delete(id);
    this.#wrote({ table: name, id, row: null, old: before.row, origin });
    for (const referrer of this.#referrers(table, id)) {
      if (!referrer.cascade) throw danglingRefused(referrer.table, referrer.column, name);
      this.delete(referrer.table, referrer.id, origin);
    }
  }

  #initial(initial: unknown, key: string): unknown {
    const value =
      typeof initial === "function"
        ? (initial as (row: NewRow) => unknown)({ key, now: this.#now() })
        : initial;
    return keptValue(value);
  }

  /** In the order of Postgres. `ownId`: the key the row has had, if it is not new. */
  #check(table: AppTable, row: Row, ownId: string | null): void {
    for (const [column, initial] of Object.entries(table.columns)) {
      if (initial !== null && isNull(row[column])) throw nullRefused(table.name, column);
    }
    for (const [constraint, holds] of Object.entries(table.checks ?? {})) {
      if (!holds(row)) throw checkRefused(table.name, constraint);
    }
    const id = keptKey(row[table.key]);
    if (id !== ownId && table.rows.get(id) !== undefined) {
      throw repeatRefused(table.name, `${table.name}_pkey`);
    }
    for (const column of table.unique ?? []) {
      if (isNull(row[column])) continue;
      for (const other of table.rows.rows()) {
        if (other.id !== ownId && sameKept(other.row[column], row[column])) {
          throw repeatRefused(table.name, `${table.name}_${column}_key`);
        }
      }
    }
    for (const [column, { table: target }] of Object.entries(table.references ?? {})) {
      const value = row[column];
      if (isNull(value) || this.row(target, keptKey(value)) !== undefined) continue;
      throw danglingRefused(table.name, column, target);
    }
  }

  /** The rows that refer to one, each with the column by which it does. */
  #referrers(target: AppTable, id: string) {
    return [...this.#tables.values()].flatMap((table) =>
      Object.entries(table.references ?? {})
        .filter(([, reference]) => reference.table === target.name)
        .flatMap(([column, { onDelete }]) =>
          this.entries(table.name)
            .filter(({ row }) => !isNull(row[column]) && keptKey(row[column]) === id)
            .map((entry) => ({
              table: table.name,
              column,
              id: entry.id,
              cascade: onDelete === "cascade",
            })),
        ),
    );
  }

  #table(name: string): AppTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw unknownTable(name);
    return table;
  }
}

/** The given values of a row, as they will be kept; a column that is `undefined` is not written. */
function givenTo(table: AppTable, values: RowPatch): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (column !== table.key && !(column in table.columns)) throw unknownColumn(table.name, column);
    given[column] = keptValue(value);
  }
  return given;
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined;
}
