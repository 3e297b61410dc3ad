/**
 * Planning a reconcile: everything is listed, a resource that the list lacks is read by id, and each pairing is planned
 * with its present record. Planning writes nothing, so a plan can be shown, weighed, discarded or executed.
 *
 * The plan comes in parts, as pages are read. A page becomes outdated with every later write of Tandem's, so the caller
 * should admit it before it asks for the next part. The plan does not depend on whether the caller did.
 */
import type { Arrival } from "../../engine/lane/index.ts";
import { isTooYoungToMiss } from "../../engine/merge/index.ts";
import { planAbsent, planListed, unseenLane } from "../../engine/reconcile/index.ts";
import type { LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import type { LaneKey, StoreTransaction } from "../../store/store.ts";
import { DirectorySnapshot, type Contact, type Services } from "../services/index.ts";
import { type Adoptions, identifyArrivals } from "../admission/index.ts";
import { readOrAbsent, recordSide, rowsOf, withPendingTimes } from "../records/index.ts";
import { hasMovedWithParent, planFromAway, planMoved } from "./plan-moves.ts";
import { NOTHING_LEFT, planLeft, planReturned } from "./plan-record-moves.ts";
import { planSurplusOf, type Surplus } from "./plan-surplus.ts";
import { planWithoutResource } from "./plan-unpaired.ts";
import { endingParents, planGoneRecords } from "./plan-vanished.ts";
import type { PlannedStep, Planner, ReconcilePlan, ReconcileScope } from "./planner.ts";
import { planReturns } from "./plan-returns.ts";

/** The number of lanes or rows that one transaction reads. */
const BATCH = 500;

/** Plans the reconcile of a connection, in parts. */
export async function* planReconcile(
  services: Services,
  contact: Contact,
  scope: ReconcileScope,
  signal?: AbortSignal,
): AsyncGenerator<ReconcilePlan, void> {
  await services.gateway.identity(contact.account);
  const known = await freshContact(services, contact);
  const mappings = services.mappings
    .filter(({ integration }) => integration === contact.connection.integration)
    .sort((a, b) => Number(a.parent !== null) - Number(b.parent !== null));
  const before: PlannedStep[] = [];
  const adopted: Adoptions = new Map();
  for (const mapping of mappings) {
    const left = scope.records ? await planLeft(services, known, mapping) : NOTHING_LEFT;
    const planner = {
      services,
      contact: known,
      mapping,
      scope,
      adopted,
      leaving: left.lanes,
      ending: endingParents({ mapping }, before),
      young: new Set<string>(),
      returns: { asked: new Set<LaneId>(), alive: new Set(returnedBy(before)) },
      ...(signal && { signal }),
    };
    before.push(...left.steps);
    yield { listed: 0, unconfirmed: 0, steps: left.steps };
    yield { listed: 0, unconfirmed: 0, steps: await planFromAway(planner) };
    for await (const part of planType(planner, before)) {
      before.push(...part.steps);
      yield part;
    }
  }
}

/** @param before The steps planned so far; it grows while this runs. */
async function* planType(
  planner: Planner,
  before: readonly PlannedStep[],
): AsyncGenerator<ReconcilePlan, void> {
  const { services, contact, mapping, scope, signal } = planner;
  const present = new Set<string>();
  for await (const { observations } of services.gateway
    .container(contact)
    .list({ type: mapping.resource.type, since: null, etag: null }, signal)) {
    const fresh = observations.filter(({ externalId }) => !present.has(externalId));
    for (const { externalId } of fresh) present.add(externalId);
    const again = observations.filter((observation) => !fresh.includes(observation));
    const { steps, ended } = await planPage(planner, fresh);
    const twice = again.length === 0 ? [] : (await planPage(planner, again)).steps;
    const returned = await planReturns(planner, ended);
    yield {
      listed: new Set(fresh.map(({ externalId }) => externalId)).size,
      unconfirmed: returned.unconfirmed,
      steps: [...steps, ...twice.flatMap(onlySeen), ...returned.steps],
    };
  }
  const movedParents = new Set(
    before.flatMap((step) => (step.cause === "moved" ? [step.move.from.externalId] : [])),
  );
  yield* planUnlisted(planner, present, movedParents);
  if (!scope.records) return;
  yield { listed: 0, unconfirmed: 0, steps: await planGoneRecords(planner, before) };
  const returned = await planReturned(services, contact, mapping);
  const missing = await planWithoutResource(planner, [...before, ...returned]);
  yield { listed: 0, unconfirmed: 0, steps: [...returned, ...missing] };
}

/** The resources that planned steps found alive. */
function returnedBy(steps: readonly PlannedStep[]): readonly string[] {
  return steps.flatMap((step) => (step.cause === "returned" ? step.observation.externalId : []));
}

/** A list that changes while it is read may show a resource twice: the second time needs no actions. */
function onlySeen(step: PlannedStep): readonly PlannedStep[] {
  return step.cause === "seen" ? [{ ...step, actions: [] }] : [];
}

/** The contact with the present account, because its identity may have been set just before. */
async function freshContact(services: Services, contact: Contact): Promise<Contact> {
  return (await DirectorySnapshot.open(services)).contact(contact.connection.id) ?? contact;
}

/** Plans one page of a list. `ended`: ended lanes whose resource the page shows, so that it may have returned. */
async function planPage(
  planner: Planner,
  observations: readonly Observation[],
): Promise<{ readonly steps: readonly PlannedStep[]; readonly ended: readonly Lane[] }> {
  const { services, contact, mapping, adopted } = planner;
  const book = await DirectorySnapshot.open(services);
  const page = await services.store.transaction(async (tx) => {
    const items = observations.map((observation) => ({
      contact,
      mapping,
      arrival: listed(observation),
    }));
    const identified = await identifyArrivals(tx, items, adopted);
    const ids = identified.flatMap(({ identification: it }) =>
      it.kind === "new" ? [] : [it.kind === "surplus" ? it.of : it.id],
    );
    const lanes = new Map((await tx.lockLanes([...new Set(ids)])).map((lane) => [lane.id, lane]));
    const view = await rowsOf(tx, mapping, [...lanes.values()]);
    const ended = await endedParents(tx, planner, observations);
    const steps: PlannedStep[] = [];
    const back: Lane[] = [];
    const surplus: Surplus[] = [];
    for (const { item, identification: it } of identified) {
      const { arrival } = item;
      const { observation } = arrival;
      const found =
        it.kind === "new" ? undefined : lanes.get(it.kind === "surplus" ? it.of : it.id);
      if (it.kind === "surplus") {
        const { isProven } = it;
        if (found !== undefined) surplus.push({ lane: found, arrival, isProven });
        continue;
      }
      const lane = found ?? unseenLane(unseenKey(planner, observation));
      const context = book.context(lane, tx.now);
      const record = recordSide(mapping, lane, view);
      const above = observation.parent?.externalId ?? "";
      const isBack = planner.returns.alive.has(above);
      const plan = planListed(
        {
          lane: await withPendingTimes(tx, lane, record, context),
          isKnown: found !== undefined,
          arrival,
          record,
          isPairing: contact.connection.pairing.includes(mapping.resource.type),
          isBelowEnded: (ended.has(above) && !isBack) || planner.ending.has(above),
          isBelowReturned: isBack,
          comparesRecord: planner.scope.records && !planner.leaving.has(lane.id),
        },
        context,
      );
      if (plan.mayBeBack) back.push(lane);
      steps.push(
        ...plan.steps.map(({ cause, actions }) =>
          cause === "seen"
            ? { cause, mapping, observation, actions }
            : { cause, mapping, lane: lane.id, actions },
        ),
      );
    }
    return { steps, ended: back, surplus };
  });
  return {
    steps: [...page.steps, ...(await planSurplusOf(planner, page.surplus, book))],
    ended: page.ended,
  };
}

/**
 * Reads by id each paired resource that was not listed: only a clear answer counts as a deletion. A child of a moved
 * resource is not deleted although it is not found, because it follows its parent.
 */
async function* planUnlisted(
  planner: Planner,
  present: ReadonlySet<string>,
  movedParents: ReadonlySet<string>,
): AsyncGenerator<ReconcilePlan, void> {
  const { services, contact, mapping, signal } = planner;
  for (let after: LaneId | null = null; ;) {
    const cursor: LaneId | null = after;
    const lanes: readonly { readonly id: LaneId; readonly externalId: string }[] =
      await services.store.transaction((tx) =>
        tx.findLanes({
          kind: "with_resource",
          connectionId: contact.connection.id,
          resourceType: mapping.resource.type,
          after: cursor,
          limit: BATCH,
        }),
      );
    for (const { externalId } of lanes) {
      if (present.has(externalId)) continue;
      const seen = await readOrAbsent(services, contact, mapping, externalId, signal);
      if (seen === "absent") {
        const gone = await planGone(planner, externalId, movedParents);
        const isTooYoung = gone === "too_young";
        if (isTooYoung) planner.young.add(externalId);
        yield { listed: 0, unconfirmed: isTooYoung ? 1 : 0, steps: isTooYoung ? [] : gone };
        continue;
      }
      const steps = await ("to" in seen
        ? planMoved(planner, externalId, seen.to)
        : planPage(planner, [seen]).then((page) => page.steps));
      yield { listed: 0, unconfirmed: 0, steps };
    }
    const last = lanes.at(-1);
    if (last === undefined || lanes.length < BATCH) return;
    after = last.id;
  }
}

/** Plans the deletion of a resource that neither the list nor a read by id has shown. */
async function planGone(
  planner: Planner,
  externalId: string,
  movedParents: ReadonlySet<string>,
): Promise<readonly PlannedStep[] | "too_young"> {
  const { services, contact, mapping } = planner;
  const book = await DirectorySnapshot.open(services);
  return services.store.transaction(async (tx) => {
    const found = await tx.findLanes({
      kind: "of_resources",
      connectionId: contact.connection.id,
      resourceType: mapping.resource.type,
      externalIds: [externalId],
    });
    const lanes = await tx.lockLanes(found.map(({ id }) => id));
    const records = await rowsOf(tx, mapping, lanes);
    const steps: PlannedStep[] = [];
    for (const lane of lanes) {
      // The lane has ended meanwhile, or the resource moved with its parent.
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

/** Parents whose pairing has ended: they take no more children. */
async function endedParents(
  tx: StoreTransaction,
  { contact, mapping }: Planner,
  observations: readonly Observation[],
): Promise<ReadonlySet<string>> {
  const { parent } = mapping.resource;
  if (parent === null) return new Set();
  const ids = observations.flatMap((observation) => observation.parent?.externalId ?? []);
  const lanes = await tx.findLanes({
    kind: "of_resources",
    connectionId: contact.connection.id,
    resourceType: parent,
    externalIds: [...new Set(ids)],
  });
  return new Set(
    lanes.filter(({ tombstone }) => tombstone !== null).map(({ externalId }) => externalId),
  );
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

/** The arrival of a listed resource. A list verifies nothing, and adds no event for known content. */
function listed(observation: Observation): Arrival {
  return { observation, source: "poll", deliveryId: null, verifiedAt: null };
}
