/**
 * A tombstone may be wrong: a deletion that was misread, a resource that was hidden for a while. It is
 * lifted by a read of the resource by id that began after it, and by nothing else (row 3).
 *
 *   1  what may be lifted, and by what   `mayReturn`, `proves`
 *   2  what the lane is like then        `lifted`
 *   3  what becomes of the record        `lifecycle/resource-return.ts`
 *   4  why what comes later is ignored   `endedReason`; what it says is named, see `missedAtMove`
 */
import { type Content, sameValue } from "../../model/content.ts";
import type { Conflict, Reason } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import { type Instant, parseInstant } from "../../model/instant.ts";
import type { Lane, Tombstone } from "../../model/lane.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
import type { Arrival } from "./arrival.ts";
import { lastWrites } from "./sent-writes.ts";

/** An ended lane whose resource would be back if it were alive. */
export type Returnable = Lane & { readonly tombstone: Tombstone };

/**
 * Whether a lane has ended for the sake of its resource alone. Where the record was deleted or moved
 * away that the resource lives proves nothing; neither does it while the deletion is to be carried out.
 * What stayed behind at an address that was left comes back by being moved.
 */
export function mayReturn(lane: Lane): lane is Returnable {
  const { tombstone, moved, live } = lane;
  return (
    tombstone?.side === "resource" &&
    tombstone.recordMoved === undefined &&
    tombstone.recordFirst === undefined &&
    moved === null &&
    !live.some((event) => event.action === "delete")
  );
}

/** Whether an arrival proves that the resource lives. A read of what is older than known lags. */
export function proves(
  { observation, verifiedAt }: Arrival,
  { tombstone, clock }: Returnable,
): boolean {
  return (
    observation.action === "upsert" &&
    verifiedAt !== null &&
    verifiedAt > tombstone.at &&
    (clock === null || observation.updatedAt >= clock.at)
  );
}

/** What a lane is like whose tombstone has proved wrong. */
export function lifted({ tombstone }: Returnable): Pick<Lane, "tombstone" | "returned"> {
  return { tombstone: null, returned: tombstone.event };
}

/** The tombstone of a lane whose resource turns out to be deleted as well. */
export function resourceGone(tombstone: Tombstone): Tombstone {
  return tombstone.side === "resource"
    ? tombstone
    : { ...tombstone, side: "resource", recordFirst: true };
}

/**
 * The tombstone of a lane whose resource went where nothing is connected, though it had ended before: its
 * record was deleted, or had left. One that comes back to its connection finds nothing there.
 */
export function outOfReach(tombstone: Tombstone, movedTo: string): Tombstone {
  return tombstone.recordMoved === undefined
    ? { ...tombstone, movedTo }
    : { ...tombstone, movedTo, side: "resource" };
}

/** The same once its resource is where somebody is connected; `null` where the lane lives again. */
export function backInReach({ movedTo, ...tombstone }: Tombstone): Tombstone | null {
  if (movedTo === undefined) return tombstone;
  if (tombstone.recordMoved !== undefined) return { ...tombstone, side: "record" };
  return tombstone.side === "record" ? tombstone : null;
}

/** Whether a lane ended for the sake of its record: that its resource moves starts nothing anew. */
export function hasEndedBefore({ side, recordMoved }: Tombstone): boolean {
  return side === "record" || recordMoved !== undefined;
}

/** Whether a record is archived as we left it: nobody has touched its soft delete since. */
export function isArchivedByUs(
  { archivedAs }: Pick<Lane, "archivedAs">,
  row: Row,
  { softDelete }: Pick<Mapping, "softDelete">,
): boolean {
  if (archivedAs === null || softDelete === null) return false;
  const value = softDeleteOf(row, softDelete);
  return value !== null && (value === archivedAs || isSameTime(value, archivedAs));
}

/** What a record's soft delete says, to be told again; `null` where it is not deleted. */
export function softDeleteOf(row: Row, softDelete: string): string | null {
  const value = row[softDelete];
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Sessions in different time zones say one time in different words. */
function isSameTime(a: string, b: string): boolean {
  const [one, other] = [instantOrNull(a), instantOrNull(b)];
  return one !== null && one === other;
}

function instantOrNull(text: string): Instant | null {
  try {
    return parseInstant(text);
  } catch {
    return null;
  }
}

/** Why what comes to a lane that has ended is ignored. */
export function endedReason({ recordMoved }: Tombstone): Reason {
  return recordMoved === undefined ? "tombstoned" : "record_moved";
}

/** How the end of what was done to a resource is told: a record that was moved is not deleted. */
export function removalReason({ tombstone }: Pick<Lane, "tombstone">, done: Reason): Reason {
  return tombstone?.recordMoved === undefined ? done : `moved_${tombstone.recordMoved}`;
}

/**
 * What a resource says that its record had not taken when it was moved away, and never will. What was
 * known of it already was named before, unless who brought it is `bearer`, or has not ended yet.
 *
 * @param at When it said so: what is older, and what an answer has settled since, is no news. What is
 *   later than all that is known is news although it was said before: somebody took back what we wrote.
 */
export function missedAtMove(
  lane: Lane,
  content: Content,
  bearer: EventId | null,
  at: Instant | null,
): readonly Conflict[] {
  const { tombstone, base, known, attempt, unanswered, live } = lane;
  if (tombstone?.recordMoved === undefined) return [];
  const sent = [...(attempt === null ? [] : [attempt]), ...lastWrites(lane), ...unanswered]
    // A create that lands late makes another resource, and changes nothing of this one.
    .filter(({ kind, settledAt }) =>
      settledAt === undefined ? kind !== "create" || base === null : at === null || at <= settledAt,
    );
  const open = sent.filter((one) => one.settledAt === undefined).map(({ values }) => values);
  const isOpen = known?.event === bearer || live.some(({ id }) => id === known?.event);
  const named = known === null || known.lost || isOpen ? null : known;
  const said = [base ?? {}, named?.content ?? {}, ...sent.map(({ values }) => values)];
  return Object.entries(content).flatMap(([field, lost]): Conflict[] => {
    const isSame = (one: Content) => one[field] !== undefined && sameValue(one[field], lost);
    const last = named?.content[field];
    if (last !== undefined && at !== null && at > (named?.at ?? at)) {
      if (sameValue(last, lost) || open.some(isSame)) return [];
      return [{ field, winner: "record", kept: last, lost, why: "record_moved" }];
    }
    const kept = said.find((one) => one[field] !== undefined)?.[field];
    // Of a create whose answer came too late nothing is known but what was sent.
    if ((base === null && kept === undefined) || said.some(isSame)) return [];
    return [{ field, winner: "record", kept: kept ?? null, lost, why: "record_moved" }];
  });
}
