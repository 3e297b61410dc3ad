/** The record store of one transaction: a mapping's table in place of any. */
import type { Mapping } from "../../../model/mapping.ts";
import type { Database, Queryable } from "../../database/index.ts";
import { findUser, type RecordTable, resolveActors } from "../../rules/index.ts";
import type { IdentitySettings, RecordStore } from "../../store.ts";
import { changeStore, mayHideRows } from "../capture/index.ts";
import { allowPauses, attempt } from "../driver/index.ts";
import type { RecordRows } from "./record-rows.ts";
import { misfitOfScope } from "./scope-rows.ts";

export function recordStore(
  { tx, kind }: { readonly tx: Queryable; readonly kind: Database["kind"] },
  rows: RecordRows,
  identities: IdentitySettings | undefined,
): RecordStore {
  return {
    read: (mapping, ids) => rows.read(tableOf(mapping), ids),
    page: (mapping, scope, after, limit) =>
      rows.page(
        tableOf(mapping),
        scope === null || mapping.scopeColumn === null
          ? null
          : { column: mapping.scopeColumn, value: scope },
        after,
        limit,
      ),
    childrenOf: async (mapping, parent, ids) =>
      mapping.parent === null
        ? []
        : rows.childrenOf(tableOf(mapping), mapping.parent.column, tableOf(parent), ids),
    referring: (mapping, column, value, after, limit) =>
      rows.referring(tableOf(mapping), column, value, after, limit),
    mayHideRows: async (mapping) => mayHideRows(tx, await rows.shapeOf(tableOf(mapping))),
    async misfitOfScope(mapping, scope) {
      const shape = await rows.shapeOf(tableOf(mapping));
      const column = shape.columns.get(mapping.scopeColumn ?? "");
      return column === undefined ? null : misfitOfScope(tx, shape, column, scope);
    },
    stampClock: (mapping) =>
      mapping.modifiedAt === null
        ? Promise.resolve(null)
        : rows.clockOf(tableOf(mapping), mapping.modifiedAt),
    lock: (mapping, id) => rows.lock(tableOf(mapping), id),
    async lockFree(mapping, ids) {
      const peek = () => changeStore(tx).peek(mapping.recordType, ids);
      const [free, captured] = await rows.lockFree(tableOf(mapping), ids, peek);
      return { rows: free, captured };
    },
    insert: (mapping, patch, origin) => rows.insert(tableOf(mapping), patch, origin),
    insertAll: (mapping, patches, origin, toldBy) =>
      rows.insertAll(tableOf(mapping), patches, origin, toldBy),
    updateAll: (mapping, patches, origin, toldBy) =>
      rows.updateAll(tableOf(mapping), patches, origin, toldBy),
    update: (mapping, id, patch, origin) => rows.update(tableOf(mapping), id, patch, origin),
    delete: (mapping, id, origin) => rows.delete(tableOf(mapping), id, origin),
    lend: (origin, work, late) => rows.lend(origin, work, late),
    attempt: (work) => attempt(tx, work),
    allowPauses: (millis) => allowPauses(tx, kind, millis),
    user: (id) => findUser(rows, identities, id),
    resolveActors: (integration, references, origin) =>
      resolveActors(rows, identities, integration, references, origin),
  };
}

function tableOf(mapping: Mapping): RecordTable {
  return { name: mapping.recordType, key: mapping.key };
}
