/**
 * The blast radius: whether a run may execute its plan, or must ask a person first. An empty list by a fault, or a
 * table that was emptied by mistake, looks like a thousand deletions.
 *
 * 1. A run is held if it would delete or overwrite more than a number of records and more than a share of the
 *    connection's records. Both must hold, so that neither small nor large connections ask for trifles.
 * 2. An approval covers the numbers that were shown. A run that has grown since asks again.
 * 3. Every run is weighed again. A held run that turns out to be harmless is withdrawn.
 */
import type { HeldRun, Outlook, RunEnd } from "../../model/held-run.ts";

export interface BlastRadius {
  /** More than this number of records ... */
  readonly records: number;
  /** ... and more than this share of the connection's records, from 0 to 1. */
  readonly share: number;
}

export interface BlastRadiusVerdict {
  readonly goes: boolean;
  /** The next state of the held run; `null`: there is none and none is needed. */
  readonly becomes: HeldRun["state"] | RunEnd | null;
}

/** Whether a run exceeds the blast radius, by the numbers counted so far. */
export function isTooMuch(
  { deletes, overwrites, records }: Outlook,
  radius: BlastRadius | null,
): boolean {
  const many = deletes + overwrites;
  return radius !== null && many > radius.records && many > records * radius.share;
}

/** Decides about a run. `open`: the held run of this kind, if an earlier run was held. */
export function weigh(
  outlook: Outlook,
  radius: BlastRadius | null,
  open: Pick<HeldRun, "state" | "outlook"> | null,
): BlastRadiusVerdict {
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
