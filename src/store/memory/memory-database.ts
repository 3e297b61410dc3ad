/** A database in memory: the app's own tables as the app sees them. Tandem's part is `MemoryState`. */
import type { Instant } from "../../model/instant.ts";
import type { Row, RowPatch } from "../../model/mapping.ts";
import type { MemoryTables, RowWrite } from "./tables/index.ts";
import { MemoryState, type MemoryDelivery } from "./tables/index.ts";

/** The parts that a memory database is made of. */
export interface MemoryDatabaseOptions {
  /** The app's tables, by name. */
  readonly tables: MemoryTables;
  /** The database's clock. Default: the system's; the test kit gives it its own. */
  readonly now?: () => Instant;
}

/**
 * Makes a database that lives as long as the process, for simulations and tests.
 *
 * @example
 * const database = createMemoryDatabase({
 *   tables: { tasks: { columns: { project_id: undefined, title: "", deleted_at: null } } },
 * });
 * const { id } = await database.insert("tasks", { project_id: "1", title: "Hello" });
 */
export function createMemoryDatabase(options: MemoryDatabaseOptions): MemoryDatabase {
  return new MemoryDatabase(options);
}

export class MemoryDatabase {
  readonly kind = "memory";
  readonly #state: MemoryState;

  constructor({ tables, now }: MemoryDatabaseOptions) {
    this.#state = new MemoryState(tables);
    if (now !== undefined) this.#state.now = now;
  }

  /** The state that the store works on. */
  static stateOf(database: MemoryDatabase): MemoryState {
    return database.#state;
  }

  /**
   * Inserts a row; columns that are not given have their defaults. Keys, and what refers to them,
   * are text.
   *
   * @throws RecordWriteError where the table has no such column, or a constraint refuses the row.
   */
  insert(table: string, values: RowPatch): Promise<{ readonly id: string; readonly row: Row }> {
    return this.#state.transaction(() => this.#state.tables.insert(table, values, null));
  }

  /** The row as it is afterwards; `undefined` where there is none. */
  update(table: string, id: string, patch: RowPatch): Promise<Row | undefined> {
    return this.#state.transaction(() => this.#state.tables.update(table, id, patch, null));
  }

  delete(table: string, id: string): Promise<void> {
    return this.#state.transaction(() => {
      this.#state.tables.delete(table, id, null);
    });
  }

  row(table: string, id: string): Promise<Row | undefined> {
    return this.#state.transaction(() => this.#state.tables.row(table, id));
  }

  /** Every row of a table, in the order in which they were inserted. */
  rows(table: string): Promise<readonly Row[]> {
    return this.#state.transaction(() => this.#state.tables.entries(table).map(({ row }) => row));
  }

  /** Holds a row as an open transaction of the app would; Tandem finds it busy until released. */
  holdRow(table: string, id: string): () => void {
    const { heldRows } = this.#state;
    const name = `${table}\n${id}`;
    heldRows.set(name, (heldRows.get(name) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const others = (heldRows.get(name) ?? 1) - 1;
      if (others === 0) heldRows.delete(name);
      else heldRows.set(name, others);
    };
  }

  /** Calls `heard` with each write to the app's tables, whoever wrote, once it is committed. */
  onWrite(heard: (write: RowWrite) => void): () => void {
    this.#state.writeListeners.add(heard);
    return () => {
      this.#state.writeListeners.delete(heard);
    };
  }

  /** Webhooks as they were received, in that order. */
  deliveries(): Promise<readonly MemoryDelivery[]> {
    return this.#state.transaction(() =>
      this.#state.deliveries
        .rows()
        .toSorted((a, b) => a.receivedAt - b.receivedAt || (a.id < b.id ? -1 : 1)),
    );
  }

  /** Replaces the database's clock. */
  useClock(now: () => Instant): void {
    this.#state.now = now;
  }
}
