/**
 * Writing a record: by SQL, or by the app's own code if the mapping has `apply`. Both ways carry Tandem's mark, and
 * note the `afterCommit` hook in the same transaction.
 */
import type { Clock } from "../../model/clock.ts";
import type { Content } from "../../model/content.ts";
import type { AnyEvent } from "../../model/event.ts";
import { mappedColumns, type Mapping, type Row, type RowPatch } from "../../model/mapping.ts";
import { mayPass, sqlState } from "../../store/database/index.ts";
import { RecordWriteError } from "../../store/rules/index.ts";
import type { StoreTransaction } from "../../store/store.ts";
import {
  type ApplyHook,
  HookError,
  type Hooks,
  type RecordOperation,
  ValidationError,
} from "../settings/index.ts";
import { inTime, limitOf } from "../services/index.ts";

/** How long the app's code may hold the record's row: well under a lease, so that other writers do not wait longer. */
const PATIENCE_MS = 20_000;
/** The database ends the transaction after this time, if this process has not. */
const FROZEN_MS = 30_000;

/** Writes the records of one mapping on behalf of one event. */
export interface RecordWriter {
  readonly event: AnyEvent;
  /** Creates a record from the resource's content; `patch` has the columns that the mapping translates from it. */
  insert(patch: RowPatch, content: Content): Promise<{ readonly id: string; readonly row: Row }>;
  update(id: string, row: Row, patch: RowPatch): Promise<Row>;
  /** Deletes a record. Returns the present row if `apply` kept it; `null` if it is deleted. */
  delete(id: string, row: Row): Promise<Row | null>;
}

export function recordWriter(
  tx: StoreTransaction,
  mapping: Mapping,
  hooks: Hooks,
  event: AnyEvent,
  clock: Clock,
): RecordWriter {
  const { records } = tx;
  const { apply } = hooks;

  async function applyOperation(hook: ApplyHook, operation: RecordOperation) {
    await records.allowPauses(FROZEN_MS);
    const limit = limitOf(clock, PATIENCE_MS, () => tooSlow("apply", mapping));
    try {
      return await records.lend(event.id, async (sql) => hook(sql, operation), limit.late);
    } catch (thrown) {
      throw isKnown(thrown) ? thrown : failed("apply", mapping, thrown);
    } finally {
      limit.end();
    }
  }

  /** The patch with the columns that `derive` computes from the row after the patch. */
  async function withDerived(row: Row | null, patch: RowPatch): Promise<RowPatch> {
    const { derive } = hooks;
    if (derive === null) return patch;
    await records.allowPauses(FROZEN_MS);
    let derived: RowPatch;
    try {
      const work = derive({ ...row, ...patch });
      derived = await inTime(clock, PATIENCE_MS, work, () => tooSlow("derive", mapping));
    } catch (thrown) {
      throw thrown instanceof HookError ? thrown : failed("derive", mapping, thrown);
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

  /** Reads the row that the app's code wrote. */
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
      const patch = await withDerived(null, { ...defaults, ...written });
      if (apply === null) {
        const inserted = await records.insert(mapping, patch, event.id);
        await note("insert", inserted.id, null);
        return inserted;
      }
      const key = await applyOperation(apply, { op: "insert", row: null, patch, event });
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
      const patch = await withDerived(row, written);
      if (apply === null) {
        const updated = await records.update(mapping, id, patch, event.id);
        await note("update", id, null);
        return updated;
      }
      await applyOperation(apply, { op: "update", row, patch, event });
      const updated = await readBack(id, "update");
      await note("update", id, null);
      return updated;
    },
    async delete(id, row) {
      if (apply === null) {
        await records.delete(mapping, id, event.id);
        await note("delete", id, row);
        return null;
      }
      await applyOperation(apply, { op: "delete", row, patch: {}, event });
      const kept = (await records.read(mapping, [id])).get(id) ?? null;
      if (kept === null) await note("delete", id, row);
      else await note("update", id, null);
      return kept;
    },
  };
}

function guarded<T>(hook: HookError["hook"], mapping: Mapping, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw failed(hook, mapping, thrown);
  }
}

/** Whether an error is classified already: a refusal by the app or the table, or trouble of the database. */
function isKnown(thrown: unknown): boolean {
  return (
    thrown instanceof HookError ||
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
    { cause: thrown },
  );
}

/** The error of a hook that took too long. It is not retried: a hook that deadlocks with its caller always would. */
function tooSlow(hook: HookError["hook"], mapping: Mapping): HookError {
  return new HookError(
    hook,
    `the mapping's ${hook} of ${mapping.recordType} did not end within ${PATIENCE_MS / 1_000} seconds`,
    `It holds the record's row: no HTTP in ${hook}, and no other connection to this database than the tx it is given; such work belongs into afterCommit. Correct it, then restart the event.`,
    { code: "hook_too_slow" },
  );
}
