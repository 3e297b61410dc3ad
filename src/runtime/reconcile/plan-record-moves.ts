/**
 * Planning for records that were moved to another connection without a captured write: they left this connection,
 * arrived in it, or returned to it. The drain carries out all three, because it decides about all lanes of a record.
 */
import type { Context } from "../../engine/lane/index.ts";
import { type PlannedAction, planRecordSide } from "../../engine/lifecycle/index.ts";
import { planUnpaired, unseenLane } from "../../engine/reconcile/index.ts";
import { removalAfter } from "../../engine/processing/index.ts";
import { contentOrNull } from "../../engine/merge/index.ts";
import type { Content } from "../../model/content.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { isSoftDeleted, type Mapping, type Row } from "../../model/mapping.ts";
import { isEndedByResource, type RecordMove, recordMoveOf } from "../../model/tombstone.ts";
import type { LaneKey, StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot, type Contact, type Services } from "../services/index.ts";
import { type LaneOfRecord, lanesLeft, whereaboutsOf } from "../records/index.ts";
import { visitPaired } from "./paired-pages.ts";
import type { RecordMovedStep } from "./planner.ts";

const BATCH = 500;

/** The lanes of records that have left a connection, with the planned steps. */
export interface LeftBehind {
  readonly lanes: ReadonlySet<LaneId>;
  readonly steps: readonly RecordMovedStep[];
}

export const NOTHING_LEFT: LeftBehind = { lanes: new Set(), steps: [] };

/** Finds the pairings of a connection whose record belongs elsewhere. */
export async function planLeft(
  services: Services,
  { connection }: Contact,
  mapping: Mapping,
): Promise<LeftBehind> {
  const book = await DirectorySnapshot.open(services);
  const lanes = new Set<LaneId>();
  const steps: RecordMovedStep[] = [];
  await visitPaired(services, connection.id, mapping, BATCH, async (tx, page) => {
    const ids = page.map(({ recordId }) => recordId);
    const existing = await tx.findLanes({
      kind: "of_records",
      recordType: mapping.recordType,
      recordIds: ids,
    });
    const rows = await livingRows(tx, mapping, ids);
    const left = await leftOf(tx, mapping, rows, existing, book);
    const own = new Set(page.map(({ id }) => id));
    const locked = await tx.lockLanes([...left.keys()]);
    const losses = lossesOf(locked, left, tx, book);
    for (const lane of locked) {
      if (!own.has(lane.id)) continue;
      lanes.add(lane.id);
      steps.push(step(mapping, lane, true, [], losses.get(lane.recordId ?? "")));
    }
  });
  return { lanes, steps };
}

/** Plans the arrival of records that have no lane here and left another connection. */
export async function planArrived(
  tx: StoreTransaction,
  mapping: Mapping,
  found: readonly { readonly key: LaneKey; readonly row: Row }[],
  book: DirectorySnapshot,
): Promise<ReadonlyMap<string, RecordMovedStep>> {
  const rows = new Map(found.map(({ key, row }) => [key.recordId ?? "", row]));
  const existing = await tx.findLanes({
    kind: "of_records",
    recordType: mapping.recordType,
    recordIds: [...rows.keys()],
  });
  const left = await leftOf(tx, mapping, rows, existing, book);
  const losses = lossesOf(await tx.lockLanes([...left.keys()]), left, tx, book);
  const result = new Map<string, RecordMovedStep>();
  for (const { key, row } of found) {
    const { recordId } = key;
    const content = contentOrNull(mapping, row);
    const lost = losses.get(recordId ?? "");
    if (recordId === null || content === null || lost === undefined) continue;
    const context = book.context({ id: unseenLane(key).id, ...key }, tx.now);
    const actions = planUnpaired(recordId, content, key, context);
    result.set(recordId, step(mapping, key, false, actions, lost));
  }
  return result;
}

/** Finds records that are in the connection's scope again and whose lane here ended by their move. */
export async function planReturned(
  services: Services,
  { connection }: Contact,
  mapping: Mapping,
): Promise<readonly RecordMovedStep[]> {
  if (mapping.scopeColumn === null) return [];
  const book = await DirectorySnapshot.open(services);
  const steps: RecordMovedStep[] = [];
  let after: string | null = null;
  do {
    const cursor: string | null = after;
    after = await services.store.transaction(async (tx) => {
      const page = await tx.records.page(mapping, connection.scope, cursor, BATCH);
      const rows = new Map(
        page.flatMap(({ id, row }) => (isSoftDeleted(mapping, row) ? [] : [[id, row] as const])),
      );
      const ids = [...rows.keys()];
      const living = await tx.findLanes({
        kind: "of_records",
        recordType: mapping.recordType,
        recordIds: ids,
      });
      const isHere = (lane: Pick<LaneOfRecord, "connectionId" | "resourceType">) =>
        lane.connectionId === connection.id && lane.resourceType === mapping.resource.type;
      const present = new Set(living.filter(isHere).map(({ recordId }) => recordId));
      const last = new Map(
        (
          await tx.findLanes({
            kind: "ended_of_records",
            recordType: mapping.recordType,
            recordIds: ids,
          })
        )
          .filter((lane) => isHere(lane) && !present.has(lane.recordId))
          .map((lane) => [lane.recordId, lane]),
      );
      const back = [...last.values()].filter(({ tombstone }) => recordMoveOf(tombstone) !== null);
      const returning = new Set(back.map(({ id }) => id));
      const returned = new Set(back.map(({ recordId }) => recordId));
      const backRows = new Map([...rows].filter(([id]) => returned.has(id)));
      const left = await leftOf(tx, mapping, backRows, living, book);
      const locked = await tx.lockLanes([...returning, ...left.keys()]);
      const losses = lossesOf(locked, left, tx, book);
      for (const lane of locked) {
        if (!returning.has(lane.id)) continue;
        const row = rows.get(lane.recordId ?? "");
        const content = row === undefined ? null : contentOrNull(mapping, row);
        if (content === null || lane.recordId === null) continue;
        const actions = planReturn(lane, lane.recordId, content, book.context(lane, tx.now));
        steps.push(step(mapping, lane, false, actions, losses.get(lane.recordId)));
      }
      return page.length < BATCH ? null : (page.at(-1)?.id ?? null);
    });
  } while (after !== null);
  return steps;
}

function planReturn(lane: Lane, recordId: string, content: Content, context: Context) {
  const isGone = isEndedByResource(lane.tombstone) || lane.externalId === null;
  if (isGone) return planUnpaired(recordId, content, lane, context);
  const taken = { ...lane, tombstone: null };
  return planRecordSide(taken, { kind: "present", content }, context);
}

/** The action on a resource whose record has left; `action` is `null` if there was no resource yet. */
interface Loss {
  readonly connectionId: ConnectionId;
  readonly action: PlannedAction | null;
}

function planLeaving(lane: Lane, move: RecordMove, { mapping }: Context): Loss {
  const { connectionId, resourceType, externalId, recordType, recordId } = lane;
  if (externalId === null) return { connectionId, action: null };
  const kind = removalAfter(move, mapping) === "detach" ? "detach_record" : "remove_resource";
  const named = { resourceType, externalId, recordType, recordId };
  return { connectionId, action: { kind, ...named, changes: [], conflicts: [] } };
}

/** The losses of each record that has left a lane, in the order of the lanes. */
function lossesOf(
  lanes: readonly Lane[],
  left: ReadonlyMap<LaneId, RecordMove>,
  { now }: StoreTransaction,
  book: DirectorySnapshot,
): ReadonlyMap<string, readonly Loss[]> {
  const result = new Map<string, Loss[]>();
  for (const lane of lanes) {
    const move = left.get(lane.id);
    if (move === undefined || lane.recordId === null) continue;
    const losses = result.get(lane.recordId) ?? [];
    losses.push(planLeaving(lane, move, book.context(lane, now)));
    result.set(lane.recordId, losses);
  }
  return result;
}

async function leftOf(
  tx: StoreTransaction,
  mapping: Mapping,
  rows: ReadonlyMap<string, Row>,
  existing: readonly LaneOfRecord[],
  book: DirectorySnapshot,
) {
  const where = await whereaboutsOf(tx, mapping, rows, existing, book);
  return lanesLeft(mapping, rows, existing, where, book);
}

async function livingRows(tx: StoreTransaction, mapping: Mapping, ids: readonly string[]) {
  const rows = await tx.records.read(mapping, ids);
  return new Map([...rows].filter(([, row]) => !isSoftDeleted(mapping, row)));
}

function step(
  mapping: Mapping,
  { recordType, recordId }: Pick<LaneKey, "recordType" | "recordId">,
  leaves: boolean,
  actions: readonly PlannedAction[],
  losses: readonly Loss[] = [],
): RecordMovedStep {
  const lost = losses.flatMap(({ action }) => action ?? []);
  const losing = losses.flatMap(({ connectionId, action }) =>
    action === null ? [] : connectionId,
  );
  const all = [...actions, ...lost];
  return { cause: "record_moved", mapping, recordType, recordId, leaves, losing, actions: all };
}
