/**
 * The local sweep: finds changes that triggers cannot see, such as TRUNCATE, replication, a restored table, or a load
 * with triggers off. It compares records with base, without a request to the provider.
 *
 * 1. A record that differs gets an outbound event, which reads the resource first.
 * 2. A record that was moved to another connection is noted for the drain, as if the write had been captured.
 * 3. A missing record counts as deleted only if row security hides nothing from Tandem.
 * 4. A record in a connected scope that Tandem does not know is counted, see `untracked-records.ts`.
 * 5. The blast radius is checked before anything is done: an emptied table must not close every issue.
 */
import { admitDrift, recordStanding } from "../../engine/processing/index.ts";
import type { AffectedRecord } from "../../model/held-run.ts";
import type { LaneId } from "../../model/ids.ts";
import { addMillis } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import { batchesOf, type Contact, DirectorySnapshot, type Services } from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { drainPresent } from "../outbound/index.ts";
import {
  capturedAmong,
  lanesLeft,
  noteGone,
  noteMoved,
  type UncapturedRecord,
  whereaboutsOf,
} from "../records/index.ts";
import { approvedRuns, checkBlastRadius } from "../safety/index.ts";
import { visitPaired } from "./paired-pages.ts";
import { findUntracked, type Untracked } from "./untracked-records.ts";

/** The number of lanes that are compared or moved in one transaction. */
const BATCH = 200;

export interface LocalSweepSummary {
  /** The number of compared pairings. */
  readonly compared: number;
  /** Records that differ from base without a captured write. */
  readonly differing: number;
  /** Records that were deleted without a captured write. */
  readonly gone: number;
  /** Records that belong to another connection without a captured write. */
  readonly moved: number;
  /** Records with neither lane, event nor captured write. */
  readonly untracked: number;
  /** Tables whose absent rows do not count, because row security may hide them. */
  readonly hidden: readonly string[];
  /** Whether the run is held for approval, and has done nothing. */
  readonly held: boolean;
}

/** Sweeps every connection that is due, and those whose tables were truncated. */
export async function localSweepDue(
  services: Services,
  sweepMillis: number,
  signal?: AbortSignal,
): Promise<number> {
  const { store } = services;
  const emptied = new Set(await store.transaction((tx) => tx.changes.takeTruncated()));
  const approved = await approvedRuns(services, "local_sweep");
  const book = await DirectorySnapshot.open(services);
  const now = await store.ledger.now();
  const due = book.contacts.filter(({ connection }) => {
    const { id, localSweptAt, polledAt, integration } = connection;
    const since = localSweptAt ?? polledAt;
    return (
      approved.has(id) ||
      mappingsOf(services, integration).some(({ recordType }) => emptied.has(recordType)) ||
      (since !== null && addMillis(since, sweepMillis) <= now)
    );
  });
  for (const contact of due) {
    if (signal?.aborted === true) return 0;
    try {
      await sweepRecords(services, contact);
    } catch (thrown) {
      const { id, containerName } = contact.connection;
      services.log.warn(
        { connection: id, container: containerName, ...describeError(thrown) },
        "a local sweep failed; it is repeated with the next cycle",
      );
      // A truncation is reported only once, so the connection must be due again in the next cycle.
      await store.directory.updateConnection(id, { localSweptAt: addMillis(now, -sweepMillis) });
    }
  }
  return due.length;
}

/** Compares the records of one connection with base. */
export async function sweepRecords(
  services: Services,
  contact: Contact,
): Promise<LocalSweepSummary> {
  const { connection } = contact;
  // A captured write is no finding, because the drain handles it.
  await drainPresent(services);
  const found: Found = { compared: 0, differing: [], gone: [], moved: [], hidden: [] };
  for (const mapping of mappingsOf(services, connection.integration)) {
    await compareRecords(services, connection.id, mapping, found);
  }
  const { records, now } = await services.store.transaction(async (tx) => ({
    records: await tx.countPairedLanes(connection.id),
    now: tx.now,
  }));
  const removed = [...found.gone, ...found.moved];
  const outlook = { deletes: removed.length, overwrites: found.differing.length, records };
  const affected = [...removed, ...found.differing];
  const untracked: Untracked[] = [];
  for (const mapping of mappingsOf(services, connection.integration)) {
    untracked.push(await findUntracked(services, contact, mapping));
  }
  const count = untracked.reduce((sum, one) => sum + one.count, 0);
  const missed = untracked.flatMap((one) => one.missed);
  const goes = await checkBlastRadius(services, connection, "local_sweep", outlook, affected);
  if (goes) await act(services, { ...found, moved: [...found.moved, ...missed] });
  const untrackedRecords = count - (goes ? missed.length : 0);
  await services.store.directory.updateConnection(connection.id, {
    localSweptAt: now,
    untrackedRecords,
  });
  if (count > 0) {
    services.log.warn(
      { connection: connection.id, container: connection.containerName, records: count },
      "records of a connected scope had no lane, no event and no captured write",
    );
  }
  return {
    compared: found.compared,
    differing: found.differing.length,
    gone: found.gone.length,
    moved: found.moved.length,
    untracked: count,
    hidden: found.hidden,
    held: !goes,
  };
}

type Finding = AffectedRecord & { readonly lane: LaneId; readonly mapping: Mapping };

interface Found {
  compared: number;
  readonly differing: Finding[];
  readonly gone: Finding[];
  readonly moved: Finding[];
  readonly hidden: string[];
}

function mappingsOf(services: Services, integration: string): readonly Mapping[] {
  return services.mappings.filter((mapping) => mapping.integration === integration);
}

async function compareRecords(
  services: Services,
  connection: Contact["connection"]["id"],
  mapping: Mapping,
  found: Found,
): Promise<void> {
  const hides = await services.store.transaction((tx) => tx.records.mayHideRows(mapping));
  const book = await DirectorySnapshot.open(services);
  let hidden = 0;
  await visitPaired(services, connection, mapping, BATCH, async (tx, page) => {
    const lanes = await tx.lockLanes(page.map(({ id }) => id));
    const ids = page.map(({ recordId }) => recordId);
    const existing = await tx.findLanes({
      kind: "of_records",
      recordType: mapping.recordType,
      recordIds: ids,
    });
    const rows = await tx.records.read(mapping, ids);
    const where = await whereaboutsOf(tx, mapping, rows, existing, book);
    const left = lanesLeft(mapping, rows, existing, where, book);
    found.compared += lanes.length;
    const standings = lanes.map((lane) => {
      const row = rows.get(lane.recordId ?? "") ?? null;
      const context = book.context(lane, tx.now);
      return { lane, row, standing: recordStanding(lane, row, left.has(lane.id), context) };
    });
    const findings = standings.filter(({ standing }) => standing !== "same");
    // The record was written since the drain ended, so the next drain handles it.
    const captured = await capturedAmong(
      tx,
      mapping.recordType,
      findings.flatMap(({ lane }) => lane.recordId ?? []),
    );
    for (const { lane, row, standing } of findings) {
      if (captured.has(lane.recordId ?? "")) continue;
      if (standing === "moved") found.moved.push(finding(lane, mapping, "delete"));
      else if (standing === "gone" && row === null && hides) hidden += 1;
      else if (standing === "gone") found.gone.push(finding(lane, mapping, "delete"));
      else found.differing.push(finding(lane, mapping, "overwrite"));
    }
  });
  if (hidden === 0) return;
  found.hidden.push(mapping.recordType);
  services.log.warn(
    { connection, table: mapping.recordType, rows: hidden },
    "rows were not found, and row security may hide them: none counts as deleted; grant Tandem's role BYPASSRLS",
  );
}

function finding(lane: Lane, mapping: Mapping, what: AffectedRecord["what"]): Finding {
  const { recordType, recordId, resourceType, externalId } = lane;
  return { what, recordType, recordId, resourceType, externalId, lane: lane.id, mapping };
}

/** Handles the findings: deletions and moves through the drain, differences by an event of the lane. */
async function act(
  services: Services,
  {
    gone,
    moved,
    differing,
  }: Pick<Found, "gone" | "differing"> & { readonly moved: readonly UncapturedRecord[] },
): Promise<void> {
  for (const group of batchesOf(moved, BATCH)) {
    await services.store.transaction((tx) => noteMoved(tx, group));
  }
  for (const group of batchesOf(gone, BATCH)) {
    await services.store.transaction((tx) => noteGone(tx, group));
  }
  for (const group of batchesOf(differing, BATCH)) {
    const ids = group.map(({ lane }) => lane);
    const book = await DirectorySnapshot.open(services);
    await services.store.transaction(async (tx) => {
      const lanes = await tx.lockLanes(ids);
      await tx.saveLanes(
        lanes.map((before) => ({
          before,
          after: admitDrift(before, book.context(before, tx.now)),
        })),
      );
    });
  }
}
