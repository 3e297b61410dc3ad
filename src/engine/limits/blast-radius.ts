/**
 * The blast radius: whether a run may do what it is about to do, or must ask a person first. A list
 * that came back empty and a table that was emptied by mistake look like a thousand deletions.
 *
 * 1. A run holds where it would delete or overwrite more than a number of records and more than a
 *    share of all there are; both, so that neither a small nor a large connection asks for trifles.
 * 2. An approval is for as much as was shown. A run that has grown since asks again.
 * 3. Every run is weighed anew. One that turns out to be harmless is withdrawn by itself.
 */
import type { HeldRun, Outlook, RunEnd } from "../../model/held-run.ts";

export interface BlastRadius {
  /** More than so many records ... */
  readonly records: number;
  /** ... and more than this share of the connection's, from 0 to 1. */
  readonly share: number;
}

export interface Verdict {
  readonly goes: boolean;
  /** What becomes of the held run; `null`: there is none and none is needed. */
  readonly becomes: HeldRun["state"] | RunEnd | null;
}

/** Whether a run must ask, as far as it is known by now. */
export function isTooMuch(
  { deletes, overwrites, records }: Outlook,
  radius: BlastRadius | null,
): boolean {
  const many = deletes + overwrites;
  return radius !== null && many > radius.records && many > records * radius.share;
}

/** Decides on a run. `open`: what is known of its like from an earlier look. */
export function weigh(
  outlook: Outlook,
  radius: BlastRadius | null,
  open: Pick<HeldRun, "state" | "outlook"> | null,
): Verdict {
  if (!isTooMuch(outlook, radius)) {
    if (open === null) return { goes: true, becomes: null };
    return { goes: true, becomes: open.state === "approved" ? "done" : "withdrawn" };
  }
  if (open === null || !covers(open.outlook, outlook)) return { goes: false, becomes: "held" };
  if (open.state === "approved") return { goes: true, becomes: "done" };
  return { goes: false, becomes: open.state };
}

function covers(shown: Outlook, outlook: Outlook): boolean {
  return outlook.deletes <= shown.deletes && outlook.overwrites <= shown.overwrites;
}
