/** Explains why nothing happened for a record without lane and journal: one sentence and the next command. */
import type { TandemCore } from "../../compose.ts";
import { connectionsAt } from "../../engine/lifecycle/index.ts";
import { actOf, type Hint, hint } from "../../model/acts/hint.ts";
import { isSoftDeleted, type Mapping, placingColumn } from "../../model/mapping.ts";
import { DirectorySnapshot } from "../../runtime/services/index.ts";
import { whereaboutsOf } from "../../runtime/records/index.ts";
import { RecordWriteError } from "../../store/rules/index.ts";

export async function explainNothing(
  core: TandemCore,
  recordType: string,
  recordId: string,
): Promise<Hint> {
  try {
    return await explainRecord(core, recordType, recordId);
  } catch (error) {
    // The key column's type refused the text, such as a title where a number or a UUID is expected.
    if (!(error instanceof RecordWriteError) || error.code !== "invalid_value") throw error;
    return `"${recordId}" cannot be a key of ${recordType}: ${error.message}. Give the value of the row's key column.`;
  }
}

async function explainRecord(
  { services }: TandemCore,
  recordType: string,
  recordId: string,
): Promise<Hint> {
  const mappings = services.mappings.filter((mapping) => mapping.recordType === recordType);
  const [mapping] = mappings;
  if (mapping === undefined) {
    const known = [...services.mappings, ...services.journals].map((one) => one.recordType);
    return `The table is not mapped. Known tables: ${[...new Set(known)].join(", ")}.`;
  }
  const book = await DirectorySnapshot.open(services);
  return services.store.transaction(async (tx) => {
    const row = (await tx.records.read(mapping, [recordId])).get(recordId);
    if (row === undefined)
      return "The table has no such row, or row security hides it from Tandem.";
    if (isSoftDeleted(mapping, row)) return "The record is archived, so it gets no counterpart.";
    const captured = await tx.changes.peek(recordType, [recordId]);
    if (captured.length > 0) {
      return hint`The write was captured and waits for the drain. Is a worker running? See ${actOf("status.show")}.`;
    }
    for (const one of mappings) {
      const where = await whereaboutsOf(tx, one, new Map([[recordId, row]]), [], book);
      const [connection] = connectionsAt(where.get(recordId) ?? { kind: "unsettled" });
      if (connection !== undefined) {
        const name = book.contact(connection)?.connection.containerName ?? connection;
        return hint`The record belongs to ${name}, but no write of it was captured since that connection was made. ${actOf("connection.reconcile", connection, name)} pairs it.`;
      }
    }
    return unconnected(mapping, row);
  });
}

function unconnected(mapping: Mapping, row: Readonly<Record<string, unknown>>): string {
  const column = placingColumn(mapping);
  const value = column === null ? "" : ` = ${JSON.stringify(row[column])}`;
  return mapping.parent === null
    ? `No connection has the scope ${column ?? ""}${value}. \`tandem connect\` adds one.`
    : `Its parent, ${mapping.parent.recordType} ${column ?? ""}${value}, has no counterpart in any connection.`;
}
