/** Answers to Tandem's requests: each is an observation, and values in it that we did not send are merged. */
import { awaitRecord, awaitRow, concludeAnswer } from "../../engine/processing/index.ts";
import { type Context, missedAtMove } from "../../engine/lane/index.ts";
import { learnIdentity } from "../../engine/creates/index.ts";
import { type Plan, type ObservedState, observedState } from "../../engine/merge/index.ts";
import { type Content, pick } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import { recordMoveOf } from "../../model/tombstone.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type {
  DirectorySnapshot,
  Claimed,
  Contact,
  ClaimedLane,
  Services,
} from "../services/index.ts";
import { reachClaimed, save } from "../claims/index.ts";
import { recordWriter, writeMerge, type WrittenMerge } from "../records/index.ts";
import { leaveWithParent } from "../moves/index.ts";
import { holdNamed } from "../admission/index.ts";

/** Merges the answer to one request and ends its event. */
export async function settleAnswer(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  contact: Contact,
  kind: "create" | "patch",
  answer: Observation,
): Promise<void> {
  await services.store.transaction(async (tx) => {
    const created = kind === "create";
    const named = await holdNamed(tx, claimed, contact.connection.id, answer, created);
    if (named.kind !== "taken") return;
    const { held, start: taken } = named;
    await reachClaimed(services, claimed, "before:answer");
    const context = book.context(held.lane, tx.now);
    if (isOfAnother(held.lane, answer)) {
      await save(tx, held, awaitRecord(taken, held.event, context));
      return;
    }
    const lane = learnIdentity(taken.lane, answer);
    const observed = observedState(lane, answer, "answer", context);
    const written = await mergeResponse(tx, lane, observed, held, book, context);
    if (typeof written === "string") {
      // The attempt stays noted with an unknown outcome; the next attempt reads the resource and settles it.
      const unread = { lane, ended: taken.ended };
      await save(tx, held, awaitRow(written, unread, held.event, context));
      return;
    }
    const start = { lane: written.lane, ended: taken.ended };
    const concluded = concludeAnswer(start, held.event, observed, written.merged, written, context);
    if (!created) {
      await save(tx, held, concluded);
      return;
    }
    await save(tx, held, await leaveWithParent(tx, concluded, book));
    // The echo may have arrived first, and its event waits for this answer all the same.
    await wakeWaiting(tx, concluded.lane);
  });
}

/** Wakes the events that waited for a create's resource: children, and resources that the create may have made. */
export async function wakeWaiting(tx: StoreTransaction, lane: Lane): Promise<void> {
  await tx.wakeChildren([lane]);
  if (lane.intent?.tokenless !== true) return;
  await tx.wakeAwaitingIntent(lane.connectionId, lane.resourceType);
}

/** Merges an answer into the record. If the record is deleted, only the lane takes the answer. */
export async function mergeResponse(
  tx: StoreTransaction,
  lane: Lane,
  observed: ObservedState,
  { event }: ClaimedLane,
  book: DirectorySnapshot,
  context: Context,
): Promise<
  | {
      readonly lane: Lane;
      readonly merged: Plan;
      readonly before: Content | null;
      readonly after: WrittenMerge["after"] | null;
    }
  | "busy"
  | "hidden"
> {
  const withoutRecord = {
    lane,
    merged: {
      toRecord: {},
      toResource: {},
      base: observed.content,
      conflicts: [],
      outcome: "agreed",
    },
    before: null,
    after: null,
  } as const;
  if (lane.recordId === null) return withoutRecord;
  if (recordMoveOf(lane.tombstone) !== null) {
    return {
      ...withoutRecord,
      merged: { ...withoutRecord.merged, ...afterMove(lane, observed, event) },
    };
  }
  const contact = book.contact(lane.connectionId);
  const fresh = { scope: contact?.connection.scope ?? "", parentId: null };
  const writer = recordWriter(tx, context.mapping, book.hooks(context.mapping), event, book.clock);
  const written = await writeMerge(tx, lane, observed, writer, context, fresh);
  return written === "missing" ? withoutRecord : written;
}

/** The merge of an answer whose record was moved away meanwhile: no value of it may reach the record. */
function afterMove(lane: Lane, { content, at }: ObservedState, { id }: TandemEvent) {
  const sent = pick(content, Object.keys(lane.attempt?.values ?? {}));
  return {
    base: lane.base === null ? content : { ...lane.base, ...sent },
    conflicts: missedAtMove(lane, content, id, at),
  };
}

/** Whether the lane adopted another resource meanwhile: this one is surplus, and the sweep closes it. */
export function isOfAnother({ externalId }: Lane, seen: Observation): boolean {
  return externalId !== null && externalId !== seen.externalId;
}
