/** A backfill: everything that exists on both sides of a connection, gone through once, in steps. */
import type { ConnectionId } from "./ids.ts";
import type { Instant } from "./instant.ts";

/**
 * `list`: resources are listed and admitted, page by page. Where a mapping declares what pairs, then
 * `index_records` and `index_resources` note the keys of what has no counterpart, and `pair` joins
 * those that are alone with theirs. `create`: records that are left get a resource.
 */
export type BackfillStep =
  "list" | "index_records" | "index_resources" | "pair" | "create" | "done";

/** A key that several records or resources have: nobody can say which belong together. */
export interface AmbiguousKey {
  /** The key as people read it. */
  readonly label: string;
  readonly records: readonly string[];
  readonly resources: readonly string[];
}

/** The backfill of one resource type of a connection: where it is, and what it has done. */
export interface Backfill {
  readonly connectionId: ConnectionId;
  readonly resourceType: string;
  readonly step: BackfillStep;
  /** Where the step goes on; `null` at its beginning. */
  readonly cursor: string | null;
  /** Whether existing things are paired by a declared key before anything is created. */
  readonly pairs: boolean;
  /** Whether records without a counterpart get one. */
  readonly creates: boolean;
  readonly progress: BackfillProgress;
  readonly startedAt: Instant;
  /** Not before then. */
  readonly runAt: Instant;
  /** Until when a worker has it. */
  readonly leasedUntil: Instant | null;
  readonly finishedAt: Instant | null;
}

export interface BackfillProgress {
  /** Resources that were listed. */
  readonly listed: number;
  /** How many resources there are, as far as the provider tells. */
  readonly expected: number | null;
  /** The latest time of a listed resource. */
  readonly latest: Instant | null;
  readonly paired: number;
  /** Records for which a resource is, or will be, created. */
  readonly created: number;
  readonly ambiguous: readonly AmbiguousKey[];
  /** Of these, the first hundred are named. */
  readonly ambiguousCount: number;
  /** Why it does not go on now, for people. */
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

/** Whether resources and records without a counterpart still wait to be paired. */
export function isPairing({ pairs, step }: Pick<Backfill, "pairs" | "step">): boolean {
  return pairs && step !== "create" && step !== "done";
}
