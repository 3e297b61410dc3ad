/**
 * The versions of a resource that a lane has heard of. A provider's clock may step back, so an observation
 * that is older than the lane's clock is old for certain only where its version is one of them (row 4).
 */
import type { TandemEvent } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Known, Lane } from "../../model/lane.ts";

/** So many webhooks of earlier edits may be late and cost no read. */
const VERSIONS_REMEMBERED = 4;

type Version = Pick<TandemEvent, "digest" | "updatedAt">;

/** What was known before a version is heard, with what was known before that; newest first. */
export function versionsBefore(known: Known | null): readonly string[] {
  if (known === null) return [];
  return [markOf(known.digest, known.at), ...(known.before ?? [])].slice(0, VERSIONS_REMEMBERED);
}

/** Whether a version was known before what is known now. */
export function wasKnown({ known }: Lane, { digest, updatedAt }: Version): boolean {
  if (digest === null || updatedAt === null) return false;
  return known?.before?.includes(markOf(digest, updatedAt)) === true;
}

/** Whether a version is older than the lane's clock, and says what nobody has read. */
export function isOlderUnread(lane: Lane, version: Version): boolean {
  const { clock, known } = lane;
  const { digest, updatedAt } = version;
  if (clock === null || updatedAt === null || updatedAt >= clock.at) return false;
  return digest !== null && known?.digest !== digest && !wasKnown(lane, version);
}

function markOf(digest: string, at: Instant): string {
  return `${digest}@${at.toString(36)}`;
}
