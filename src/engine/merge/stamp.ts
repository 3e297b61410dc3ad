/** The app's own stamp of when a record was last changed. */
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { Mapping, Row, RowPatch } from "../../model/mapping.ts";
import { instantOrNull, shownAsUtc, type WallClock } from "../../model/wall-clock.ts";

type Stamped = Pick<Mapping, "modifiedAt">;

/**
 * The stamp becomes the later of its value and the resource's time: it never moves backwards.
 *
 * @param wall By which clock a stamp without a zone is written. Both are compared as that clock shows them, for
 *   an hour that it shows twice would move the stamp back.
 */
export function stamp(
  { modifiedAt }: Stamped,
  row: Row,
  at: Instant,
  wall: WallClock | null,
): RowPatch {
  if (modifiedAt === null) return {};
  const value = row[modifiedAt];
  const text = typeof value === "string" ? value : "";
  const own = wall === null ? instantOrNull(text) : shownAsUtc(text);
  const theirs = wall === null ? at : shownAsUtc(wall.show(at));
  const isLater = own !== null && theirs !== null && own >= theirs;
  return isLater ? {} : { [modifiedAt]: formatInstant(at) };
}

/** When the app says that it last changed the record; `null` where it does not say. */
export function stampedAt(
  { modifiedAt }: Stamped,
  row: Row,
  wall: WallClock | null,
): Instant | null {
  const value = modifiedAt === null ? null : row[modifiedAt];
  if (typeof value !== "string") return null;
  return wall === null ? instantOrNull(value) : wall.read(value);
}
