/** The parts of the bench: entries that run in turn, and rows that compare their figures. */
import type { Statement } from "./statements.ts";

/** The settings of a round. */
export interface Setting {
  /** A superuser's URL of a durable Postgres; an entry creates, and drops, a database of its own. */
  readonly adminUrl: string;
  /** Less work, for a run of a few minutes. */
  readonly quick: boolean;
  /** The first round: it is not counted, and may run checks that would disturb a measurement. */
  readonly warmUp: boolean;
  /** Flags for the measured processes. */
  readonly nodeFlags: readonly string[];
  /** The share of work for rows of `length: "long"`: 1, or less to try them. */
  readonly scale: number;
}

/** One contender with one kind of work. Two entries with one name are the same, and run once a round. */
export interface Entry {
  readonly name: string;
  readonly run: (setting: Setting) => Promise<Outcome>;
}

/** The result of one run of an entry. */
export interface Outcome {
  /** By name, such as `perSecond`, `p99` in milliseconds, or `bytes`. */
  readonly figures: Readonly<Record<string, number>>;
  /** Wrong results, in words; row 0 counts them. */
  readonly faults: readonly string[];
  /** Why the entry did not run although that is no fault, such as a missing program. */
  readonly skipped?: string;
  /** The database's statistics for it, if the database keeps them. */
  readonly statements?: readonly Statement[];
}

/** One figure of one entry. */
export interface FigureOf {
  readonly entry: Entry;
  readonly figure: string;
}

/** A line of the report: a ratio of two figures of one round. */
export interface Row {
  readonly id: number;
  readonly name: string;
  readonly of: FigureOf;
  /** The figure that it is compared with, and its description; `null` if the figure itself is the result. */
  readonly to: FigureOf | null;
  readonly against: string;
  readonly goal: number;
  /** Whether the goal is a minimum or a maximum. */
  readonly goalIs: "least" | "most";
  /** The number of rounds that count. Default: all of the run. */
  readonly rounds?: number;
  /** `long`: left out of a quick run, which says so. */
  readonly length?: "long";
  /** Entries that run for the reader's information in the first rounds, except in a quick run; without a ratio. */
  readonly beside?: readonly Entry[];
}
