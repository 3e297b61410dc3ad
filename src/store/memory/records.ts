/** The app's own rows, written with the mark that they are Tandem's. */
import type { EventId } from "../../model/ids.ts";
import { instantFromMicros } from "../../model/instant.ts";
import type { Row, RowPatch } from "../../model/mapping.ts";
import {
  type ActorRows,
  findUser,
  type RecordTable,
  RecordWriteError,
  resolveActors,
} from "../rules/index.ts";
import type { AppSql, CapturedChange, IdentitySettings, RecordStore } from "../store.ts";
import { memoryPlaceholders } from "./links.ts";
import type { TableEntry, MemoryState, Step } from "./tables/index.ts";
import { keptKey, unknownColumn } from "./tables/index.ts";

/** The rows that stand for actors. */
export function actorRows(state: MemoryState, step: Step): ActorRows {
  return {
    read: (table, ids) =>
      step(() => {
        const name = nameOf(state, table);
        const found = ids.map((id) => [id, state.tables.row(name, id)] as const);
        return new Map(found.flatMap(([id, row]) => (row === undefined ? [] : [[id, row]])));
      }),
    withText: (table, column, texts) => step(() => withText(state, table, column, texts)),
    insert: (table, patch, origin) => step(() => insert(state, table, patch, origin)),
    clear: (table, id, column, origin) =>
      step(() => {
        const name = nameOf(state, table);
        if (isHeld(state, name, id)) return "busy";
        const rollBack = state.undoLog.savepoint();
        try {
          state.tables.update(name, id, { [column]: null }, origin);
          return "cleared";
        } catch (error) {
          if (!(error instanceof RecordWriteError)) throw error;
          rollBack();
          return "refused";
        }
      }),
    waitFor: () => Promise.resolve(),
    note: ({ name }, id, column, origin) =>
      step(() => {
        state.changes.append({
          recordType: name,
          recordId: id,
          operation: "update",
          columns: [column],
          changedAt: state.now(),
          origin,
          oldRow: null,
          journal: null,
        });
      }),
    placeholders: memoryPlaceholders(state, step),
  };
}

/** The record store of one transaction; `step` runs each of its steps within it. */
export function memoryRecords(
  state: MemoryState,
  rows: ActorRows,
  identities: IdentitySettings | undefined,
  step: Step,
): Omit<RecordStore, "attempt"> {
  return {
    read: (mapping, ids) =>
      step(() => {
        const table = nameOf(state, { name: mapping.recordType, key: mapping.key });
        return new Map(
          ids.flatMap((id) => {
            const row = state.tables.row(table, id);
            return row === undefined ? [] : [[id, row] as const];
          }),
        );
      }),
    page: ({ recordType, key, scopeColumn }, scope, after, limit) =>
      step(() => {
        const table = nameOf(state, { name: recordType, key });
        return state.tables
          .entries(table)
          .filter(({ id }) => after === null || compareKeys(id, after) > 0)
          .filter(
            ({ row }) =>
              scope === null || scopeColumn === null || keptKey(row[scopeColumn]) === scope,
          )
          .sort((a, b) => compareKeys(a.id, b.id))
          .slice(0, limit);
      }),
    childrenOf: ({ recordType, key, parent }, _, parentIds) =>
      step(() => {
        if (parent === null) return [];
        const table = nameOf(state, { name: recordType, key });
        const wanted = new Set(parentIds);
        return state.tables
          .entries(table)
          .filter(({ row }) => wanted.has(String(row[parent.column])))
          .map(({ id }) => id);
      }),
    referring: (mapping, column, value, after, limit) =>
      step(() => {
        const table = nameOf(state, { name: mapping.recordType, key: mapping.key });
        const entries = state.tables.entries(table);
        const seen = entries.findIndex(({ id }) => id === after);
        return entries
          .slice(seen + 1)
          .filter(({ row }) => String(row[column]) === value)
          .slice(0, limit)
          .map(({ id }) => id);
      }),
    // A table in memory has no row security: every row is visible.
    mayHideRows: () => Promise.resolve(false),
    misfitOfScope: ({ recordType, key, scopeColumn }, scope) =>
      step(() => {
        const target = state.tables.targetOf(nameOf(state, { name: recordType, key }), scopeColumn);
        if (target === null || state.tables.row(target, scope) !== undefined) return null;
        return { kind: "no_row", table: target };
      }),
    // Times in memory carry their offset.
    stampClock: () => Promise.resolve(null),
    lock: (mapping, id) =>
      step(() => {
        const table = nameOf(state, { name: mapping.recordType, key: mapping.key });
        const row = state.tables.row(table, id);
        if (row === undefined) return { status: "missing" };
        return isHeld(state, table, id) ? { status: "busy" } : { status: "locked", row };
      }),
    lockFree: (mapping, ids) =>
      step(() => {
        const table = nameOf(state, { name: mapping.recordType, key: mapping.key });
        const free = ids.flatMap((id) => {
          const row = state.tables.row(table, id);
          return row === undefined || isHeld(state, table, id) ? [] : [[id, row] as const];
        });
        return { rows: new Map(free), captured: capturedOf(state, mapping.recordType, ids) };
      }),
    insert: (mapping, patch, origin) =>
      step(() => insert(state, { name: mapping.recordType, key: mapping.key }, patch, origin)),
    insertAll: (mapping, patches, origin, toldBy) =>
      step(() => {
        const table = { name: mapping.recordType, key: mapping.key };
        if (patches.some((patch) => patch[mapping.key] !== undefined)) return null;
        return state.capturing(toldBy, () =>
          patches.map((patch) => insert(state, table, patch, origin)),
        );
      }),
    update: (mapping, id, patch, origin) =>
      step(() => {
        const table = nameOf(state, { name: mapping.recordType, key: mapping.key });
        refuseHeld(state, table, id);
        const row = state.tables.update(table, id, patch, origin);
        if (row === undefined) throw noSuchRow(table);
        return row;
      }),
    updateAll: (mapping, patches, origin, toldBy) =>
      step(() => {
        const table = nameOf(state, { name: mapping.recordType, key: mapping.key });
        const updated = [...patches].map(([id, patch]) => () => {
          refuseHeld(state, table, id);
          const row = state.tables.update(table, id, patch, origin);
          if (row === undefined) throw noSuchRow(table);
          return [id, row] as const;
        });
        return new Map(state.capturing(toldBy, () => updated.map((update) => update())));
      }),
    delete: (mapping, id, origin) =>
      step(() => {
        const table = nameOf(state, { name: mapping.recordType, key: mapping.key });
        refuseHeld(state, table, id);
        state.tables.delete(table, id, origin);
      }),
    lend: (origin, work, late) => lend(state, origin, work, late),
    // Without a process there is no database either.
    allowPauses: () => Promise.resolve(),
    user: (id) => findUser(rows, identities, id),
    resolveActors: (integration, references, origin) =>
      resolveActors(rows, identities, integration, references, origin),
  };
}

/** Numbers by their size, as a number's column is sorted; anything else as text. */
function compareKeys(a: string, b: string): number {
  const areNumbers = /^\d+$/.test(a) && /^\d+$/.test(b);
  if (areNumbers && a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function insert(
  state: MemoryState,
  table: RecordTable,
  patch: RowPatch,
  origin: EventId,
): TableEntry {
  return state.tables.insert(nameOf(state, table), patch, origin);
}

/** The client that the app's own code is lent in place of SQL: its tables, in Tandem's transaction. */
export interface MemoryClient {
  insert(table: string, values: RowPatch): TableEntry;
  /** The row as it is afterwards; `undefined` where there is none. */
  update(table: string, id: string, patch: RowPatch): Row | undefined;
  delete(table: string, id: string): void;
  row(table: string, id: string): Row | undefined;
  rows(table: string): readonly Row[];
}

async function lend<T>(
  state: MemoryState,
  origin: EventId,
  work: (sql: AppSql) => Promise<T>,
  late: Promise<never> | undefined,
): Promise<T> {
  const rollBack = state.undoLog.savepoint();
  let over = false;
  const tables = () => {
    if (over) throw new Error("the transaction that this tx belongs to has gone on");
    return state.tables;
  };
  const client: MemoryClient = {
    insert: (table, values) => tables().insert(table, values, origin),
    update: (table, id, patch) => tables().update(table, id, patch, origin),
    delete: (table, id) => {
      tables().delete(table, id, origin);
    },
    row: (table, id) => tables().row(table, id),
    rows: (table) =>
      tables()
        .entries(table)
        .map(({ row }) => row),
  };
  try {
    const working = work({
      client,
      query: () => Promise.reject(new Error("a database in memory speaks no SQL: use tx.client")),
    });
    return await Promise.race(late === undefined ? [working] : [working, late]);
  } catch (error) {
    rollBack();
    throw error;
  } finally {
    over = true;
  }
}

function withText(
  state: MemoryState,
  table: RecordTable,
  column: string,
  texts: readonly string[],
): readonly { readonly id: string; readonly row: Row }[] {
  const name = nameOf(state, table);
  if (!state.tables.has(name, column)) throw unknownColumn(name, column);
  const wanted = new Set(texts.map((text) => text.toLowerCase()));
  return state.tables.entries(name).filter(({ row }) => {
    const value = row[column];
    return typeof value === "string" && wanted.has(value.toLowerCase());
  });
}

/** A table is read and written by its own key. */
function nameOf(state: MemoryState, { name, key }: RecordTable): string {
  if (state.tables.keyOf(name) === key) return name;
  if (!state.tables.has(name, key)) throw unknownColumn(name, key);
  throw new RecordWriteError({
    code: "table_changed",
    message: `${key} is not the key of ${name}`,
    hint: "Name the table's key in the configuration: records.<table>.key.",
    table: name,
    column: key,
  });
}

function isHeld(state: MemoryState, table: string, id: string): boolean {
  return state.heldRows.has(`${table}\n${id}`);
}

/** The app's transaction holds the row: Postgres would wait for it until its patience ends. */
class RowHeldError extends Error {
  override readonly name = "RowHeldError";
  readonly code = "55P03";
}

function refuseHeld(state: MemoryState, table: string, id: string): void {
  if (isHeld(state, table, id)) throw new RowHeldError(`the app holds ${table} ${id}`);
}

function noSuchRow(table: string): RecordWriteError {
  return new RecordWriteError({
    code: "write_suppressed",
    message: `the update of a row of ${table} had no effect`,
    hint: "There is no such row any more.",
    table,
  });
}

/** The captured writes of records that are still to be drained. */
export function capturedOf(
  state: MemoryState,
  recordType: string,
  recordIds: readonly string[],
): readonly CapturedChange[] {
  return state.changes.of(recordType, recordIds).map((change) => withEdit(state, change));
}

/** A captured write with the edit that it merged, if it is ours. */
export function withEdit(state: MemoryState, change: CapturedChange): CapturedChange {
  const { origin } = change;
  if (origin === null) return change;
  const live = state.lanes.by("busy", true).flatMap((lane) => lane.live);
  const event = live.find(({ id }) => id === origin) ?? state.ended.get(origin);
  if (event === undefined) return change;
  const { laneId: lane, connectionId, updatedAt } = event;
  if (lane === null || connectionId === null || updatedAt === null) return change;
  const accountId = state.connections.get(connectionId)?.accountId;
  const account = accountId === undefined ? undefined : state.accounts.get(accountId);
  if (account === undefined) return change;
  return { ...change, edit: { lane, at: instantFromMicros(updatedAt - account.clockOffset) } };
}
