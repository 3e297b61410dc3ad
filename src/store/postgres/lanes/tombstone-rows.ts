/**
 * Between the end of a pairing and its columns. `moved_from_*` holds one of two addresses (decision 18):
 *
 *   the lane lives                         `moved`: record and children still have to follow from it
 *   resource present, or out of reach      `moved`
 *   resource gone, `tombstone_unfollowed`  `moved`: the resource was deleted before they had followed
 *   resource gone, no such mark            `movedOn`: the address that the resource moved on to
 *
 * Older versions never set the mark, so a deletion that they admit is read as the last line.
 */
import { connectionId, eventId } from "../../../model/ids.ts";
import { parseInstant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { LaneAddress } from "../../../model/observation.ts";
import {
  type EndedSide,
  endedSide,
  isResourceGone,
  placeOutOfReach,
  previousAddress,
  type RecordMove,
  recordMoveOf,
  type Tombstone,
} from "../../../model/tombstone.ts";
import { textOrNull } from "./event-rows.ts";

export interface TombstoneRow {
  readonly tombstone_at: string | null;
  readonly tombstone_event: string | null;
  readonly tombstone_side: EndedSide | null;
  readonly tombstone_moved_to: string | null;
  readonly tombstone_record_moved: RecordMove | null;
  readonly tombstone_record_first: boolean;
  readonly tombstone_unfollowed: boolean;
  readonly moved_from_connection: string | null;
  readonly moved_from_external_id: string | null;
}

export const TOMBSTONE_COLUMNS = [
  "tombstone_at",
  "tombstone_event",
  "tombstone_side",
  "tombstone_moved_to",
  "tombstone_record_moved",
  "tombstone_record_first",
  "tombstone_unfollowed",
  "moved_from_connection",
  "moved_from_external_id",
] as const satisfies readonly (keyof TombstoneRow)[];

export function tombstoneToRow({ tombstone, moved }: Lane): TombstoneRow {
  const isGone = isResourceGone(tombstone);
  const address = previousAddress({ tombstone, moved });
  return {
    tombstone_at: textOrNull(tombstone?.at ?? null),
    tombstone_event: tombstone?.event ?? null,
    tombstone_side: tombstone === null ? null : endedSide(tombstone),
    tombstone_moved_to: placeOutOfReach(tombstone),
    tombstone_record_moved: recordMoveOf(tombstone),
    tombstone_record_first: isGone && tombstone?.record === "deleted",
    tombstone_unfollowed: isGone && moved !== null,
    moved_from_connection: address?.connection ?? null,
    moved_from_external_id: address?.externalId ?? null,
  };
}

export function tombstoneFromRow(row: TombstoneRow): Pick<Lane, "tombstone" | "moved"> {
  const address = addressFromRow(row);
  const { tombstone_at: at, tombstone_event: event, tombstone_side: side } = row;
  if (at === null || event === null || side === null) return { tombstone: null, moved: address };
  const place = row.tombstone_moved_to;
  const isGone = side === "resource" && place === null;
  const movedOn = isGone && !row.tombstone_unfollowed ? address : null;
  const here = isGone ? "deleted" : "present";
  const isDeleted = side === "record" || row.tombstone_record_first;
  const tombstone: Tombstone = {
    event: eventId(event),
    at: parseInstant(at),
    record: row.tombstone_record_moved ?? (isDeleted ? "deleted" : "present"),
    resource: place !== null ? { outOfReach: place } : movedOn === null ? here : { movedOn },
  };
  return { tombstone, moved: movedOn === null ? address : null };
}

function addressFromRow({
  moved_from_connection: connection,
  moved_from_external_id: externalId,
}: TombstoneRow): LaneAddress | null {
  if (connection === null || externalId === null) return null;
  return { connection: connectionId(connection), externalId };
}
