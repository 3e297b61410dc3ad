/**
 * A tombstone may be wrong: a deletion was misread, or a resource was hidden for some time. Only a read of the
 * resource by id that began after the tombstone lifts it (row 3 of the admission table).
 *
 *   1  which tombstones can be lifted, and by which read   `mayReturn`, `proves`
 *   2  the lane without its tombstone                      `lifted`
 *   3  the record of such a lane                           `lifecycle/resource-return.ts`
 *   4  why later observations are ignored                  `endedReason`
 *   5  conflicts with later observations                   `missedAtMove`
 */
import { type Content, sameValue } from "../../model/content.ts";
import type { Conflict, Reason } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
import {
  nextAddress,
  placeOutOfReach,
  recordMoveOf,
  type Tombstone,
} from "../../model/tombstone.ts";
import { tryParseInstant } from "../../model/wall-clock.ts";
import type { Arrival } from "./arrival.ts";
import { lastWrites } from "./sent-writes.ts";

/** An ended lane that is paired again if its resource is found alive. */
export type Returnable = Lane & { readonly tombstone: Tombstone };

/**
 * Whether a lane has ended only because its resource was deleted. If the record was deleted or moved away, or the
 * deletion still waits, a living resource proves nothing. A lane left behind by a move gets its resource back only by a
 * move. A resource that was deleted before its record followed it does not return either.
 */
export function mayReturn(lane: Lane): lane is Returnable {
  const { tombstone, moved, live } = lane;
  return (
    tombstone?.record === "present" &&
    nextAddress(tombstone) === null &&
    moved === null &&
    !live.some((event) => event.action === "delete")
  );
}

/** Whether an arrival proves that the resource is alive. A read older than the clock is a stale read. */
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

/** The changes that lift a wrong tombstone. */
export function lifted({ tombstone }: Returnable): Pick<Lane, "tombstone" | "returned"> {
  return { tombstone: null, returned: tombstone.event };
}

/** The tombstone of an ended lane after its resource was deleted as well. */
export function resourceGone(tombstone: Tombstone): Tombstone {
  return tombstone.resource === "present" ? { ...tombstone, resource: "deleted" } : tombstone;
}

/**
 * The tombstone of an ended lane whose resource moved out of reach. The record was deleted or moved away before.
 * A record that moved away and returns to this connection finds no resource there, hence `side`.
 */
export function outOfReach(tombstone: Tombstone, place: string): Tombstone {
  return { ...tombstone, resource: { outOfReach: place } };
}

/** The tombstone after the resource moved back to a connected container; `null` if the lane lives again. */
export function backInReach(tombstone: Tombstone): Tombstone | null {
  if (placeOutOfReach(tombstone) === null) return tombstone;
  return tombstone.record === "present" ? null : { ...tombstone, resource: "present" };
}

/** Whether a lane ended because of its record. A move of its resource then restarts nothing. */
export function hasEndedBefore({ record }: Tombstone): boolean {
  return record !== "present";
}

/** Whether a record is archived by Tandem and the app has not changed its soft delete since. */
export function isArchivedByUs(
  { archivedAs }: Pick<Lane, "archivedAs">,
  row: Row,
  { softDelete }: Pick<Mapping, "softDelete">,
): boolean {
  if (archivedAs === null || softDelete === null) return false;
  const value = softDeleteOf(row, softDelete);
  return value !== null && (value === archivedAs || isSameTime(value, archivedAs));
}

/** The value of a record's soft delete as text, to recognise it later; `null` if the record is not deleted. */
export function softDeleteOf(row: Row, softDelete: string): string | null {
  const value = row[softDelete];
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Sessions in different time zones write one time as different texts. */
function isSameTime(a: string, b: string): boolean {
  const [one, other] = [tryParseInstant(a), tryParseInstant(b)];
  return one !== null && one === other;
}

/** Why an observation that arrives at an ended lane is ignored. */
export function endedReason(tombstone: Tombstone): Reason {
  return recordMoveOf(tombstone) === null ? "tombstoned" : "record_moved";
}

/** The reason for an outbound deletion's end. A moved record is not deleted, so it has a reason of its own. */
export function removalReason({ tombstone }: Pick<Lane, "tombstone">, done: Reason): Reason {
  const move = recordMoveOf(tombstone);
  return move === null ? done : `moved_${move}`;
}

/**
 * Conflicts for values of a resource that its record had not taken when it was moved away, and never will take.
 * Known content was recorded before, unless its event is `carrier` or has not ended yet.
 *
 * @param at The time of the content. An older value, or one that an answer has settled since, is not new. A value
 *   later than all that is known is new even if it was seen before: a person reverted our write.
 */
export function missedAtMove(
  lane: Lane,
  content: Content,
  carrier: EventId | null,
  at: Instant | null,
): readonly Conflict[] {
  const { tombstone, base, known, attempt, unanswered, live } = lane;
  if (recordMoveOf(tombstone) === null) return [];
  const sent = [...(attempt === null ? [] : [attempt]), ...lastWrites(lane), ...unanswered]
    // A create that takes effect late makes another resource and changes nothing in this one.
    .filter(({ kind, settledAt }) =>
      settledAt === undefined ? kind !== "create" || base === null : at === null || at <= settledAt,
    );
  const open = sent.filter((one) => one.settledAt === undefined).map(({ values }) => values);
  const isOpen = known?.event === carrier || live.some(({ id }) => id === known?.event);
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
    // If a create was answered too late, only the values that it sent are known.
    if ((base === null && kept === undefined) || said.some(isSame)) return [];
    return [{ field, winner: "record", kept: kept ?? null, lost, why: "record_moved" }];
  });
}
