/**
 * Batches of answers to edits: while one transaction merges a batch, the answers that arrive are collected for the
 * next. Nearly all answers show the values sent, and leave the record as it is.
 *
 * 1. Each answer is decided on its own lane and row; only the statements are shared.
 * 2. The batch never waits for a lock. An answer whose lane or row is locked, or that changes the record, is merged
 *    singly. If the statements fail, all are.
 */
import { learnIdentity } from "../../engine/creates/index.ts";
import { observedState } from "../../engine/merge/index.ts";
import { concludeAnswer } from "../../engine/processing/index.ts";
import type { Instant } from "../../model/instant.ts";
import type { Transition } from "../../model/lane.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
import type { CapturedChange, Decided, StoreTransaction } from "../../store/store.ts";
import { underClaim, reachClaimed, saveDecided } from "../claims/index.ts";
import { type ClaimedLane, mapBy, type PatchAnswer, type Services } from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { leavesRow, planOnRow, recordAfter } from "../records/index.ts";
import { isOfAnother, settleAnswer } from "./answer.ts";

/** An answer whose lane is locked under its claim. */
interface Answered {
  readonly from: PatchAnswer;
  readonly held: ClaimedLane;
  readonly recordId: string;
  readonly mapping: Mapping;
}

/** Merges the answer to an edit, in a batch with other answers that this worker gets at the same time. */
export async function handlePatchResponse(
  services: Services,
  answered: PatchAnswer,
): Promise<void> {
  const { claimed, book, contact, answer } = answered;
  const settled = await services.answers.add(claimed.claim.worker, answered, (all) =>
    settleTogether(services, all),
  );
  if (!settled) await settleAnswer(services, claimed, book, contact, "patch", answer);
}

async function settleTogether(
  services: Services,
  answers: readonly PatchAnswer[],
): Promise<ReadonlySet<PatchAnswer>> {
  try {
    return await services.store.transaction((tx) => settleAll(tx, services, answers));
  } catch (error) {
    // A killed worker must not write again: rethrow instead of retrying one by one.
    if (answers.some(({ signal }) => signal.aborted)) throw error;
    services.log.warn(describeError(error), "a batch of answers failed; each is merged singly");
    return new Set();
  }
}

async function settleAll(
  tx: StoreTransaction,
  services: Services,
  answers: readonly PatchAnswer[],
): Promise<ReadonlySet<PatchAnswer>> {
  const locked = await tx.lockLanes(
    answers.map(({ claimed }) => claimed.lane),
    "skip",
  );
  const lanes = new Map(locked.map((lane) => [lane.id, lane]));
  const settled = new Set<PatchAnswer>();
  const answered: Answered[] = [];
  for (const from of answers) {
    const lane = lanes.get(from.claimed.lane);
    if (lane === undefined) continue;
    const held = underClaim(lane, from.claimed.claim);
    if (held === null) {
      // The claim was lost: nothing may be written.
      settled.add(from);
      continue;
    }
    const { recordId } = lane;
    const mapping = from.book.mapping(lane);
    if (recordId === null || mapping === null) continue;
    if (lane.tombstone !== null || isOfAnother(lane, from.answer)) continue;
    await reachClaimed(services, from.claimed, "before:answer");
    answered.push({ from, held, recordId, mapping });
  }
  const decided: Decided[] = [];
  for (const mapping of new Set(answered.map((each) => each.mapping))) {
    const alike = answered.filter((each) => each.mapping === mapping);
    const ids = [...new Set(alike.map(({ recordId }) => recordId))];
    const { rows, captured } = await tx.records.lockFree(mapping, ids);
    const pending = mapBy(captured, ({ recordId }) => recordId);
    for (const each of alike) {
      const row = rows.get(each.recordId);
      const captures = pending.get(each.recordId) ?? [];
      const after = row === undefined ? null : conclude(each, row, captures, tx.now);
      if (after === null) continue;
      decided.push({ before: each.held.lane, after });
      settled.add(each.from);
    }
  }
  await saveDecided(tx, decided);
  return settled;
}

/** Ends an edit whose answer leaves the record as it is; `null` if the answer must be merged singly. */
function conclude(
  { from, held, recordId, mapping }: Answered,
  row: Row,
  pending: readonly CapturedChange[],
  now: Instant,
): Transition | null {
  const context = from.book.context(held.lane, now);
  const lane = learnIdentity(held.lane, from.answer);
  const observed = observedState(lane, from.answer, "answer", context);
  try {
    const planned = planOnRow(lane, row, pending, observed, context);
    if (!leavesRow(planned)) return null;
    const { merged, before } = planned;
    const start = { lane: planned.lane, ended: [] };
    const after = recordAfter({ ...planned.lane, recordId }, row, mapping);
    return concludeAnswer(start, held.event, observed, merged, { before, after }, context);
  } catch {
    // The app's own functions may throw. The single processing of the event reports the error.
    return null;
  }
}
