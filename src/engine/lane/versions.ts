/**
 * The versions of a resource that a lane has known. A provider's clock may step back, so an observation with an
 * older time than the lane's clock is outdated for certain only if its version was known (row 4 of admission).
 */
import type { TandemEvent } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Known, Lane } from "../../model/lane.ts";

/** A late webhook of one of this many earlier versions costs no read. */
const VERSIONS_REMEMBERED = 4;

type Version = Pick<TandemEvent, "digest" | "updatedAt">;

/** The versions known until now, newest first: the present one, then those before it. */
export function versionsBefore(known: Known | null): readonly string[] {
  if (known === null) return [];
  return [markOf(known.digest, known.at), ...(known.before ?? [])].slice(0, VERSIONS_REMEMBERED);
}

/** Whether a version was known before the present one. */
export function wasKnown({ known }: Lane, { digest, updatedAt }: Version): boolean {
  if (digest === null || updatedAt === null) return false;
  return known?.before?.includes(markOf(digest, updatedAt)) === true;
}

/** Whether a version has an older time than the lane's clock and was never known: it must be read. */
export function isOlderUnread(lane: Lane, version: Version): boolean {
  const { clock, known } = lane;
  const { digest, updatedAt } = version;
  if (clock === null || updatedAt === null || updatedAt >= clock.at) return false;
  return digest !== null && known?.digest !== digest && !wasKnown(lane, version);
}

function markOf(digest: string, at: Instant): string {
  return `${digest}@${at.toString(36)}`;
}
