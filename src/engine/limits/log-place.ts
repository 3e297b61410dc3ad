/**
 * Whether a database still has what this process saw it commit, told by its write-ahead log. A failover
 * begins a new timeline where the replica's recovery ended: what was committed behind that end is lost.
 *
 *   found on              and                                                       verdict
 *   the same timeline     the log reaches the commit                                kept
 *                         it ends before: storage was set back                      lost
 *   an earlier timeline   it is the old primary, which was given up                 lost
 *   a later timeline      recovery ended behind the commit                          kept
 *                         recovery ended before or at the commit                    lost
 *                         a restart forgot where, and the log ends before           lost
 *                         a restart forgot where, and the log reaches the commit    unknown
 */

/** A place in a database's log. */
export interface LogPlace {
  readonly timeline: number;
  /** How many bytes of log lie before it. */
  readonly at: bigint;
}

/** A database's answer on its log. */
export interface FoundLog extends LogPlace {
  /** The place where its last recovery ended; `null`: there was none since it started. */
  readonly recoveredTo: bigint | null;
}

export type LogVerdict = "kept" | "lost" | "unknown";

/**
 * @param committed A place of which a commit of ours lies behind, and was confirmed.
 * @param found What the database said after that.
 */
export function compareLog(committed: LogPlace, found: FoundLog): LogVerdict {
  if (found.timeline < committed.timeline) return "lost";
  if (found.timeline === committed.timeline || found.recoveredTo === null) {
    if (found.at < committed.at) return "lost";
    return found.timeline === committed.timeline ? "kept" : "unknown";
  }
  // Equal is before: the commit begins there.
  return found.recoveredTo <= committed.at ? "lost" : "kept";
}
