/**
 * The places in the server's log that this process saw, compared at the beginning of every transaction.
 * Behind a pooler a connection outlives the server, so a new connection is too little evidence.
 *
 * Postgres does not report a commit's own place, so the log's end just before the commit is used. The log
 * up to there is as safe as the commit, on disk and at synchronous replicas. The end after the commit may
 * include writes that other transactions have not committed.
 *
 * A process knows its own commits only. With asynchronous replicas, a failover that lost none of them may
 * have lost commits of other processes. Those processes get time to say so (`runtime/safety/instance.ts`).
 */
import {
  compareLog,
  type FoundLog,
  type LogPlace,
  SET_BACK,
} from "../../../engine/limits/index.ts";
import type { Instant } from "../../../model/instant.ts";
import {
  type Closing,
  type Database,
  LostWorkError,
  mayPass,
  type QueryResult,
  sqlState,
} from "../../database/index.ts";
import type { InstanceStore } from "../../instances.ts";

/** A commit of this process. */
interface Committed extends LogPlace {
  /** When its transaction began. */
  readonly began: Instant;
}

/** The remembered state of the server, replaced as a whole: a query keeps the state from when it was sent. */
interface Remembered {
  /** The last commit that is known. */
  readonly committed: Committed | null;
  readonly timeline: number | null;
  /** Replicas confirm a commit before the server reports it to this process. */
  readonly isSynchronous: boolean;
}

// A server in recovery has no end of its own yet.
const LOG = `
  case when not pg_is_in_recovery() then pg_walfile_name(pg_current_wal_insert_lsn()) end as log_file,
  case when not pg_is_in_recovery() then (pg_current_wal_insert_lsn() - '0/0')::text end as log_at,
  (pg_last_wal_replay_lsn() - '0/0')::text as recovered_to,
  current_setting('synchronous_standby_names') <> ''
    and current_setting('synchronous_commit') not in ('off', 'local') as is_synchronous`;

/** A transaction that has written nothing has nothing to lose, and does not wait for the disk. */
const END = `
select case
  when pg_current_xact_id_if_assigned() is not null then (pg_current_wal_insert_lsn() - '0/0')::text
end as log_at`;

/** How a transaction began. */
interface Entry {
  readonly now: Instant;
  /** The state remembered when the transaction's opening was sent: others may have committed since. */
  readonly before: Remembered;
  /** How many doubts there were when its caller began, who relies on what was asked before. */
  readonly doubts: number;
}

type Found = FoundLog & Pick<Remembered, "isSynchronous">;

export class LogWatch {
  #remembered: Remembered = { committed: null, timeline: null, isSynchronous: false };
  #answers: boolean | undefined;
  #doubts = 0;
  #failovers = 0;

  /** How often it was found that the database may be another than it was. */
  get doubts(): number {
    return this.#doubts;
  }

  /** How often a replica took over that may lack what others have committed. */
  get failovers(): number {
    return this.#failovers;
  }

  /** To be asked when a transaction is sent. */
  get remembered(): Remembered {
    return this.#remembered;
  }

  /** Columns that tell of the log; none where the server does not let us ask, or is part of this process. */
  async columns(database: Database): Promise<string> {
    if (database.kind !== "postgres") return "";
    this.#answers ??= await answers(database);
    return this.#answers ? `,${LOG}` : "";
  }

  /**
   * Compares what a transaction found as it began; returns what is to go with its commit.
   *
   * @throws LostWorkError where what was committed is not certainly there, or was not when its caller began.
   */
  compare({ rows }: QueryResult<Record<string, unknown>>, entry: Entry): Closing | null {
    const found = foundLog(rows[0]);
    if (found !== null) this.#judge(entry.before, found);
    if (this.#doubts !== entry.doubts) throw new LostWorkError(null);
    return found === null ? null : this.#closing(found, entry.now);
  }

  /**
   * Notes for every process that work is lost. Forgets the last known commit, unless it began after the
   * lost one.
   */
  async tellLost({ lost }: LostWorkError, instance: Pick<InstanceStore, "noteSetBack">) {
    if (lost === null) return;
    try {
      await instance.noteSetBack(SET_BACK, lost);
    } catch {
      // The next transaction finds the same, and tells it.
      return;
    }
    const { committed } = this.#remembered;
    if (committed !== null && committed.began <= lost) {
      this.#remembered = { committed: null, timeline: null, isSynchronous: false };
    }
    // Those that asked between the finding and the telling ask again.
    this.#doubts += 1;
  }

  #judge({ committed, timeline, isSynchronous }: Remembered, found: Found): void {
    const verdict = committed === null ? "kept" : compareLog(committed, found);
    if (committed !== null && verdict === "lost") {
      this.#doubts += 1;
      throw new LostWorkError(committed.began);
    }
    const known = this.#remembered;
    const isTurn = timeline !== null && found.timeline !== timeline;
    if (!isTurn || known.timeline === timeline) {
      // The last known commit was kept, so it is on the new timeline as well.
      const kept = known.committed && { ...known.committed, timeline: found.timeline };
      this.#remembered = {
        committed: isTurn ? kept : known.committed,
        timeline: found.timeline,
        isSynchronous: found.isSynchronous,
      };
      if (!isTurn || (isSynchronous && verdict === "kept")) return;
      this.#failovers += 1;
      this.#doubts += 1;
    }
  }

  #closing({ timeline }: Found, began: Instant): Closing {
    return {
      text: END,
      told: ({ log_at: at }) => {
        if (typeof at !== "string") return;
        const committed = { timeline, at: BigInt(at), began };
        const known = this.#remembered;
        if (isLater(committed, known.committed)) this.#remembered = { ...known, committed };
      },
    };
  }
}

/** Commits are confirmed in another order than they were made. */
function isLater(next: LogPlace, known: LogPlace | null): boolean {
  if (known === null || next.timeline > known.timeline) return true;
  return next.timeline === known.timeline && next.at > known.at;
}

/** The log's state that a transaction read as it began; `null` if it did not ask, or got no answer. */
function foundLog(row: Record<string, unknown> = {}): Found | null {
  const { log_file: file, log_at: at, recovered_to: recoveredTo, is_synchronous: sync } = row;
  if (typeof file !== "string" || typeof at !== "string") return null;
  return {
    // A segment's name begins with its timeline.
    timeline: Number.parseInt(file.slice(0, 8), 16),
    at: BigInt(at),
    recoveredTo: typeof recoveredTo === "string" ? BigInt(recoveredTo) : null,
    isSynchronous: sync === true,
  };
}

/** Some providers have no such log, or do not let everybody ask; then the beat alone tells. */
async function answers(database: Database): Promise<boolean> {
  try {
    await database.query(`select ${LOG}`);
    return true;
  } catch (error) {
    if (mayPass(error) || sqlState(error) === null) throw error;
    return false;
  }
}
