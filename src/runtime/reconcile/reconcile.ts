/**
 * Reconciling a connection: observations are admitted while the plan is made, as in a poll. The rest of the plan is
 * weighed and then executed through admission and the lanes' own events. A dry run makes the same plan and executes
 * nothing.
 */
import { type Arrival, unchanged } from "../../engine/lane/index.ts";
import { queueUnsent } from "../../engine/merge/index.ts";
import {
  deletedWhileAway,
  type PlannedAction,
  type PlannedKind,
} from "../../engine/lifecycle/index.ts";
import { queueRemoval } from "../../engine/processing/index.ts";
import { noteSurplus, whySurplus } from "../../engine/creates/index.ts";
import type { AffectedRecord } from "../../model/held-run.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot, batchesOf, type Contact, type Services } from "../services/index.ts";
import { admitArrivals, goneArrival } from "../admission/index.ts";
import { followMove } from "../moves/index.ts";
import { checkBlastRadius } from "../safety/index.ts";
import { planReconcile } from "./plan.ts";
import type { PlannedStep, ReconcileScope } from "./planner.ts";
import { executeReturns } from "./plan-returns.ts";
import { noteGone, noteMoved } from "../records/index.ts";

/** The number of steps in one transaction, so that a large plan holds no lock for long. */
const BATCH = 100;

/** The result of a reconcile or of its dry run. */
export interface Reconciliation {
  readonly listed: number;
  /** The number of missing resources that are too recent to be sure: a later run decides. */
  readonly unconfirmed: number;
  readonly actions: readonly PlannedAction[];
  /** Whether the whole plan was executed. */
  readonly applied: boolean;
  /** Whether its deletions and overwrites are held for approval; `actions` then shows only executed ones. */
  readonly held: boolean;
}

/** Reconciles one connection; a dry run only returns the plan. */
export async function reconcileConnection(
  services: Services,
  contact: Contact,
  { dryRun, ...scope }: ReconcileScope & { readonly dryRun: boolean },
  signal?: AbortSignal,
): Promise<Reconciliation> {
  const steps: PlannedStep[] = [];
  const seen = { listed: 0, unconfirmed: 0 };
  for await (const part of planReconcile(services, contact, scope, signal)) {
    seen.listed += part.listed;
    seen.unconfirmed += part.unconfirmed;
    steps.push(...part.steps);
    // Admit each page now: later a write of ours may have overwritten its content, or the list may have failed.
    if (!dryRun) await executePlan(services, contact, part.steps.filter(isSeen));
  }
  const actions = steps.flatMap((step) => step.actions);
  if (dryRun) return { ...seen, actions, applied: false, held: false };
  const goes = await isWithinReach(services, contact, scope, steps);
  const done = goes ? steps : steps.filter((step) => !isDangerous(step));
  await executePlan(
    services,
    contact,
    done.filter((step) => !isSeen(step)),
  );
  for (const step of done) {
    if (step.cause === "surplus") await closeSurplus(services, contact, step, signal);
  }
  return { ...seen, actions: done.flatMap((step) => step.actions), applied: goes, held: !goes };
}

/** Whether a step only admits an observation, as a poll does. Such a step is never held. */
function isSeen({ cause }: PlannedStep): boolean {
  return cause === "seen" || cause === "surplus";
}

/** Checks the plan's deletions and overwrites against the blast radius; a poll would do the rest as well. */
async function isWithinReach(
  services: Services,
  { connection }: Contact,
  scope: ReconcileScope,
  steps: readonly PlannedStep[],
): Promise<boolean> {
  const dangerous = steps.filter(isDangerous);
  const affected = dangerous
    .flatMap(harmOf)
    .map(({ kind, resourceType, externalId, recordType, recordId }): AffectedRecord => {
      const what = OVERWRITES.has(kind) ? "overwrite" : "delete";
      return { what, resourceType, externalId, recordType, recordId };
    });
  const losing = dangerous.flatMap((step) => {
    if (step.cause === "record_moved") return step.losing;
    return harmOf(step).length > 0 ? [connection.id] : [];
  });
  const records = await leastPaired(services, losing.length === 0 ? [connection.id] : losing);
  const overwrites = affected.filter(({ what }) => what === "overwrite").length;
  const outlook = { deletes: affected.length - overwrites, overwrites, records };
  const kind = scope.records ? "reconcile" : "id_sweep";
  return checkBlastRadius(services, connection, kind, outlook, affected);
}

/** The number of pairings of the smallest connection, so that a large one does not raise the allowed share. */
async function leastPaired(services: Services, ids: readonly ConnectionId[]): Promise<number> {
  return services.store.transaction(async (tx) => {
    const counts: number[] = [];
    for (const id of new Set(ids)) counts.push(await tx.countPairedLanes(id));
    return Math.min(...counts);
  });
}

/** The kinds of actions that count as overwrites; the others count as deletions. */
const OVERWRITES: ReadonlySet<PlannedKind> = new Set([
  "patch_resource",
  "restore_record",
  "create_record",
]);

const DANGEROUS: ReadonlySet<PlannedStep["cause"]> = new Set([
  "absent",
  "outlived",
  "record_differs",
  "record_gone",
  // One mistake may take many resources for deleted; another may restore as many.
  "returned",
]);

/** Whether a step deletes or overwrites an existing record or resource, or depends on such a step. */
function isDangerous(step: PlannedStep): boolean {
  const { cause } = step;
  if (cause === "unpaired") return step.above !== null && isDangerous(step.above);
  if (cause === "record_moved") return harmOf(step).length > 0;
  if (cause === "moved") return harmOf(step).length > 0;
  return DANGEROUS.has(cause);
}

/** The actions of a dangerous step that delete or overwrite. A moved record may lose several resources. */
function harmOf({ cause, actions }: PlannedStep): readonly PlannedAction[] {
  if (cause === "unpaired") return [];
  // The record follows its resource. Only a double that was made of the resource is deleted.
  if (cause === "moved") return actions.filter(({ kind }) => kind === "delete_record");
  if (cause !== "record_moved") return actions.slice(0, 1);
  return actions.filter(({ kind }) => kind === "remove_resource" || kind === "detach_record");
}

/** Executes steps. Each is decided again on its locked lane, because the lane may have changed since the plan. */
async function executePlan(
  services: Services,
  contact: Contact,
  steps: readonly PlannedStep[],
): Promise<void> {
  for (const group of batchesOf(steps, BATCH)) {
    const book = await DirectorySnapshot.open(services);
    await services.store.transaction((tx) => executeBatch(services, tx, contact, group, book));
  }
}

async function executeBatch(
  services: Services,
  tx: StoreTransaction,
  contact: Contact,
  steps: readonly PlannedStep[],
  book: DirectorySnapshot,
): Promise<void> {
  const { integration } = contact.connection;
  for (const step of steps) {
    if (step.cause !== "moved") continue;
    const known = { integration, move: step.move, source: "reread", deliveryId: null } as const;
    await followMove(tx, known, book, services);
  }
  const arrivals = steps.flatMap((step) => arrivalOf(step, tx) ?? []);
  const incoming = arrivals.map((arrival) => ({ contact, arrival }));
  await admitArrivals(tx, incoming, book, services);
  await executeReturns(
    tx,
    steps.filter((step) => step.cause === "returned"),
    book,
  );
  await noteMoved(
    tx,
    steps.filter((step) => step.cause === "record_moved"),
  );
  await noteGone(
    tx,
    steps.filter((step) => step.cause === "record_gone"),
  );
  const keys = steps.flatMap((step) => (step.cause === "unpaired" ? [step.key] : []));
  const made = await tx.ensureLanes(keys);
  const differing = steps.flatMap((step) => (step.cause === "record_differs" ? [step.lane] : []));
  await decideLanes(tx, [...made, ...differing], (lane) =>
    queueUnsent(unchanged(lane), true, book.context(lane, tx.now)),
  );
  const outlived = steps.flatMap((step) => (step.cause === "outlived" ? [step.lane] : []));
  await decideLanes(tx, outlived, (lane) =>
    queueRemoval(deletedWhileAway(lane), book.context(lane, tx.now)),
  );
}

/** The arrival to admit for a step; `null` if the step has none. */
function arrivalOf(step: PlannedStep, tx: StoreTransaction): Arrival | null {
  const unverified = { deliveryId: null, verifiedAt: null };
  if (step.cause === "seen" || step.cause === "surplus") {
    return { observation: step.observation, source: "poll", ...unverified };
  }
  if (step.cause !== "absent") return null;
  const gone = { resourceType: step.mapping.resource.type, externalId: step.externalId };
  return goneArrival({ ...gone, clock: null, parent: null }, tx.now);
}

async function decideLanes(
  tx: StoreTransaction,
  ids: readonly LaneId[],
  decide: (lane: Lane) => Transition,
): Promise<void> {
  const lanes = await tx.lockLanes([...new Set(ids)]);
  await tx.saveLanes(lanes.map((before) => ({ before, after: decide(before) })));
}

/** Closes a surplus resource, or deletes it if its type cannot be closed. */
async function closeSurplus(
  services: Services,
  contact: Contact,
  { observation, counterpart, lane }: Extract<PlannedStep, { cause: "surplus" }>,
  signal?: AbortSignal,
): Promise<void> {
  const client = services.gateway.container(contact);
  if (observation.parent === null) {
    await client.close(observation, whySurplus(counterpart), signal);
  } else {
    await client.delete(observation, signal);
  }
  const book = await DirectorySnapshot.open(services);
  await services.store.transaction((tx) =>
    decideLanes(tx, [lane], (one) =>
      noteSurplus(
        one,
        { observation, source: "reread", deliveryId: null, verifiedAt: null },
        contact.connection.id,
        book.context(one, tx.now),
      ),
    ),
  );
}
