/** Processing one claimed event, and the engine's decision if that fails. */
import { processing } from "../../engine/lane/index.ts";
import { requeueAfterMove, leaveLane, placeText } from "../../engine/lifecycle/index.ts";
import { fail } from "../../engine/processing/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import { isEndedByResource, nextAddress, placeOutOfReach } from "../../model/tombstone.ts";
import { isContention } from "../../store/database/index.ts";
import type { LaneSummary } from "../../store/store.ts";
import { forgetLate, lockClaimed, save } from "../claims/index.ts";
import { processInbound } from "../inbound/index.ts";
import { followMove } from "../moves/index.ts";
import { processOutbound } from "../outbound/index.ts";
import { noteMoved } from "../records/index.ts";
import { blameScope } from "../safety/index.ts";
import type { Claimed, DirectorySnapshot, Services } from "../services/index.ts";
import { classify, messageOf } from "../failures/index.ts";

/**
 * Processes one claimed event. Throws only if the database is unreachable; the event's lease then expires.
 *
 * @param answered Called when an API has answered and only database work is left.
 */
export async function processClaimed(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  signal: AbortSignal,
  answered: () => void = () => undefined,
): Promise<void> {
  try {
    if (claimed.direction === "inbound") await processInbound(services, claimed, book, signal);
    else await processOutbound(services, claimed, book, { signal, answered });
  } catch (thrown) {
    // A killed worker must not write anything more; its lease expires.
    if (signal.aborted) return;
    const failure = await whyNotElsewhere(services, claimed, book, thrown);
    if (failure === null) return;
    await noteFailure(services, claimed, book, await blameScope(services, claimed, book, failure));
  }
}

/**
 * Follows the move that may have caused a failure. Returns `null` if it did; otherwise the error. If another
 * transaction holds a lane of the move, or reported it meanwhile, the event is retried like after any failure.
 */
async function whyNotElsewhere(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  thrown: unknown,
): Promise<unknown> {
  try {
    if (await hasMoved(services, claimed, book, thrown)) return null;
    if (await wentWithParent(services, claimed, book, thrown)) return null;
  } catch (error) {
    if (!isContention(error)) throw error;
    return error;
  }
  return thrown;
}

/**
 * Follows a redirect of a request: the lane moves to the new address, or ends if that is out of reach, and the event is
 * requeued. A worker that has lost its claim does nothing: it does not know whether the lane is still at that address.
 */
async function hasMoved(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  thrown: unknown,
): Promise<boolean> {
  if (!(thrown instanceof IntegrationError) || thrown.moved === null) return false;
  const { ref, to } = thrown.moved;
  return services.store.transaction(async (tx) => {
    const begun = await lockClaimed(tx, claimed);
    const contact = begun === null ? null : book.contact(begun.lane.connectionId);
    if (contact === null) return true;
    const { integration, containerId } = contact.connection;
    const from = { containerId, externalId: ref.externalId };
    const move = { type: ref.type, from, to, seen: null };
    await followMove(tx, { integration, move, source: "reread", deliveryId: null }, book, services);
    const held = await lockClaimed(tx, claimed);
    if (held === null) return true;
    if (held.lane.tombstone === null) return false;
    await save(tx, held, requeueAfterMove(held.start, held.event, tx.now));
    return true;
  });
}

/**
 * Handles a child that is not found at the address its parent was moved from: it moved along, but a provider does not
 * redirect a child's address. Its lane ends there until the parent's move is followed. A child without a record is
 * admitted again at the new address.
 */
async function wentWithParent(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  thrown: unknown,
): Promise<boolean> {
  if (!(thrown instanceof IntegrationError) || thrown.kind !== "not_found") return false;
  return services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
    const { parent = null, tombstone = null, connectionId } = held?.lane ?? {};
    if (held === null || connectionId === undefined || parent === null || tombstone !== null) {
      return held === null;
    }
    const [above] = await tx.findLanes({
      kind: "of_resources",
      connectionId,
      resourceType: parent.type,
      externalIds: [parent.externalId],
    });
    const place = above === undefined ? null : placeGone(above, book);
    if (place === null) return false;
    const context = book.context(held.lane, tx.now);
    const news = { source: "reread", deliveryId: null, display: {} } as const;
    const left = leaveLane(held.start.lane, place, news, context);
    const event = processing(left.lane);
    if (event === null) return false;
    const start = { lane: left.lane, ended: [...held.start.ended, ...left.ended] };
    await save(tx, held, requeueAfterMove(start, event, tx.now));
    // If the record has another parent by now, the drain sends it below that one.
    await noteMoved(tx, [{ ...held.lane, mapping: context.mapping }]);
    return true;
  });
}

/** The address to which a resource was moved from its lane's address; `null` if no move is known. */
function placeGone({ tombstone, moved }: LaneSummary, book: DirectorySnapshot): string | null {
  const place = placeOutOfReach(tombstone);
  if (place !== null || !isEndedByResource(tombstone)) return place;
  // A resource that was deleted before its children followed leads them to the address that they are at already.
  const next = nextAddress(tombstone) ?? moved;
  const contact = next === null ? null : book.contact(next.connection);
  if (next === null || contact === null) return null;
  return placeText({ ...contact.connection, externalId: next.externalId });
}

async function noteFailure(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  thrown: unknown,
): Promise<void> {
  const classified = await services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
    const result = classify(thrown, tx.now);
    if (held === null) {
      if (result.failure.applied === "no") await forgetLate(tx, claimed);
      return null;
    }
    const after = fail(held.start, held.event, result.failure, tx.now, services.random());
    await save(tx, held, after);
    return { ...result, connection: held.lane.connectionId };
  });
  const { lane } = claimed;
  services.log.warn({ lane, event: claimed.claim.event, ...told(thrown) }, "an event failed");
  if (classified?.account === null || classified === null) return;
  const contact = book.contact(classified.connection);
  if (contact === null) return;
  const { state, reason, until } = classified.account;
  const changes = { state, reason, pausedUntil: until };
  book.noteAccount(contact.account.id, changes);
  await services.store.directory.updateAccount(contact.account.id, changes);
}

function told(thrown: unknown): { readonly error: string; readonly stack?: string | undefined } {
  return thrown instanceof Error
    ? { error: messageOf(thrown), stack: thrown.stack }
    : { error: messageOf(thrown) };
}
