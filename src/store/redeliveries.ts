/** How far providers' logs of deliveries were read, and what they could not deliver. */
import type { Instant } from "../model/instant.ts";
import type { LogPosition, MissedDelivery } from "../model/missed-delivery.ts";

/** One process's turn at a log. */
export interface LogTurn {
  readonly logId: string;
  /** The database's time. */
  readonly now: Instant;
  readonly position: LogPosition;
}

export interface RedeliveryStore {
  /**
   * Takes the turn at a log, if it is due: nobody else gets it for `leaseMillis`. A log that was
   * never seen is noted, to be read from `startAt` on; its first turn comes after `everyMillis`.
   */
  takeTurn(log: {
    readonly integration: string;
    readonly name: string;
    readonly startAt: Instant;
    readonly everyMillis: number;
    readonly leaseMillis: number;
  }): Promise<LogTurn | null>;
  /** The deliveries with these keys that a log could not deliver, given up or not. */
  missed(logId: string, keys: readonly string[]): Promise<readonly MissedDelivery[]>;
  /**
   * Reads missed deliveries whose redelivery may be requested by now, in the order in which they became due.
   * It reads no others.
   */
  due(logId: string, now: Instant, limit: number): Promise<readonly MissedDelivery[]>;
  /** Notes that missed deliveries have arrived. */
  arrived(logId: string, keys: readonly string[]): Promise<void>;
  /** Writes what a reading found, all or nothing; given up ones are forgotten after a week. */
  note(
    logId: string,
    reading: {
      readonly position: LogPosition;
      readonly missed: readonly MissedDelivery[];
      readonly arrived: readonly string[];
    },
  ): Promise<void>;
  save(logId: string, missed: readonly MissedDelivery[]): Promise<void>;
  /** Ends a turn. */
  nextLook(logId: string, at: Instant): Promise<void>;
  /** Counts over all logs that are still read; a log whose turn has been due for a day is not. */
  counts(): Promise<Readonly<Record<MissedDelivery["state"], number>>>;
}
