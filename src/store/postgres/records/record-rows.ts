/**
 * The app's own rows: read, locked if free, written with the mark that they are Tandem's.
 *
 * A row is never waited for: what the app holds is reported as busy, and the event goes back.
 */
import type { EventId } from "../../../model/ids.ts";
import type { Row, RowPatch } from "../../../model/mapping.ts";
import type { Queryable } from "../../database/index.ts";
import { allOf, tell } from "../../database/index.ts";
import type { ActorRows, PlaceholderRows, RecordTable } from "../../rules/index.ts";
import { RecordWriteError } from "../../rules/index.ts";
import type { AppSql, ToldBy } from "../../store.ts";
import type { Column, TableShape, TableShapes } from "../capture/index.ts";
import { changeStore } from "../capture/index.ts";
import { placeholderRows } from "../directory/index.ts";
import { quoteIdentifier } from "../driver/index.ts";
import {
  type BatchTable,
  drawKeys,
  insertKeyed,
  type KeyedRow,
  updateKeyed,
} from "./record-batches.ts";
import { columnOf, columnsOf, KEY, noTable, returned, toldOf } from "./record-columns.ts";
import { toParameter } from "./record-values.ts";
import { refusalOf, refusalOfApp, suppressed } from "./refusals.ts";

const MARK = "select set_config('tandem.origin', $1, true), set_config('tandem.told_by', $2, true)";

/**
 * How long a write of many rows waits for one of the app that it refers to, in milliseconds. It holds rows of
 * the app itself: shorter than a deadlock is looked for, so that it is never the other half of one.
 */
const PATIENCE_MS = 50;

const MARK_SHARED = `${MARK}, set_config('lock_timeout', '${String(PATIENCE_MS)}', true)`;

type Opened = Pick<BatchTable, "shape" | "key">;

/** Rows of any table by key; mappings and identities both write through it. */
export class RecordRows implements ActorRows {
  readonly placeholders: PlaceholderRows;
  readonly #tx: Queryable;
  readonly #shapes: TableShapes;

  constructor(tx: Queryable, shapes: TableShapes) {
    this.#tx = tx;
    this.#shapes = shapes;
    this.placeholders = placeholderRows(tx);
  }

  async read(table: RecordTable, ids: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    if (ids.length === 0) return new Map();
    const { shape, key } = await this.#open(table);
    const rows = await this.#run(
      `select ${returned(shape, key)}
       from ${shape.quoted}
       where ${key.quoted} = any($1::text[]::${key.type}[])`,
      [ids],
    );
    return new Map(rows.map((row) => [row.id, row.row]));
  }

  async page(
    table: RecordTable,
    scope: { readonly column: string; readonly value: string } | null,
    after: string | null,
    limit: number,
  ): Promise<readonly KeyedRow[]> {
    const { shape, key } = await this.#open(table);
    const wanted = [
      ...(after === null ? [] : [`${key.quoted} > $2::text::${key.type}`]),
      // As text, for a scope may be none of the column's type.
      ...(scope === null
        ? []
        : [`${columnOf(table, shape, scope.column).quoted}::text = $${after === null ? 2 : 3}`]),
    ];
    return this.#run(
      `select ${returned(shape, key)}
       from ${shape.quoted}
       ${wanted.length === 0 ? "" : `where ${wanted.join(" and ")}`}
       order by ${key.quoted}
       limit $1`,
      [limit, ...(after === null ? [] : [after]), ...(scope === null ? [] : [scope.value])],
    );
  }

  async childrenOf(
    table: RecordTable,
    column: string,
    parent: RecordTable,
    parentIds: readonly string[],
  ): Promise<readonly string[]> {
    const { shape, key } = await this.#open(table);
    const { key: parentKey } = await this.#open(parent);
    const { quoted, type } = columnOf(table, shape, column);
    // A key may be none of the column's type, where the two differ.
    const named =
      type === parentKey.type
        ? `${quoted} = any($1::text[]::${type}[])`
        : `${quoted}::text = any($1::text[])`;
    const rows = await this.#run(
      `select ${key.quoted}::text as ${quoteIdentifier(KEY)}
       from ${shape.quoted}
       where ${named}
       order by ${key.quoted}`,
      [parentIds],
    );
    return rows.map(({ id }) => id);
  }

  async referring(
    table: RecordTable,
    column: string,
    value: string,
    after: string | null,
    limit: number,
  ): Promise<readonly string[]> {
    const { shape, key } = await this.#open(table);
    const { quoted, type } = columnOf(table, shape, column);
    const rows = await this.#run(
      `select ${key.quoted}::text as ${quoteIdentifier(KEY)}
       from ${shape.quoted}
       where ${quoted} = $1::${type} and ($2::text is null or ${key.quoted} > $2::${key.type})
       order by ${key.quoted}
       limit $3`,
      [value, after, limit],
    );
    return rows.map(({ id }) => id);
  }

  async clockOf(table: RecordTable, column: string): Promise<Column["wall"]> {
    return (await this.#open(table)).shape.columns.get(column)?.wall ?? null;
  }

  async shapeOf(table: RecordTable): Promise<TableShape> {
    return (await this.#open(table)).shape;
  }

  async lock(
    table: RecordTable,
    id: string,
  ): Promise<
    { readonly status: "locked"; readonly row: Row } | { readonly status: "missing" | "busy" }
  > {
    const { shape, key } = await this.#open(table);
    const [locked] = await this.#run(
      `select ${returned(shape, key)}
       from ${shape.quoted}
       where ${key.quoted} = $1
       for no key update skip locked`,
      [id],
    );
    if (locked !== undefined) return { status: "locked", row: locked.row };
    const there = await this.read(table, [id]);
    return { status: there.size > 0 ? "busy" : "missing" };
  }

  async insert(table: RecordTable, patch: RowPatch, origin: EventId): Promise<KeyedRow> {
    const { shape, key } = await this.#open(table, patch);
    const written = columnsOf(table, shape, patch);
    const values = written.map((_, index) => `$${index + 1}`);
    const content =
      written.length === 0
        ? "default values"
        : `(${written.map(([column]) => column.quoted).join(", ")}) values (${values.join(", ")})`;
    const [inserted] = await this.#write(
      origin,
      `insert into ${shape.quoted} ${content} returning ${returned(shape, key)}`,
      written.map(([column, value]) => toParameter(value, column)),
    );
    if (inserted === undefined) throw suppressed(table, "insert");
    return inserted;
  }

  async update(table: RecordTable, id: string, patch: RowPatch, origin: EventId): Promise<Row> {
    const { shape, key } = await this.#open(table, patch);
    const written = columnsOf(table, shape, patch);
    if (written.length === 0) {
      const row = (await this.read(table, [id])).get(id);
      if (row === undefined) throw suppressed(table, "update");
      return row;
    }
    const set = written.map(([column], index) => `${column.quoted} = $${index + 2}`);
    const [updated] = await this.#write(
      origin,
      `update ${shape.quoted} set ${set.join(", ")}
       where ${key.quoted} = $1
       returning ${returned(shape, key)}`,
      [id, ...written.map(([column, value]) => toParameter(value, column))],
    );
    if (updated === undefined) throw suppressed(table, "update");
    return updated.row;
  }

  /** @param behind Asked without waiting for the rows, and carried out when they are locked. */
  async lockFree<Behind>(
    table: RecordTable,
    ids: readonly string[],
    behind: () => Promise<Behind>,
  ): Promise<readonly [ReadonlyMap<string, Row>, Behind]> {
    const { shape, key } = await this.#open(table);
    const locking = this.#run(
      `select ${returned(shape, key)}
       from ${shape.quoted}
       where ${key.quoted} = any($1::text[]::${key.type}[])
       for no key update skip locked`,
      [ids],
    );
    const [rows, found] = await allOf(locking, behind());
    return [new Map(rows.map(({ id, row }) => [id, row])), found];
  }

  async insertAll(
    table: RecordTable,
    patches: readonly RowPatch[],
    origin: EventId,
    toldBy: ToldBy,
  ): Promise<readonly KeyedRow[] | null> {
    const opened = await this.#open(table, ...patches);
    // A patch that names a key has it from somewhere else.
    if (patches.some((patch) => patch[table.key] !== undefined)) return null;
    const { shape, key } = opened;
    const keys = await this.#guarded(() => drawKeys(this.#tx, shape, key, patches.length));
    if (keys === null) return null;
    const rows = patches.map((patch, index) => ({
      id: keys[index] ?? "",
      written: columnsOf(table, opened.shape, patch),
    }));
    const mark = [origin, toldOf(shape, table, toldBy)] as const;
    const insert = () => insertKeyed(this.#batch(opened), rows);
    const made = await this.#marked(mark, insert, MARK_SHARED);
    return keys.map((id) => {
      const row = made.get(id);
      if (row === undefined) throw suppressed(table, "insert");
      return { id, row };
    });
  }

  async updateAll(
    table: RecordTable,
    patches: ReadonlyMap<string, RowPatch>,
    origin: EventId,
    toldBy: ToldBy,
  ): Promise<ReadonlyMap<string, Row>> {
    const opened = await this.#open(table, ...patches.values());
    const rows = [...patches].map(([id, patch]) => ({
      id,
      written: columnsOf(table, opened.shape, patch),
    }));
    const changing = rows.filter(({ written }) => written.length > 0);
    const same = rows.filter(({ written }) => written.length === 0).map(({ id }) => id);
    const mark = [origin, toldOf(opened.shape, table, toldBy)] as const;
    const update = () => updateKeyed(this.#batch(opened), changing);
    const updated = await this.#marked(mark, update, MARK_SHARED);
    const all = new Map([...updated, ...(await this.read(table, same))]);
    if (all.size !== patches.size) throw suppressed(table, "update");
    return all;
  }

  async delete(table: RecordTable, id: string, origin: EventId): Promise<void> {
    const { shape, key } = await this.#open(table);
    await this.#write(
      origin,
      `delete from ${shape.quoted} where ${key.quoted} = $1 returning ${returned(shape, key)}`,
      [id],
    );
  }

  async withText(
    table: RecordTable,
    column: string,
    texts: readonly string[],
  ): Promise<readonly KeyedRow[]> {
    const { shape, key } = await this.#open(table);
    const { quoted } = columnOf(table, shape, column);
    return this.#run(
      `select ${returned(shape, key)}
       from ${shape.quoted}
       where lower(${quoted}::text) = any (array(select lower(text) from unnest($1::text[]) as text))
       order by ${key.quoted}`,
      [texts],
    );
  }

  async clear(
    table: RecordTable,
    id: string,
    column: string,
    origin: EventId,
  ): Promise<"cleared" | "refused" | "busy"> {
    const locked = await this.lock(table, id);
    if (locked.status === "busy") return "busy";
    try {
      await this.lend(origin, () => this.update(table, id, { [column]: null }, origin));
      return "cleared";
    } catch (error) {
      if (error instanceof RecordWriteError) return "refused";
      throw error;
    }
  }

  async note(table: RecordTable, id: string, column: string, origin: EventId): Promise<void> {
    const noted = { recordType: table.name, recordId: id, columns: [column], origin };
    await changeStore(this.#tx).note([noted]);
  }

  async waitFor(name: string): Promise<void> {
    await this.#tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
  }

  #write(origin: EventId, text: string, params: readonly unknown[]) {
    return this.#marked([origin, ""], () => this.#run(text, params));
  }

  /** Writes under the mark, which the capture triggers read. Other writes do not carry it. */
  async #marked<T>(
    mark: readonly [origin: EventId, toldBy: string],
    write: () => Promise<T>,
    text = MARK,
  ): Promise<T> {
    tell(this.#tx, text, mark);
    const result = await write();
    tell(this.#tx, MARK, ["", ""]);
    return result;
  }

  #batch({ shape, key }: Opened): BatchTable {
    const run: BatchTable["run"] = (text, params) => this.#run(text, params);
    return { shape, key, returned: returned(shape, key), run };
  }

  /** The app's own code, under the mark and behind a savepoint. */
  async lend<T>(
    origin: EventId,
    work: (sql: AppSql) => Promise<T>,
    late?: Promise<never>,
  ): Promise<T> {
    let over = false;
    const time = { isUp: false };
    const cutOff = late?.catch((error: unknown) => {
      time.isUp = true;
      throw error;
    });
    cutOff?.catch(() => undefined);
    await this.#tx.query("savepoint tandem_lent");
    try {
      await this.#tx.query("select set_config('tandem.origin', $1, true)", [origin]);
      const working = work({
        client: this.#tx.client,
        query: async <Found>(text: string, params?: readonly unknown[]) => {
          if (over) throw new Error("the transaction that this tx belongs to has gone on");
          return (await this.#tx.query<Found>(text, params)).rows;
        },
      });
      const result = await Promise.race(cutOff === undefined ? [working] : [working, cutOff]);
      over = true;
      await this.#tx.query("select set_config('tandem.origin', '', true)");
      await this.#tx.query("release savepoint tandem_lent");
      return result;
    } catch (error) {
      over = true;
      if (time.isUp) {
        this.#tx.abandon?.();
        throw error;
      }
      // A transaction that is lost or was ended by the app cannot go back; its failure says so later.
      await this.#tx.query("rollback to savepoint tandem_lent").catch(() => undefined);
      await this.#tx.query("release savepoint tandem_lent").catch(() => undefined);
      throw refusalOfApp(error);
    }
  }

  async #run(text: string, params: readonly unknown[]): Promise<readonly KeyedRow[]> {
    const { rows } = await this.#guarded(() => this.#tx.query<Row>(text, params));
    return rows.map(({ [KEY]: id, ...row }) => ({ id: String(id), row }));
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const refusal = refusalOf(error);
      // The app's migrations ran since the table was looked at: look again next time.
      if (refusal?.code === "table_changed") this.#shapes.forget();
      throw refusal ?? error;
    }
  }

  async #open(table: RecordTable, ...patches: readonly RowPatch[]): Promise<Opened> {
    const shape = await this.#shapes.of(this.#tx, table.name, patches);
    if (shape === null) throw noTable(table);
    return { shape, key: columnOf(table, shape, table.key) };
  }
}
