/**
 * Records in a connection's scope that have neither lane, event nor captured write. No other code would ever find such
 * a record, so the local sweep counts them for `status`.
 *
 * If a finished backfill has given every record a counterpart, the capture of a write must be missing: the drain gets
 * the record again. Otherwise existing records were left out on purpose, so they are only counted.
 */
import type { Mapping } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact, Services } from "../services/index.ts";
import { type UnpairedRecord, unpairedRecords } from "../backfill/index.ts";
import type { UncapturedRecord } from "../records/index.ts";

/** The number of rows that one transaction reads. */
const BATCH = 500;
/** The number of records that one sweep hands to the drain; the next sweep continues. */
const REPAIRED = 1_000;

export interface Untracked {
  readonly count: number;
  /** The records that the drain must get again. */
  readonly missed: readonly UncapturedRecord[];
}

/** Counts the untracked records of one mapping in a connection. */
export async function findUntracked(
  services: Services,
  contact: Contact,
  mapping: Mapping,
): Promise<Untracked> {
  const { id, pairing } = contact.connection;
  if (pairing.includes(mapping.resource.type)) return { count: 0, missed: [] };
  const backfill = (await services.store.directory.backfills()).find(
    (one) => one.connectionId === id && one.resourceType === mapping.resource.type,
  );
  if (backfill?.finishedAt === null) return { count: 0, missed: [] };
  const isComplete = backfill?.creates === true && backfill.progress.ambiguousCount === 0;
  const missed: UncapturedRecord[] = [];
  let count = 0;
  let after: string | null = null;
  do {
    const cursor: string | null = after;
    after = await services.store.transaction(async (tx) => {
      const step = await unpairedRecords(services, tx, contact, mapping, cursor, BATCH);
      const found = await withoutChange(tx, contact, mapping, step.records);
      count += found.length;
      if (isComplete) missed.push(...found.slice(0, REPAIRED - missed.length));
      return step.next;
    });
  } while (after !== null);
  return { count, missed };
}

async function withoutChange(
  tx: StoreTransaction,
  { connection }: Contact,
  mapping: Mapping,
  records: readonly UnpairedRecord[],
): Promise<readonly UncapturedRecord[]> {
  if (records.length === 0) return [];
  const { recordType, resource } = mapping;
  const ids = records.map(({ key }) => key.recordId);
  const captured = await tx.changes.peek(recordType, ids);
  // A drain that committed before captures were read here has made its lanes visible.
  const lanes = (await tx.findLanes({ kind: "of_records", recordType, recordIds: ids })).filter(
    ({ connectionId, resourceType }) =>
      connectionId === connection.id && resourceType === resource.type,
  );
  const tracked = new Set([...captured, ...lanes].map(({ recordId }) => recordId));
  return ids
    .filter((recordId) => !tracked.has(recordId))
    .map((recordId) => ({ recordType, recordId, mapping }));
}
