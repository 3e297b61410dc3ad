/** Planning the creates of a reconcile, for records that have no counterpart. */
import { planUnpaired, unseenLane } from "../../engine/reconcile/index.ts";
import { contentOrNull } from "../../engine/merge/index.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot, batchesOf } from "../services/index.ts";
import { planArrived } from "./plan-record-moves.ts";
import type { PlannedStep, Planner } from "./planner.ts";
import {
  parentOf,
  unpairedBelow,
  type UnpairedRecord,
  unpairedRecords,
} from "../backfill/index.ts";

/** The number of rows that one transaction reads. */
const BATCH = 500;

/**
 * Plans a counterpart for each record that never had one, and for the children of such records. Nothing is created
 * below a record whose pairing is about to end.
 */
export async function planWithoutResource(
  planner: Planner,
  before: readonly PlannedStep[],
): Promise<readonly PlannedStep[]> {
  const { services, contact, mapping, adopted } = planner;
  if (contact.connection.pairing.includes(mapping.resource.type)) return [];
  const parent = parentOf(services, mapping);
  const above = before.filter((step) => step.mapping === parent);
  const ending = new Set(
    above.flatMap((step) => {
      if (step.cause === "record_moved" && step.leaves) return [step.recordId];
      if (step.cause === "record_gone") return [step.recordId];
      return step.cause === "absent" ? step.actions.map((one) => one.recordId) : [];
    }),
  );
  const comingBy = new Map(
    above.flatMap((step): (readonly [string | null, PlannedStep])[] => {
      if (step.cause === "record_moved" && !step.leaves) return [[step.recordId, step]];
      return restoredBy(step).map((recordId) => [recordId, step] as const);
    }),
  );
  const steps: PlannedStep[] = [];
  const planned = new Set<string>();
  const plan = async (
    tx: StoreTransaction,
    book: DirectorySnapshot,
    found: readonly UnpairedRecord[],
  ) => {
    const arrived = await planArrived(tx, mapping, found, book);
    for (const { key, row, parentId } of found) {
      const content = contentOrNull(mapping, row);
      if (content === null || planned.has(key.recordId)) continue;
      if (parentId !== null && ending.has(parentId)) continue;
      planned.add(key.recordId);
      const arrival = arrived.get(key.recordId);
      if (arrival !== undefined) {
        steps.push(arrival);
        continue;
      }
      const context = book.context({ id: unseenLane(key).id, ...key }, tx.now);
      const actions = planUnpaired(key.recordId, content, key, context);
      const parentStep = comingBy.get(parentId) ?? null;
      if (actions.length > 0) {
        steps.push({ cause: "unpaired", mapping, key, above: parentStep, actions });
      }
    }
  };
  const book = await DirectorySnapshot.open(services);
  let after: string | null = null;
  do {
    const cursor: string | null = after;
    after = await services.store.transaction(async (tx) => {
      const found = await unpairedRecords(services, tx, contact, mapping, cursor, BATCH);
      await plan(tx, book, found.records);
      return found.next;
    });
  } while (after !== null);
  const created = above.flatMap((step) => {
    if (step.cause === "record_moved" && !step.leaves) return step.recordId ?? [];
    return step.cause === "unpaired" ? (step.key.recordId ?? []) : [];
  });
  for (const group of batchesOf(created, BATCH)) {
    await services.store.transaction(async (tx) => {
      await plan(tx, book, await unpairedBelow(services, tx, contact, mapping, group));
    });
  }
  // Children that found their parent ended have a lane but no resource yet: include lanes that have sent nothing.
  for (const group of batchesOf(above.flatMap(restoredBy), BATCH)) {
    await services.store.transaction(async (tx) => {
      await plan(tx, book, await unpairedBelow(services, tx, contact, mapping, group, "or_unsent"));
    });
  }
  // Parents that this run has paired: if it executes while it plans, their children were not visited above.
  for (const group of batchesOf([...adopted.keys()], BATCH)) {
    await services.store.transaction(async (tx) => {
      const bound = await tx.lockLanes(group);
      const records = bound.flatMap(({ recordType, recordId }) =>
        recordType === parent?.recordType && recordId !== null ? [recordId] : [],
      );
      await plan(tx, book, await unpairedBelow(services, tx, contact, mapping, records));
    });
  }
  return steps;
}

/** The record that a step pairs with its returned resource again. */
function restoredBy(step: PlannedStep): readonly string[] {
  if (step.cause !== "returned") return [];
  return step.actions.flatMap(({ kind, recordId }) =>
    kind === "restore_record" && recordId !== null ? [recordId] : [],
  );
}
