/** Webhooks that were refused, counted by the minute: anybody can send one, so none has a row of its own. */
import type { Instant } from "../model/instant.ts";

/** Counts stay for a week. */
export const REFUSALS_KEPT_MS = 7 * 24 * 3_600_000;

/** Refused for one cause. */
export interface Refusals {
  /** `unknown` where no integration has the name that was asked for. */
  readonly integration: string;
  /** Such as `signature_mismatch`. */
  readonly code: string;
  readonly count: number;
}

/** Over some time. */
export interface CountedRefusals extends Refusals {
  /** The last minute that had one. */
  readonly lastAt: Instant;
}

export interface RefusalStore {
  /** Adds to the counts of this minute, and removes those that are too old. */
  add(refusals: readonly Refusals[]): Promise<void>;
  /** Since a minute, one for each cause, the most frequent first. */
  since(at: Instant): Promise<readonly CountedRefusals[]>;
}
