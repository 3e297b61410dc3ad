/**
 * Writing a record: by SQL, or by the app's own code where the mapping has `apply`. Whichever it
 * is, the write carries our mark, and what must follow the commit is noted in the same transaction.
 */
import type { Content } from "../model/content.ts";
import type { TandemEvent } from "../model/event.ts";
import type { Mapping, Row, RowPatch } from "../model/mapping.ts";
import { mappedColumns } from "../model/mapping.ts";
import { mayPass, sqlState } from "../store/database.ts";
import { RecordWriteError } from "../store/record-write-error.ts";
import type { StoreTransaction } from "../store/store.ts";
import {
  type ApplyHook,
  HookError,
  type Hooks,
  type RecordOperation,
  ValidationError,
} from "./hooks.ts";

/** Writes the records of one mapping on behalf of one event. */
export interface RecordWriter {
  readonly event: TandemEvent;
  /** Creates a record from the resource's content; `patch` is what the mapping makes of it. */
  insert(patch: RowPatch, content: Content): Promise<{ readonly id: string; readonly row: Row }>;
  update(id: string, row: Row, patch: RowPatch): Promise<Row>;
  delete(id: string, row: Row): Promise<void>;
}

export function recordWriter(
  tx: StoreTransaction,
  mapping: Mapping,
  hooks: Hooks,
  event: TandemEvent,
): RecordWriter {
  const { records } = tx;
  const { apply } = hooks;

  async function carryOut(hook: ApplyHook, operation: RecordOperation) {
    try {
      return await records.lend(event.id, async (sql) => hook(sql, operation));
    } catch (thrown) {
      throw isKnown(thrown) ? thrown : failed("apply", mapping, thrown);
    }
  }

  /** What the app's code left in the table. */
  async function readBack(id: string, op: "insert" | "update"): Promise<Row> {
    const row = (await records.read(mapping, [id])).get(id);
    if (row !== undefined) return row;
    throw new HookError(
      "apply",
      `the mapping's apply wrote no row ${id} of ${mapping.recordType} (${op})`,
      "It must write with the tx it is given, and return the new row's key from an insert.",
    );
  }

  async function note(op: RecordOperation["op"], id: string, row: Row | null): Promise<void> {
    if (hooks.afterCommit === null) return;
    const { recordType, integration, resource } = mapping;
    await tx.afterCommits.add({
      integration,
      resourceType: resource.type,
      recordType,
      recordId: id,
      op,
      row,
      event: event.id,
    });
  }

  return {
    event,
    async insert(written, content) {
      const defaults = guarded("defaults", mapping, () => hooks.defaults(content, event));
      const patch = await withDerived(mapping, hooks, null, { ...defaults, ...written });
      if (apply === null) {
        const inserted = await records.insert(mapping, patch, event.id);
        await note("insert", inserted.id, null);
        return inserted;
      }
      const key = await carryOut(apply, { op: "insert", row: null, patch, event });
      if (key === undefined) {
        throw new HookError(
          "apply",
          `the mapping's apply returned no key from an insert into ${mapping.recordType}`,
          `Return the new row's ${mapping.key}.`,
        );
      }
      const id = String(key);
      const row = await readBack(id, "insert");
      await note("insert", id, null);
      return { id, row };
    },
    async update(id, row, written) {
      const patch = await withDerived(mapping, hooks, row, written);
      if (apply === null) {
        const updated = await records.update(mapping, id, patch, event.id);
        await note("update", id, null);
        return updated;
      }
      await carryOut(apply, { op: "update", row, patch, event });
      const updated = await readBack(id, "update");
      await note("update", id, null);
      return updated;
    },
    async delete(id, row) {
      if (apply === null) await records.delete(mapping, id, event.id);
      else await carryOut(apply, { op: "delete", row, patch: {}, event });
      await note("delete", id, row);
    },
  };
}

/** The patch with the columns computed from the row as it will be. */
async function withDerived(
  mapping: Mapping,
  { derive }: Hooks,
  row: Row | null,
  patch: RowPatch,
): Promise<RowPatch> {
  if (derive === null) return patch;
  let derived: RowPatch;
  try {
    derived = await derive({ ...row, ...patch });
  } catch (thrown) {
    throw failed("derive", mapping, thrown);
  }
  const taken = [mapping.key, ...mappedColumns(mapping)].find((column) => column in derived);
  if (taken !== undefined) {
    throw new HookError(
      "derive",
      `the mapping's derive of ${mapping.recordType} gave ${taken}, which the mapping itself writes`,
      "Derive other columns only; a mapped one belongs into its field's toRecord.",
    );
  }
  return { ...patch, ...derived };
}

function guarded<T>(hook: HookError["hook"], mapping: Mapping, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw failed(hook, mapping, thrown);
  }
}

/** What says by itself what follows from it: the app's refusal, the table's, the database's trouble. */
function isKnown(thrown: unknown): boolean {
  return (
    thrown instanceof ValidationError ||
    thrown instanceof RecordWriteError ||
    mayPass(thrown) ||
    sqlState(thrown) !== null
  );
}

function failed(hook: HookError["hook"], mapping: Mapping, thrown: unknown): HookError {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new HookError(
    hook,
    `the mapping's ${hook} of ${mapping.recordType} threw: ${text}`,
    `Correct ${hook} in tandem.config.ts, then restart the event.`,
    thrown,
  );
}
