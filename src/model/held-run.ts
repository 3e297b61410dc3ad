/** A run over its blast radius: it is held until a person decides, and shows what it would do. */
import type { ConnectionId } from "./ids.ts";
import type { Instant } from "./instant.ts";

export const RUN_KINDS = ["id_sweep", "local_sweep", "reconcile", "backfill"] as const;

export type RunKind = (typeof RUN_KINDS)[number];

/** The number of deletions and overwrites that a run is about to make in a connection. */
export interface Outlook {
  /** Records or resources that would be deleted, closed, archived or detached. */
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
  /** `approved`: the next run of this kind executes it, up to the numbers that were approved. */
  readonly state: "held" | "approved" | "rejected";
  readonly outlook: Outlook;
  /** The first records that it would change. */
  readonly sample: readonly AffectedRecord[];
  /** When it was first held. */
  readonly since: Instant;
}

/** How a held run ends: it was executed, or a later run of its kind was within the blast radius. */
export type RunEnd = "done" | "withdrawn";
