/**
 * The failpoints within a store's transactions. They are derived from the saved lanes, so that the deciding code does
 * not know of them. Only `send` and `answer`, which no store sees, are reached by `claim-failpoints.ts`.
 *
 * `before` points are reached in the transaction, `after` points after its commit. The end of `work` is the last step
 * before COMMIT, so `before:commit` is reached there.
 */
import { processing } from "../../engine/lane/index.ts";
import { CREATED, type TandemEvent } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import { isEndedByResource } from "../../model/tombstone.ts";
import type { Decided, RecordStore, Store, StoreTransaction } from "../../store/store.ts";
import type { Failpoint, FailpointContext, Failpoints } from "./failpoints.ts";

/** The step of processing that a saved lane shows. */
type WatchedStep = "claim" | "intent" | "heartbeat" | "adoption" | "commit";

interface Stepped {
  readonly step: WatchedStep;
  readonly context: FailpointContext;
}

/** Wraps a store so that its transactions reach failpoints. */
export function watchFailpoints(store: Store, failpoints: Failpoints): Store {
  return {
    ...store,
    async transaction(work, beginning) {
      let steps: Stepped[] = [];
      const result = await store.transaction(async (tx, seen) => {
        steps = [];
        const done = await work(watched(tx, failpoints, steps), seen);
        for (const { step, context } of steps) {
          if (step === "commit") await failpoints.reach("before:commit", context);
        }
        return done;
      }, beginning);
      for (const { step, context } of steps) await failpoints.reach(`after:${step}`, context);
      return result;
    },
  };
}

function watched(tx: StoreTransaction, failpoints: Failpoints, steps: Stepped[]): StoreTransaction {
  const locked: Lane[] = [];
  return {
    ...tx,
    async lockLanes(ids, held) {
      const lanes = await tx.lockLanes(ids, held);
      locked.push(...lanes);
      return lanes;
    },
    async saveLanes(decided) {
      const found = decided.flatMap(stepsOf);
      for (const { step, context } of found) {
        if (step !== "commit") await failpoints.reach(`before:${step}`, context);
      }
      await tx.saveLanes(decided);
      steps.push(...found);
    },
    records: watchedRecords(tx.records, async (point, origin) => {
      if (typeof origin !== "string") {
        await failpoints.reach(point, origin);
        return;
      }
      const event = locked.flatMap(({ live }) => live).find(({ id }) => id === origin);
      if (event !== undefined) await failpoints.reach(point, contextOf(event));
    }),
  };
}

function watchedRecords(
  records: RecordStore,
  reach: (point: Failpoint, origin: EventId | FailpointContext) => Promise<void>,
): RecordStore {
  async function around<T>(
    origin: EventId | FailpointContext,
    write: () => Promise<T>,
  ): Promise<T> {
    await reach("before:record", origin);
    const written = await write();
    await reach("after:record", origin);
    return written;
  }
  return {
    read: (mapping, ids) => records.read(mapping, ids),
    page: (mapping, scope, after, limit) => records.page(mapping, scope, after, limit),
    mayHideRows: (mapping) => records.mayHideRows(mapping),
    misfitOfScope: (mapping, scope) => records.misfitOfScope(mapping, scope),
    stampClock: (mapping) => records.stampClock(mapping),
    childrenOf: (mapping, parent, ids) => records.childrenOf(mapping, parent, ids),
    referring: (mapping, column, value, after, limit) =>
      records.referring(mapping, column, value, after, limit),
    lock: (mapping, id) => records.lock(mapping, id),
    lockFree: (mapping, ids) => records.lockFree(mapping, ids),
    insertAll: (mapping, patches, origin, toldBy) =>
      around(together(origin), () => records.insertAll(mapping, patches, origin, toldBy)),
    updateAll: (mapping, patches, origin, toldBy) =>
      around(together(origin), () => records.updateAll(mapping, patches, origin, toldBy)),
    insert: (mapping, patch, origin) =>
      around(origin, () => records.insert(mapping, patch, origin)),
    update: (mapping, id, patch, origin) =>
      around(origin, () => records.update(mapping, id, patch, origin)),
    delete: (mapping, id, origin) => around(origin, () => records.delete(mapping, id, origin)),
    lend: (origin, work, late) => around(origin, () => records.lend(origin, work, late)),
    user: (id) => records.user(id),
    attempt: (work) => records.attempt(work),
    allowPauses: (millis) => records.allowPauses(millis),
    resolveActors: (integration, references, origin) =>
      records.resolveActors(integration, references, origin),
  };
}

/** The steps that the saving of a lane shows, for its processing event and its resource. */
export function stepsOf({ before, after }: Decided): readonly Stepped[] {
  const { lane } = after;
  const was = processing(before);
  const is = processing(lane);
  const steps: Stepped[] = [];
  if (is !== null && was === null) steps.push({ step: "claim", context: contextOf(is) });
  if (is !== null && (was === null || was.id === is.id)) {
    if (lane.attempt !== null && lane.attempt.sentAt !== before.attempt?.sentAt) {
      steps.push({ step: "intent", context: contextOf(is) });
    } else if (was !== null && was.leaseExpiresAt !== is.leaseExpiresAt) {
      steps.push({ step: "heartbeat", context: contextOf(is) });
    }
  }
  if (isAdopted(before, lane, after.ended)) {
    // A read-back sets this reason on its own event; an echo leaves the processing event as it is.
    const looked = is?.reason === "adopted_resource";
    steps.push({ step: "adoption", context: looked ? contextOf(is) : admitted(lane) });
  }
  if (was !== null && is?.id !== was.id) steps.push({ step: "commit", context: contextOf(was) });
  if (lane.epoch === before.epoch) return steps;
  const atOnce = after.ended.filter(({ id, epoch }) => epoch === lane.epoch && id !== was?.id);
  for (const event of atOnce) steps.push({ step: "commit", context: contextOf(event) });
  return steps;
}

/** Whether a create's lane got its resource by other means than the answer. */
function isAdopted(before: Lane, after: Lane, ended: readonly TandemEvent[]): boolean {
  if (before.intent === null || before.externalId !== null || after.externalId === null) {
    return false;
  }
  return !ended.some(({ reason }) => CREATED.has(reason));
}

function contextOf(event: TandemEvent): FailpointContext {
  const { id, laneId, direction, action, worker } = event;
  return { lane: laneId, event: id, direction, action, worker };
}

/** The context of records that a batch writes: inbound, and named by the first of their events. */
function together(event: EventId): FailpointContext {
  return { lane: null, event, direction: "inbound", action: "upsert", worker: null };
}

/** The context of an adoption by webhook or poll, while no event of the lane is processing. */
function admitted({ id, tombstone }: Lane): FailpointContext {
  const action = isEndedByResource(tombstone) ? "delete" : "upsert";
  return { lane: id, event: null, direction: "inbound", action, worker: null };
}
