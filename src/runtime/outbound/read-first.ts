/**
 * Reading what a write would overwrite, right before it is sent (`trustWrite` in `engine/lane/trust.ts` decides when).
 *
 * 1. No transaction is open while a resource is read. Each event reads its own resource, so a slow read delays no
 *    other event.
 * 2. Edits that have read at the same time continue in one transaction, which merges the reads and notes the values
 *    to send. An edit that writes to its record, or needs another read, is processed singly.
 */
import { learnIdentity } from "../../engine/creates/index.ts";
import { observedState } from "../../engine/merge/index.ts";
import { concludeLook } from "../../engine/processing/index.ts";
import { processing } from "../../engine/lane/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { LaneId } from "../../model/ids.ts";
import type { Transition } from "../../model/lane.ts";
import type { Row } from "../../model/mapping.ts";
import type { ResourceRef } from "../../model/observation.ts";
import type { CapturedChange, Decided, StoreTransaction } from "../../store/store.ts";
import {
  type Begun,
  type Claimed,
  type Contact,
  type DirectorySnapshot,
  mapBy,
  type ReadEdit,
  type SeenFirst,
  type Services,
  type WaitingEdit,
} from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { type ClaimedEdit, findClaimedEdit, decideEdit } from "./decide-edits.ts";
import { underClaim, saveDecided } from "../claims/index.ts";
import { admitGone, refuseStale } from "../inbound/index.ts";
import { leavesRow, planOnRow, recordAfter } from "../records/index.ts";
import { isOfAnother } from "./answer.ts";

/** The read that must precede a write. */
export interface ReadFirst {
  readonly contact: Contact;
  readonly ref: ResourceRef;
  readonly validator: string | null;
}

/** Reads the resource. `gone`: it is deleted, and the event has ended. */
export async function readFirst(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  { contact, ref, validator }: ReadFirst,
  signal: AbortSignal,
): Promise<SeenFirst | "gone"> {
  try {
    return await services.gateway.container(contact).readIfChanged(ref, validator, signal);
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
    const isAbsent = error.kind === "gone" || error.kind === "not_found";
    // A deletion whose resource is absent ends as usual: by the answer to its own request.
    if (isAbsent && claimed.action === "delete") return "absent";
    if (error.kind !== "gone") throw error;
    await admitGone(services, claimed, book);
    return "gone";
  }
}

/** Decides an edit in a batch with those that have read at the same time; `null` if it must be processed singly. */
export async function beginAfterRead(services: Services, edit: ReadEdit): Promise<Begun | null> {
  const begun = new Map<LaneId, Begun>();
  const done = await services.reads.add(edit.claimed.claim.worker, { ...edit, begun }, (all) =>
    beginTogether(services, all),
  );
  return done ? (begun.get(edit.claimed.lane) ?? null) : null;
}

async function beginTogether(
  services: Services,
  edits: readonly WaitingEdit[],
): Promise<ReadonlySet<WaitingEdit>> {
  let results: ReadonlyMap<WaitingEdit, Begun>;
  try {
    results = await services.store.transaction((tx) => beginAll(tx, services, edits));
  } catch (error) {
    // A killed worker must not write again: rethrow instead of retrying one by one.
    if (edits.some(({ signal }) => signal.aborted)) throw error;
    services.log.warn(describeError(error), "a batch of edits failed; each is processed singly");
    return new Set();
  }
  for (const [{ claimed, begun }, result] of results) begun.set(claimed.lane, result);
  return new Set(results.keys());
}

async function beginAll(
  tx: StoreTransaction,
  services: Services,
  edits: readonly WaitingEdit[],
): Promise<ReadonlyMap<WaitingEdit, Begun>> {
  const results = new Map<WaitingEdit, Begun>();
  const locked = await tx.lockLanes(
    edits.map(({ claimed }) => claimed.lane),
    "skip",
  );
  const lanes = new Map(locked.map((lane) => [lane.id, lane]));
  const open: { readonly edit: WaitingEdit; readonly claimedEdit: ClaimedEdit }[] = [];
  for (const edit of edits) {
    const lane = lanes.get(edit.claimed.lane);
    if (lane === undefined) continue;
    const held = underClaim(lane, edit.claimed.claim);
    // The claim was lost: nothing may be written, and nothing is left to do.
    if (held === null) results.set(edit, { kind: "settled" });
    else if (lane.tombstone === null) {
      const found = findClaimedEdit(held.start, edit.book);
      if (found !== null) open.push({ edit, claimedEdit: found });
    }
  }
  const decided: Decided[] = [];
  for (const mapping of new Set(open.map(({ claimedEdit }) => claimedEdit.mapping))) {
    const alike = open.filter(({ claimedEdit }) => claimedEdit.mapping === mapping);
    const ids = [...new Set(alike.map(({ claimedEdit }) => claimedEdit.recordId))];
    const { rows, captured } = await tx.records.lockFree(mapping, ids);
    const pending = mapBy(captured, ({ recordId }) => recordId);
    for (const { edit, claimedEdit } of alike) {
      const row = rows.get(claimedEdit.recordId);
      if (row === undefined) continue;
      const captures = pending.get(claimedEdit.recordId) ?? [];
      const merged = afterRead(edit, claimedEdit, row, captures, tx);
      const write =
        merged === null ? null : decideEdit(merged, row, tx, edit.book, services, { looked: true });
      // A write that must read again, or needs more than lane and row, is processed singly.
      if (write === null || write.begun.kind === "read") continue;
      decided.push({ before: claimedEdit.held.lane, after: write.after });
      results.set(edit, write.begun);
    }
  }
  await saveDecided(tx, decided);
  return results;
}

/** The edit after its read was merged; `null` if the merge changes the record, or is refused. */
function afterRead(
  { book, seen, from }: ReadEdit,
  claimedEdit: ClaimedEdit,
  row: Row,
  pending: readonly CapturedChange[],
  { now }: Pick<StoreTransaction, "now">,
): ClaimedEdit | null {
  if (seen === "unchanged") return claimedEdit;
  const { held, recordId, mapping } = claimedEdit;
  if (isOfAnother(held.lane, seen)) return null;
  const context = book.context(held.lane, now);
  try {
    refuseStale(held.lane, seen, "no", from, context);
    const lane = learnIdentity(held.lane, seen);
    const observed = observedState(lane, seen, "reread", context);
    const planned = planOnRow(lane, row, pending, observed, context);
    if (!leavesRow(planned)) return null;
    const { merged, before } = planned;
    const start = { lane: planned.lane, ended: [] };
    const after = recordAfter({ ...planned.lane, recordId }, row, mapping);
    return goOn(
      claimedEdit,
      concludeLook(start, held.event, observed, merged, { before, after }, context),
    );
  } catch {
    // A stale read, or an error of the app's own functions. The single processing of the event reports it.
    return null;
  }
}

function goOn(claimedEdit: ClaimedEdit, start: Transition): ClaimedEdit | null {
  const event = processing(start.lane);
  return event === null ? null : { ...claimedEdit, held: { lane: start.lane, event, start } };
}
