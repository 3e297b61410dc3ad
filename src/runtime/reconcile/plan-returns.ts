/**
 * Planning for listed resources that were taken for deleted. Each is read by id after its tombstone, and if it proves
 * alive, its return is executed with the rest of the plan. A resource that was closed or detached because of its
 * record is not read, so it costs no request.
 */
import type { Arrival } from "../../engine/lane/index.ts";
import {
  admitReturn,
  connectionsAt,
  releaseEvents,
  isTooYoungToReturn,
  isUnsent,
  mayBeBack,
  planReturn,
  type RecordSide,
  takeEditTimes,
} from "../../engine/lifecycle/index.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot } from "../services/index.ts";
import {
  readOrAbsent,
  recordSide,
  rowsOf,
  withPendingTimes,
  whereaboutsOf,
} from "../records/index.ts";
import type { Planner, ReturnedStep } from "./planner.ts";

/** The number of reads per type in one run; the next run, within minutes, reads the rest. */
const READS = 500;

/** The returns that a page of a list leads to. */
export interface ReturnsOfPage {
  /** Not read, because they are too recent or too many: a later run reads them. */
  readonly unconfirmed: number;
  readonly steps: readonly (ReturnedStep & { readonly mapping: Mapping })[];
}

/** Reads the resources of a page whose lane has ended and that may be alive, one by one. */
export async function planReturns(
  planner: Planner,
  lanes: readonly Pick<Lane, "id" | "externalId">[],
): Promise<ReturnsOfPage> {
  const { services, contact, mapping, signal, returns } = planner;
  let unconfirmed = 0;
  const steps: (ReturnedStep & { readonly mapping: Mapping })[] = [];
  for (const { id, externalId } of lanes) {
    if (returns.asked.has(id) || externalId === null) continue;
    const book = await DirectorySnapshot.open(services);
    const began = await services.store.transaction(async (tx) => {
      const [lane] = await tx.lockLanes([id]);
      if (lane === undefined || !mayBeBack(lane, book.context(lane, tx.now))) return null;
      if ((await lookAtRecord(tx, lane, mapping, book)) === "hidden") return null;
      return isTooYoungToReturn(lane, tx.now) ? "too_young" : tx.now;
    });
    if (began === null) continue;
    if (began === "too_young" || returns.asked.size >= READS) {
      unconfirmed += 1;
      continue;
    }
    returns.asked.add(id);
    const seen = await readOrAbsent(services, contact, mapping, externalId, signal);
    // A resource that the list shows and a read does not is deleted or moved, which was known already.
    if (seen === "absent" || "to" in seen) continue;
    const step = {
      cause: "returned",
      mapping,
      lane: id,
      observation: seen,
      verifiedAt: began,
    } as const;
    const actions = await services.store.transaction(async (tx) => {
      const [lane] = await tx.lockLanes([id]);
      if (lane === undefined) return [];
      const looked = await lookAtRecord(tx, lane, mapping, book);
      if (looked === "hidden") return [];
      const { record, follower } = looked;
      const told = takeEditTimes(lane, follower);
      const context = book.context(lane, tx.now);
      const timed = await withPendingTimes(tx, told, record, context);
      return planReturn(timed, readOf(step), record, context);
    });
    if (actions.length === 0) continue;
    returns.alive.add(externalId);
    steps.push({ ...step, actions });
  }
  return { unconfirmed, steps };
}

/** Executes planned returns, on the present lane and record of each. */
export async function executeReturns(
  tx: StoreTransaction,
  steps: readonly (ReturnedStep & { readonly mapping: Mapping })[],
  book: DirectorySnapshot,
): Promise<void> {
  const lanes = await tx.lockLanes(steps.map(({ lane }) => lane));
  for (const before of lanes) {
    const step = steps.find(({ lane }) => lane === before.id);
    if (step === undefined) continue;
    // The resource was moved meanwhile, or the lane has another one.
    if (before.externalId !== step.observation.externalId) continue;
    const looked = await lookAtRecord(tx, before, step.mapping, book);
    if (looked === "hidden") continue;
    const { record, follower } = looked;
    const timed = takeEditTimes(before, follower);
    const after = admitReturn(timed, readOf(step), record, book.context(before, tx.now));
    // If the lane was switched off since the plan, it stays ended: a later run reads again.
    if (after.event?.state !== "queued") continue;
    if (follower !== null) {
      await tx.saveLanes([
        { before: follower, after: releaseEvents(follower, after.event, tx.now) },
      ]);
      await tx.removeLane(follower.id);
    }
    await tx.saveLanes([{ before, after }]);
  }
}

function readOf({ observation, verifiedAt }: Omit<ReturnedStep, "actions">): Arrival {
  return { observation, source: "reread", deliveryId: null, verifiedAt };
}

/** The record that a returning resource had, and the lane it got meanwhile, if that is unsent. */
interface Looked {
  readonly record: RecordSide;
  readonly follower: Lane | null;
}

/**
 * Reads the record of an ended lane. A record that has another counterpart by now, or belongs to another connection,
 * does not count. `hidden`: row security may hide the row, so nothing is known.
 */
async function lookAtRecord(
  tx: StoreTransaction,
  lane: Lane,
  mapping: Mapping,
  book: DirectorySnapshot,
): Promise<Looked | "hidden"> {
  const { recordId } = lane;
  if (recordId === null) return { record: { kind: "none" }, follower: null };
  const follower = await followerOf(tx, lane, recordId);
  if (follower !== null && !isUnsent(follower)) return { record: { kind: "none" }, follower: null };
  const rows = await rowsOf(tx, mapping, [lane]);
  if (!rows.has(recordId) && (await tx.records.mayHideRows(mapping))) return "hidden";
  const where = (await whereaboutsOf(tx, mapping, rows, [], book)).get(recordId);
  const connections = where === undefined ? [] : connectionsAt(where);
  // A child belongs to its parent's connections. Without any, the parent may be returning as well.
  const isPlaced = where?.kind === "by_scope" || connections.length > 0;
  const hasLeft = isPlaced && !connections.includes(lane.connectionId);
  const record = hasLeft ? ({ kind: "gone" } as const) : recordSide(mapping, lane, rows);
  return { record, follower: record.kind === "present" ? follower : null };
}

/** The lane that the record got in this connection when it was restored. */
async function followerOf(
  tx: StoreTransaction,
  { connectionId, resourceType, recordType }: Lane,
  recordId: string,
): Promise<Lane | null> {
  const found = (
    await tx.findLanes({ kind: "of_records", recordType, recordIds: [recordId] })
  ).find((lane) => lane.connectionId === connectionId && lane.resourceType === resourceType);
  return found === undefined ? null : ((await tx.lockLanes([found.id]))[0] ?? null);
}
