/**
 * Whether a database still has a commit that this process saw, by its write-ahead log. A failover begins a new
 * timeline where the replica's recovery ended: commits behind that end are lost.
 *
 *   found on              and                                                       verdict
 *   the same timeline     the log reaches the commit                                kept
 *                         it ends before: storage was set back                      lost
 *   an earlier timeline   it is the old primary, which was replaced                 lost
 *   a later timeline      recovery ended behind the commit                          kept
 *                         recovery ended before or at the commit                    lost
 *                         not known after a restart, and the log ends before        lost
 *                         not known after a restart, and the log reaches the commit unknown
 */

/** A position in a database's write-ahead log. */
export interface LogPlace {
  readonly timeline: number;
  /** The number of log bytes before it. */
  readonly at: bigint;
}

/** The position of a database's log now. */
export interface FoundLog extends LogPlace {
  /** The position at which its last recovery ended; `null`: there was none since it started. */
  readonly recoveredTo: bigint | null;
}

export type LogVerdict = "kept" | "lost" | "unknown";

/**
 * @param committed The position at which a confirmed commit of ours begins.
 * @param found The position that the database reported later.
 */
export function compareLog(committed: LogPlace, found: FoundLog): LogVerdict {
  if (found.timeline < committed.timeline) return "lost";
  if (found.timeline === committed.timeline || found.recoveredTo === null) {
    if (found.at < committed.at) return "lost";
    return found.timeline === committed.timeline ? "kept" : "unknown";
  }
  // Equal means lost, because the commit begins at that position.
  return found.recoveredTo <= committed.at ? "lost" : "kept";
}
