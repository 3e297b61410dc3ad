/**
 * A tombstone may be wrong: a deletion that was misread, a resource that was hidden for a while. It is
 * lifted by a read of the resource by id that began after it, and by nothing else (row 3).
 *
 *   1  what may be lifted, and by what   `mayReturn`, `proves`
 *   2  what the lane is like then        `lifted`
 *   3  what becomes of the record        `returning.ts`
 */
import { type Instant, parseInstant } from "../model/instant.ts";
import type { Lane, Tombstone } from "../model/lane.ts";
import type { Mapping, Row } from "../model/mapping.ts";
import type { Arrival } from "./arrival.ts";

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
