/** Reading the ledger: events, where pairings stand, and when something falls due. */
import type { AnyEvent, Conflict, Reason, TandemEvent } from "../model/event.ts";
import type { ConnectionId, EventId, LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { Lane, OffCause } from "../model/lane.ts";

/** Which events to show. */
export interface EventQuery {
  readonly id?: string;
  readonly state?: TandemEvent["state"];
  readonly direction?: TandemEvent["direction"];
  readonly record?: { readonly type: string; readonly id: string };
  readonly connectionId?: ConnectionId;
  readonly laneId?: LaneId;
  /** Whether records' own writes are shown too, alone, or not at all. Default: `too`. */
  readonly journal?: "too" | "only" | "without";
  /** Only events born before this one. */
  readonly before?: string;
  readonly limit: number;
}

/** An event with the type and relation of its resource. A journal's has neither, nor a lane. */
export interface LedgerEvent extends AnyEvent {
  readonly resourceType: string | null;
  readonly relation: string | null;
}

/** The state of one pairing of a record. */
export interface Standing {
  readonly recordId: string;
  readonly integration: string;
  readonly resourceType: string;
  readonly externalId: string | null;
  readonly url: string | null;
  readonly tombstoned: boolean;
  /** A request was sent and its outcome is unknown. */
  readonly unknownOutcome: boolean;
  /** Why the event that ended last did so. */
  readonly lastReason: Reason | null;
  readonly live: readonly Pick<TandemEvent, "id" | "state" | "reason" | "direction" | "error">[];
  /** Conflicts of its last events, newest first. */
  readonly conflicts: readonly (Conflict & { readonly event: EventId; readonly at: string })[];
}

/** A pairing that is switched off. */
export interface DisabledPairing {
  readonly laneId: LaneId;
  readonly connectionId: ConnectionId;
  readonly resourceType: string;
  readonly externalId: string | null;
  readonly recordType: string;
  readonly recordId: string | null;
  readonly cause: OffCause;
  /** For people. */
  readonly why: string;
}

/** The kinds of work that are due; doing it may produce more. */
export interface DueNow {
  /** To be translated. */
  readonly deliveries: boolean;
  /** Captured, to be drained. */
  readonly changes: boolean;
  readonly links: boolean;
  /** Run out, to be passed on. */
  readonly leases: boolean;
  /** To be claimed. */
  readonly events: boolean;
  readonly afterCommits: boolean;
  readonly backfills: boolean;
}

/** Reading the ledger; nothing here decides. */
export interface Ledger {
  events(query: EventQuery): Promise<readonly LedgerEvent[]>;
  lanesOfRecord(recordType: string, recordId: string): Promise<readonly Lane[]>;
  /** Pairings of records, and which of the records have writes still to be drained. One statement. */
  standings(
    recordType: string,
    recordIds: readonly string[],
  ): Promise<{ readonly pairings: readonly Standing[]; readonly undrained: ReadonlySet<string> }>;
  counts(): Promise<{
    readonly live: Readonly<Record<"queued" | "processing" | "errored" | "disabled", number>>;
    readonly undrained: number;
  }>;
  /** Pairings that are switched off, connection by connection. */
  disabledPairings(limit: number): Promise<{
    readonly count: number;
    readonly pairings: readonly DisabledPairing[];
  }>;
  /** The database's time, which all that Tandem dates is dated by. */
  now(): Promise<Instant>;
  /** Reads which kinds of work are due now. */
  dueNow(): Promise<DueNow>;
  /** When the next event that could be claimed falls due; and the database's time now. */
  nextDue(): Promise<{
    readonly now: Instant;
    readonly due: Instant | null;
    /** When the lease of an event under way runs out. */
    readonly leaseDue: Instant | null;
    /** When the next delivery is to be translated. */
    readonly deliveryDue: Instant | null;
  }>;
}
