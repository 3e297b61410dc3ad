/** Processing an inbound event: trust its content or read the resource again, merge, and end the event. */
import {
  awaitParent,
  awaitRow,
  concludeInbound,
  type EndedParent,
  endForEndedParent,
  endForMissingRecord,
  refOf,
} from "../../engine/processing/index.ts";
import { admit } from "../../engine/admission/index.ts";
import {
  contentOf,
  type Context,
  endedReason,
  endLate,
  isRestoring,
  move,
  recheckInbound,
  withLane,
} from "../../engine/lane/index.ts";
import { type ObservedState, observedState, observedInPayload } from "../../engine/merge/index.ts";
import { isWhySurplus, lostWith } from "../../engine/creates/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Observation, ResourceRef } from "../../model/observation.ts";
import { recordMoveOf } from "../../model/tombstone.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type {
  DirectorySnapshot,
  Claimed,
  Contact,
  ClaimedLane,
  ReadStart,
  Services,
} from "../services/index.ts";
import { admitArrivals, decideByContent, goneArrival, passOrWait } from "../admission/index.ts";
import { recreateResource, noteRestored, removeRecord } from "../deletions/index.ts";
import { awaitAccount, lockClaimed, lockClaimedAmong, save } from "../claims/index.ts";
import { recordWriter, writeMerge } from "../records/index.ts";
import {
  familyOf,
  type MoveRead,
  movingLane,
  type MovingLane,
  readMoved,
  removeDoublesWith,
  resumeBelow,
  settleMove,
  strandChildren,
} from "../moves/index.ts";
import { refuseStale, startRead } from "./stale-read.ts";

/** The next step that an event needs before it can end. */
type Need =
  | { readonly kind: "nothing" }
  | { readonly kind: "owner"; readonly of: Lane }
  /** `moving`: record and children must follow the resource, so its children are read as well. */
  | { readonly kind: "reread"; readonly ref: ResourceRef; readonly moving: MovingLane | null }
  | { readonly kind: "parent"; readonly ref: ResourceRef };

const DONE: Need = { kind: "nothing" };

/** Processes one claimed inbound event until it ends or is requeued. */
export async function processInbound(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  signal: AbortSignal,
): Promise<void> {
  let need = await attempt(services, claimed, book, null);
  if (need.kind === "owner") {
    if (!(await decideByContent(services, claimed, need.of, book))) return;
    need = await attempt(services, claimed, book, null);
  }
  if (need.kind === "parent") {
    await readParent(services, claimed, book, need.ref, signal);
    return;
  }
  if (need.kind === "reread") {
    const from = startRead(services.clock);
    const observation = await reread(services, claimed, book, need.ref, signal);
    if (observation === null) return;
    const move = await readMoved(services, book, need.moving, signal);
    need = await attempt(services, claimed, book, { observation, from, move });
    if (need.kind === "parent") await readParent(services, claimed, book, need.ref, signal);
  }
}

/** A read of the resource, and of its children if it has moved. */
interface Read {
  readonly observation: Observation;
  /** When it began. */
  readonly from: ReadStart;
  readonly move: MoveRead | null;
}

/** One transaction: check the event again, merge trusted content, and end the event. */
async function attempt(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  read: Read | null,
): Promise<Need> {
  const seen = read?.observation ?? null;
  const move = read?.move ?? null;
  return services.store.transaction(async (tx) => {
    const family = move === null ? [] : await familyOf(tx, move, services);
    const begun = await lockClaimedAmong(tx, claimed, family);
    if (begun === null) return DONE;
    const held = await passOrWait(tx, claimed, begun);
    if (held === null || held === "waits") return DONE;
    if (held === "overdue") return { kind: "owner", of: begun.lane };
    const context = book.context(held.lane, tx.now);
    if (read !== null) refuseStale(held.lane, read.observation, "no", read.from, context);
    const shown = seen === null ? held.event.content : contentOf(held.lane, seen, context);
    const isMovedAway = recordMoveOf(held.lane.tombstone) !== null;
    if (held.event.action === "delete" && !isMovedAway) {
      await removeDoublesWith(tx, held, book);
      await save(tx, held, await removeRecord(tx, held, book, context));
      await resumeBelow(tx, held.lane, book, services);
      return DONE;
    }
    const moving = movingLane(held.lane);
    if (moving !== null && move === null) return pauseOrRead(tx, held, book, context);
    if (move !== null && seen !== null) {
      return mergeMoved(tx, { ...held, others: begun.others }, seen, move, book, services);
    }
    const recheck =
      seen === null || held.lane.tombstone !== null
        ? recheckInbound(held.start, held.event, tx.now, shown)
        : ({ verdict: "proceed" } as const);
    if (recheck.verdict === "ended") {
      await strandChildren(tx, held.lane, book, services);
      await save(tx, held, recheck.transition);
      return DONE;
    }
    if (recheck.verdict === "reread" && held.lane.externalId !== null) {
      return pauseOrRead(tx, held, book, context);
    }
    const late =
      seen === null
        ? null
        : endLate(held.start, held.event, { content: shown, at: seen.updatedAt }, tx.now);
    if (late !== null) {
      await save(tx, held, late);
      return DONE;
    }
    return merge(tx, held, sightFor(held, seen, context), book, context);
  });
}

async function pauseOrRead(
  tx: StoreTransaction,
  held: ClaimedLane,
  book: DirectorySnapshot,
  context: Context,
): Promise<Need> {
  const paused = awaitAccount(held, book.contact(held.lane.connectionId), context);
  if (paused !== null) {
    await save(tx, held, paused);
    return DONE;
  }
  const ref = refOf(held.lane, held.lane.externalId ?? "");
  return { kind: "reread", ref, moving: movingLane(held.lane) };
}

/** Lets the record and the children follow a move, and then merges as usual. */
async function mergeMoved(
  tx: StoreTransaction,
  held: ClaimedLane & { readonly others: readonly Lane[] },
  seen: Observation,
  { contact, children }: MoveRead,
  book: DirectorySnapshot,
  services: Services,
): Promise<Need> {
  const context = book.context(held.lane, tx.now);
  const settled = await settleMove(tx, held, children, book, context);
  if (settled === null) return DONE;
  const { start, event } = settled;
  const current: ClaimedLane = { lane: held.lane, event, start };
  const need = await merge(tx, current, sightFor(held, seen, context), book, context);
  const incoming = [...children.values()].flat().map((observation) => ({
    contact,
    arrival: { observation, source: "poll", deliveryId: null, verifiedAt: null } as const,
  }));
  await admitArrivals(tx, incoming, book, services);
  await tx.wakeChildren([held.lane]);
  return need;
}

async function merge(
  tx: StoreTransaction,
  held: ClaimedLane,
  observed: ObservedState,
  book: DirectorySnapshot,
  context: Context,
): Promise<Need> {
  const { lane, event } = held;
  const contact = book.contact(lane.connectionId);
  const parentId = await parentRecordId(tx, lane, context);
  if (typeof parentId === "object" && parentId !== null) {
    await save(tx, held, endForEndedParent(held.start, event, parentId, context));
    return DONE;
  }
  if (parentId === undefined) {
    const overdue = event.deadline !== null && event.deadline <= tx.now;
    if (overdue && lane.parent !== null) return { kind: "parent", ref: lane.parent };
    await save(tx, held, awaitParent(held.start, event, context));
    return DONE;
  }
  const writer = recordWriter(tx, context.mapping, book.hooks(context.mapping), event, book.clock);
  const written = await writeMerge(tx, lane, observed, writer, context, {
    scope: contact?.connection.scope ?? "",
    parentId,
  });
  if (written === "busy" || written === "hidden") {
    await save(tx, held, awaitRow(written, held.start, event, context));
  } else if (written === "missing") {
    await save(tx, held, endForMissingRecord(held.start, event, context));
  } else {
    const { merged, before, after } = written;
    const start = { lane: written.lane, ended: [] };
    const concluded = concludeInbound(start, event, observed, merged, { before, after }, context);
    await save(tx, held, concluded);
    if (before === null) await tx.wakeChildren([concluded.lane]);
    const isBack = lane.returned !== null && concluded.lane.returned === null;
    if (isBack) await noteRestored(tx, concluded.lane, event.id);
  }
  return DONE;
}

/**
 * The parent record's key; `null` if none is needed, `undefined` if it is not known yet. A parent whose pairing has
 * ended takes no more children.
 */
async function parentRecordId(
  tx: StoreTransaction,
  lane: Lane,
  { mapping }: Context,
): Promise<string | null | undefined | EndedParent> {
  if (mapping.parent === null || lane.recordId !== null) return null;
  if (lane.parent === null) return undefined;
  const { type, externalId } = lane.parent;
  const [parent] = await tx.findLanes({
    kind: "of_resources",
    connectionId: lane.connectionId,
    resourceType: type,
    externalIds: [externalId],
  });
  if (parent !== undefined && parent.tombstone !== null) {
    return { ended: parent.recordId, moved: recordMoveOf(parent.tombstone) !== null };
  }
  // Before the parent's children have followed a move, this resource cannot be matched with one of them.
  if ((parent?.moved ?? null) !== null) return undefined;
  return parent?.recordId ?? undefined;
}

/** Reads the resource again, by id. If the provider answers that it is deleted, this ends the event. */
async function reread(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  ref: ResourceRef,
  signal: AbortSignal,
): Promise<Observation | null> {
  const contact = await contactOf(services, claimed, book);
  if (contact === null) return null;
  try {
    return await services.gateway.container(contact).read(ref, signal);
  } catch (error) {
    if (!(error instanceof IntegrationError) || error.kind !== "gone") throw error;
    await admitGone(services, claimed, book);
    return null;
  }
}

/** Admits the certain deletion of a resource, and ends the claimed event as ignored. */
export async function admitGone(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
): Promise<void> {
  await services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
    if (held === null) return;
    const { lane, event } = held;
    const context = book.context(lane, tx.now);
    const gone = admit(lane, goneArrival(lane, tx.now), context);
    const tombstone = gone.lane.tombstone;
    const settled = { ...gone.lane, attempt: null };
    await save(
      tx,
      held,
      move({ lane: settled, ended: gone.ended }, event.id, "ignored", tx.now, {
        reason: tombstone === null ? "tombstoned" : endedReason(tombstone),
        ignoredFor: tombstone === null ? null : { id: tombstone.event, type: "events" },
      }),
    );
    if (isRestoring(lane)) await recreateResource(tx, lane, book);
  });
}

/** Reads the parent after the wait for it is over, admits it, and waits for its record. */
async function readParent(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  ref: ResourceRef,
  signal: AbortSignal,
): Promise<void> {
  const contact = await contactOf(services, claimed, book);
  if (contact === null) return;
  const observation = await services.gateway.container(contact).read(ref, signal);
  await services.store.transaction(async (tx) => {
    const arrival = { observation, source: "reread", deliveryId: null, verifiedAt: null } as const;
    await admitArrivals(tx, [{ contact, arrival }], book, services);
  });
  await services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
    if (held === null) return;
    const context = book.context(held.lane, tx.now);
    const [parent] = await tx.findLanes({
      kind: "of_resources",
      connectionId: held.lane.connectionId,
      resourceType: ref.type,
      externalIds: [ref.externalId],
    });
    const waiting = { ...held.event, deadline: null };
    const after =
      parent === undefined
        ? await followSurplusParent(tx, held, observation, context)
        : awaitParent(held.start, waiting, context);
    await save(tx, held, after);
  });
}

/**
 * Handles a child whose parent is surplus, because it was admitted and has no lane. Comments below it belong to the
 * record that it was made for (S60). If that record has no counterpart here, they become conflicts. Tandem's own
 * comment on the closing is dropped.
 */
async function followSurplusParent(
  tx: StoreTransaction,
  { lane, event, start }: ClaimedLane,
  parent: Observation,
  context: Context,
): Promise<Transition> {
  const { mapping } = context;
  const tokens = parent.token === null ? [] : [parent.token];
  const [owner] = await tx.findLanes({
    kind: "of_tokens",
    connectionId: lane.connectionId,
    resourceType: parent.type,
    tokens,
  });
  const isOurs = isWhySurplus(event.content ?? {});
  if (owner?.connectionId === lane.connectionId && owner.externalId !== null && !isOurs) {
    const above = { type: parent.type, externalId: owner.externalId };
    return awaitParent(withLane(start, { parent: above }), { ...event, deadline: null }, context);
  }
  const record = owner?.recordId ?? null;
  const type = mapping.parent?.recordType ?? lane.recordType;
  return move(start, event.id, "ignored", tx.now, {
    reason: "surplus",
    ignoredFor: record === null ? null : { id: record, type },
    conflicts: isOurs ? event.conflicts : [...event.conflicts, ...lostWith(event.content ?? {})],
  });
}

async function contactOf(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
): Promise<Contact | null> {
  const held = await services.store.transaction((tx) => lockClaimed(tx, claimed));
  return held === null ? null : book.contact(held.lane.connectionId);
}

function sightFor(
  { lane, event }: ClaimedLane,
  seen: Observation | null,
  context: Context,
): ObservedState {
  return seen === null
    ? observedInPayload(event, context)
    : observedState(lane, seen, "reread", context);
}
