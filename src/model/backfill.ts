/** A backfill: the first listing of a connection, which visits everything on both sides once, in steps. */
import type { ConnectionId } from "./ids.ts";
import type { Instant } from "./instant.ts";

/**
 * `list`: resources are listed and admitted, page by page. If the mapping declares a pairing key, `index_records` and
 * `index_resources` then note the keys of everything without a counterpart, and `pair` joins those whose key is
 * unique on both sides. `create`: the remaining records get a resource.
 */
export type BackfillStep =
  "list" | "index_records" | "index_resources" | "pair" | "create" | "done";

/** A key that several records or resources share, so that Tandem cannot decide which to pair. */
export interface AmbiguousKey {
  /** The key as people read it. */
  readonly label: string;
  readonly records: readonly string[];
  readonly resources: readonly string[];
}

/** The backfill of one resource type of a connection: its step and its progress. */
export interface Backfill {
  readonly connectionId: ConnectionId;
  readonly resourceType: string;
  readonly step: BackfillStep;
  /** The point at which the step continues; `null` at its beginning. */
  readonly cursor: string | null;
  /** Whether existing records and resources are paired by a declared key before anything is created. */
  readonly pairs: boolean;
  /** Whether a resource is created for each record without a counterpart. */
  readonly creates: boolean;
  readonly progress: BackfillProgress;
  readonly startedAt: Instant;
  /** When the next step may run. */
  readonly runAt: Instant;
  /** The end of the worker's lease; `null`: no worker runs it. */
  readonly leasedUntil: Instant | null;
  readonly finishedAt: Instant | null;
}

export interface BackfillProgress {
  /** The number of resources that were listed. */
  readonly listed: number;
  /** The number of resources to list, if the provider reports it. */
  readonly expected: number | null;
  /** The latest time of a listed resource. */
  readonly latest: Instant | null;
  readonly paired: number;
  /** Records for which a resource is, or will be, created. */
  readonly created: number;
  readonly ambiguous: readonly AmbiguousKey[];
  /** The number of ambiguous keys; `ambiguous` holds only the first hundred. */
  readonly ambiguousCount: number;
  /** Why the backfill waits, for people; `null`: it does not wait. */
  readonly waitsFor: string | null;
}

export const NO_PROGRESS: BackfillProgress = {
  listed: 0,
  expected: null,
  latest: null,
  paired: 0,
  created: 0,
  ambiguous: [],
  ambiguousCount: 0,
  waitsFor: null,
};

/** Whether unpaired resources and records still wait for the pairing steps. */
export function isPairing({ pairs, step }: Pick<Backfill, "pairs" | "step">): boolean {
  return pairs && step !== "create" && step !== "done";
}
