/** A run that was stopped before it could do harm, and what it would do. */
import type { ConnectionId } from "./ids.ts";
import type { Instant } from "./instant.ts";

export const RUN_KINDS = ["id_sweep", "local_sweep", "reconcile", "backfill"] as const;

export type RunKind = (typeof RUN_KINDS)[number];

/** What a run is about to do to a connection's records and their resources. */
export interface Outlook {
  /** Records or resources that would be deleted, closed, archived or let go of. */
  readonly deletes: number;
  /** Records or resources whose content would be replaced. */
  readonly overwrites: number;
  /** How many pairings the connection has. */
  readonly records: number;
}

/** One thing that a run is about to do. */
export interface AffectedRecord {
  readonly what: "delete" | "overwrite";
  readonly recordType: string;
  readonly recordId: string | null;
  readonly resourceType: string;
  readonly externalId: string | null;
}

export interface HeldRun {
  readonly id: string;
  readonly connectionId: ConnectionId;
  readonly kind: RunKind;
  /** `approved`: it goes on at the next look, for as much as was approved. */
  readonly state: "held" | "approved" | "rejected";
  readonly outlook: Outlook;
  /** The first of what it would do. */
  readonly sample: readonly AffectedRecord[];
  /** When it was first held. */
  readonly since: Instant;
}

/** How a held run ends: it was carried out, or was found to be wrong when looked at again. */
export type RunEnd = "done" | "withdrawn";
