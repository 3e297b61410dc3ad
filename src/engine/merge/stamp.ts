/** The app's own column for the time of a record's last change. */
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { Mapping, Row, RowPatch } from "../../model/mapping.ts";
import { tryParseInstant, shownAsUtc, type WallClock } from "../../model/wall-clock.ts";

type Stamped = Pick<Mapping, "modifiedAt">;

/**
 * Sets the stamp to the later of its value and the resource's time, so that it never moves backwards.
 *
 * @param wall The clock of a stamp without a zone. Both times are compared as that clock shows them: an hour that
 *   it shows twice would otherwise move the stamp back.
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
  const own = wall === null ? tryParseInstant(text) : shownAsUtc(text);
  const theirs = wall === null ? at : shownAsUtc(wall.show(at));
  const isLater = own !== null && theirs !== null && own >= theirs;
  return isLater ? {} : { [modifiedAt]: formatInstant(at) };
}

/** When the app last changed the record, by its own stamp; `null` if it keeps none. */
export function stampedAt(
  { modifiedAt }: Stamped,
  row: Row,
  wall: WallClock | null,
): Instant | null {
  const value = modifiedAt === null ? null : row[modifiedAt];
  if (typeof value !== "string") return null;
  return wall === null ? tryParseInstant(value) : wall.read(value);
}
