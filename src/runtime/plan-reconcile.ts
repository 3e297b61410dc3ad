/**
 * Planning a reconcile: everything is listed, what the list does not have is asked for by id, and
 * each thing is planned with its record as it is now. Nothing is written here, so a plan may be
 * shown, weighed, thrown away, or carried out.
 */
import type { Arrival } from "../engine/admit.ts";
import {
  type PlannedAction,
  isTooYoungToMiss,
  planAbsent,
  planOutlived,
  planSeen,
  planSurplus,
  planUnpaired,
  type RecordSide,
  unseenLane,
} from "../engine/reconcile.ts";
import { MappingError, recordContent } from "../engine/translate-record.ts";
import { IntegrationError } from "../integrations/integration.ts";
import type { LaneId } from "../model/ids.ts";
import type { Lane } from "../model/lane.ts";
import type { Mapping, Row } from "../model/mapping.ts";
import type { Observation, Place, ResourceMove } from "../model/observation.ts";
import type { LaneKey, StoreTransaction } from "../store/store.ts";
import { AddressBook, type Contact } from "./address-book.ts";
import { identifyArrivals } from "./admit-arrivals.ts";
import { isSoftDeleted } from "./drain.ts";
import { takePendingTimes } from "./record-side.ts";
import type { Services } from "./services.ts";
import {
  parentOf,
  unpairedBelow,
  type UnpairedRecord,
  unpairedRecords,
} from "./unpaired-records.ts";
import { batchesOf } from "./batches.ts";
import { hasMovedWithParent, planMoved } from "./plan-moves.ts";

/** Lanes and rows looked at in one transaction. */
const BATCH = 500;

/** What is to be carried out, and how; its actions say what comes of it. */
export type PlannedStep = {
  readonly mapping: Mapping;
  readonly actions: readonly PlannedAction[];
} & (
  | { readonly cause: "seen"; readonly observation: Observation }
  | { readonly cause: "record_differs" | "outlived"; readonly lane: LaneId }
  | { readonly cause: "unpaired"; readonly key: LaneKey }
  | { readonly cause: "absent"; readonly externalId: string }
  | { readonly cause: "moved"; readonly move: ResourceMove }
  | {
      readonly cause: "surplus";
      readonly lane: LaneId;
      /** What the lane is bound to. */
      readonly bound: string;
      readonly observation: Observation;
    }
);

export interface ReconcilePlan {
  /** Resources that the lists showed. */
  readonly listed: number;
  /** Missing, but heard of too shortly before to be sure: they are for a later look. */
  readonly unconfirmed: number;
  /** In the order in which they are carried out: parents before their children. */
  readonly steps: readonly PlannedStep[];
}

export interface ReconcileScope {
  /** Whether records are compared too, and get their counterparts; a sweep leaves them out. */
  readonly records: boolean;
}

/** Plans what brings a connection in step. */
export async function planReconcile(
  services: Services,
  contact: Contact,
  scope: ReconcileScope,
  signal?: AbortSignal,
): Promise<ReconcilePlan> {
  await services.gateway.identity(contact.account);
  const known = await freshContact(services, contact);
  const mappings = services.mappings
    .filter(({ integration }) => integration === contact.connection.integration)
    .sort((a, b) => Number(a.parent !== null) - Number(b.parent !== null));
  const steps: PlannedStep[] = [];
  let listed = 0;
  let unconfirmed = 0;
  for (const mapping of mappings) {
    const planner = { services, contact: known, mapping, scope, ...(signal && { signal }) };
    const present = new Set<string>();
    for await (const page of services.gateway
      .container(known)
      .list({ type: mapping.resource.type, since: null, etag: null }, signal)) {
      for (const { externalId } of page.observations) present.add(externalId);
      steps.push(...(await planPage(planner, page.observations)));
    }
    listed += present.size;
    const movedParents = new Set(
      steps.flatMap((step) => (step.cause === "moved" ? [step.move.from.externalId] : [])),
    );
    const unlisted = await planUnlisted(planner, present, movedParents);
    steps.push(...unlisted.steps);
    unconfirmed += unlisted.unconfirmed;
    if (scope.records) steps.push(...(await planWithoutResource(planner, steps)));
  }
  return { listed, unconfirmed, steps };
}

interface Planner {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly scope: ReconcileScope;
  readonly signal?: AbortSignal;
}

/** The contact with its account as it is now: who we are may have been asked just before. */
async function freshContact(services: Services, contact: Contact): Promise<Contact> {
  return (await AddressBook.open(services)).contact(contact.connection.id) ?? contact;
}

async function planPage(
  planner: Planner,
  observations: readonly Observation[],
): Promise<readonly PlannedStep[]> {
  const { services, contact, mapping } = planner;
  const book = await AddressBook.open(services);
  return services.store.transaction(async (tx) => {
    const items = observations.map((observation) => ({ contact, arrival: listed(observation) }));
    const identified = await identifyArrivals(tx, items);
    const ids = identified.flatMap(({ identification: it }) =>
      it.kind === "new" ? [] : [it.kind === "surplus" ? it.of : it.id],
    );
    const lanes = new Map((await tx.lockLanes([...new Set(ids)])).map((lane) => [lane.id, lane]));
    const view = await viewOf(tx, planner, [...lanes.values()]);
    const ended = await endedParents(tx, planner, observations);
    const steps: PlannedStep[] = [];
    for (const { item, identification: it } of identified) {
      const { arrival } = item;
      const { observation } = arrival;
      const found =
        it.kind === "new" ? undefined : lanes.get(it.kind === "surplus" ? it.of : it.id);
      if (it.kind === "surplus") {
        steps.push(...surplusSteps(planner, found, arrival));
        continue;
      }
      const lane = found ?? unseenLane(unseenKey(planner, observation));
      // What is being paired is the backfill's to decide.
      const isPairing = contact.connection.pairing.includes(mapping.resource.type);
      const isEnded = ended.has(observation.parent?.externalId ?? "");
      if (found === undefined && (isPairing || isEnded)) continue;
      steps.push(...(await seenSteps(tx, planner, book, lane, arrival, view)));
    }
    return steps;
  });
}

/** Plans one lane with what was seen of its resource. */
async function seenSteps(
  tx: StoreTransaction,
  { mapping, scope }: Planner,
  book: AddressBook,
  lane: Lane,
  arrival: Arrival,
  records: ReadonlyMap<string, Row>,
): Promise<readonly PlannedStep[]> {
  const context = book.context(lane, tx.now);
  const outlived = planOutlived(lane, arrival, context);
  if (outlived.length > 0) {
    return [{ cause: "outlived", mapping, lane: lane.id, actions: outlived }];
  }
  const record = recordSide(mapping, lane, records);
  const timed =
    record.kind === "present" && lane.recordId !== null
      ? await takePendingTimes(tx, lane, lane.recordId, mapping)
      : lane;
  const { isAdmitted, isNews, actions } = planSeen(timed, arrival, record, context);
  const { observation } = arrival;
  const seen: readonly PlannedStep[] = isAdmitted
    ? [{ cause: "seen", mapping, observation, actions: isNews ? actions : [] }]
    : [];
  if (isNews || !scope.records || actions.length === 0) return seen;
  return [...seen, { cause: "record_differs", mapping, lane: lane.id, actions }];
}

function surplusSteps(
  { mapping }: Planner,
  lane: Lane | undefined,
  arrival: Arrival,
): readonly PlannedStep[] {
  const { observation } = arrival;
  const bound = lane?.externalId ?? null;
  if (lane === undefined || bound === null || observation.content?.state === "closed") return [];
  const actions = [planSurplus(lane, arrival)];
  return [{ cause: "surplus", mapping, lane: lane.id, bound, observation, actions }];
}

/**
 * Asks by id for each bound resource that was not listed: only a clear answer deletes. What belongs to
 * one that was moved is not deleted, though it is not found: it follows by itself.
 */
async function planUnlisted(
  planner: Planner,
  present: ReadonlySet<string>,
  movedParents: ReadonlySet<string>,
): Promise<Pick<ReconcilePlan, "steps" | "unconfirmed">> {
  const { services, contact, mapping, signal } = planner;
  const steps: PlannedStep[] = [];
  let unconfirmed = 0;
  for (let after: LaneId | null = null; ;) {
    const cursor: LaneId | null = after;
    const lanes: readonly { readonly id: LaneId; readonly externalId: string }[] =
      await services.store.transaction((tx) =>
        tx.findBoundLanes(contact.connection.id, mapping.resource.type, cursor, BATCH),
      );
    for (const { externalId } of lanes) {
      if (present.has(externalId)) continue;
      const seen = await readOrAbsent(services, contact, mapping, externalId, signal);
      if (seen === "absent") {
        const gone = await planGone(planner, externalId, movedParents);
        if (gone === "too_young") unconfirmed += 1;
        else steps.push(...gone);
      } else if ("to" in seen) steps.push(...(await planMoved(planner, externalId, seen.to)));
      else steps.push(...(await planPage(planner, [seen])));
    }
    const last = lanes.at(-1);
    if (last === undefined || lanes.length < BATCH) return { steps, unconfirmed };
    after = last.id;
  }
}

/** What follows for a resource that neither the list nor a read by id has shown. */
async function planGone(
  planner: Planner,
  externalId: string,
  movedParents: ReadonlySet<string>,
): Promise<readonly PlannedStep[] | "too_young"> {
  const { services, contact, mapping } = planner;
  const book = await AddressBook.open(services);
  return services.store.transaction(async (tx) => {
    const found = await tx.findLanesByResource(contact.connection.id, mapping.resource.type, [
      externalId,
    ]);
    const lanes = await tx.lockLanes(found.map(({ id }) => id));
    const records = await viewOf(tx, planner, lanes);
    const steps: PlannedStep[] = [];
    for (const lane of lanes) {
      // Deleted meanwhile, and told by somebody else.
      if (lane.tombstone !== null || (await hasMovedWithParent(tx, lane, movedParents))) continue;
      const context = book.context(lane, tx.now);
      if (isTooYoungToMiss(lane, context)) return "too_young";
      const record = recordSide(mapping, lane, records);
      const actions = planAbsent(lane, record, context);
      steps.push({ cause: "absent", mapping, externalId, actions });
    }
    return steps;
  });
}

/**
 * Records that never had a counterpart get one, those below others that do so too. Below what is
 * about to end nothing is created.
 */
async function planWithoutResource(
  planner: Planner,
  before: readonly PlannedStep[],
): Promise<readonly PlannedStep[]> {
  const { services, contact, mapping } = planner;
  if (contact.connection.pairing.includes(mapping.resource.type)) return [];
  const parent = parentOf(services, mapping);
  const above = before.filter((step) => step.mapping === parent);
  const ending = new Set(
    above
      .flatMap((step) => (step.cause === "absent" ? step.actions : []))
      .map((one) => one.recordId),
  );
  const steps: PlannedStep[] = [];
  const plan = (tx: StoreTransaction, book: AddressBook, found: readonly UnpairedRecord[]) => {
    for (const { key, row, parentId } of found) {
      const content = contentOrNull(mapping, row);
      if (content === null || (parentId !== null && ending.has(parentId))) continue;
      const context = book.context({ id: unseenLane(key).id, ...key }, tx.now);
      const actions = planUnpaired(key.recordId, content, key, context);
      if (actions.length > 0) steps.push({ cause: "unpaired", mapping, key, actions });
    }
  };
  const book = await AddressBook.open(services);
  let after: string | null = null;
  do {
    const cursor: string | null = after;
    after = await services.store.transaction(async (tx) => {
      const found = await unpairedRecords(services, tx, contact, mapping, cursor, BATCH);
      plan(tx, book, found.records);
      return found.next;
    });
  } while (after !== null);
  const created = above.flatMap((step) =>
    step.cause === "unpaired" ? (step.key.recordId ?? []) : [],
  );
  for (const group of batchesOf(created, BATCH)) {
    await services.store.transaction(async (tx) => {
      plan(tx, book, await unpairedBelow(services, tx, contact, mapping, group));
    });
  }
  return steps;
}

/** The rows of lanes, by key. */
async function viewOf(
  tx: StoreTransaction,
  { mapping }: Planner,
  lanes: readonly Lane[],
): Promise<ReadonlyMap<string, Row>> {
  return tx.records.read(
    mapping,
    lanes.flatMap(({ recordId }) => recordId ?? []),
  );
}

function recordSide(mapping: Mapping, lane: Lane, rows: ReadonlyMap<string, Row>): RecordSide {
  if (lane.recordId === null) return { kind: "none" };
  const row = rows.get(lane.recordId);
  if (row === undefined || isSoftDeleted(mapping, row)) return { kind: "gone" };
  const content = contentOrNull(mapping, row);
  // A mapping that throws: the event's own attempt will say so.
  return content === null ? { kind: "gone" } : { kind: "present", content };
}

function contentOrNull(mapping: Mapping, row: Row) {
  try {
    return recordContent(mapping, row);
  } catch (error) {
    if (error instanceof MappingError) return null;
    throw error;
  }
}

/** Parents whose pairing has ended: they take no more children. */
async function endedParents(
  tx: StoreTransaction,
  { contact, mapping }: Planner,
  observations: readonly Observation[],
): Promise<ReadonlySet<string>> {
  const { parent } = mapping.resource;
  if (parent === null) return new Set();
  const ids = observations.flatMap((observation) => observation.parent?.externalId ?? []);
  const lanes = await tx.findLanesByResource(contact.connection.id, parent, [...new Set(ids)]);
  return new Set(lanes.filter(({ tombstoned }) => tombstoned).map(({ externalId }) => externalId));
}

/** The list was complete, so we have access: a 404 by id now means that the resource is gone. */
async function readOrAbsent(
  services: Services,
  contact: Contact,
  mapping: Mapping,
  externalId: string,
  signal?: AbortSignal,
): Promise<Observation | "absent" | { readonly to: Place }> {
  try {
    const client = services.gateway.container(contact);
    return await client.read({ type: mapping.resource.type, externalId }, signal);
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
    if (error.kind === "gone" || error.kind === "not_found") return "absent";
    if (error.moved !== null) return error.moved;
    throw error;
  }
}

function unseenKey({ contact, mapping }: Planner, { type, externalId }: Observation): LaneKey {
  return {
    connectionId: contact.connection.id,
    resourceType: type,
    recordType: mapping.recordType,
    externalId,
    recordId: null,
  };
}

/** A list verifies nothing, and what it shows again is no news. */
function listed(observation: Observation): Arrival {
  return { observation, source: "poll", deliveryId: null, verifiedAt: null };
}
