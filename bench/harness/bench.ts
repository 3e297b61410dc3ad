/** What the bench is made of: entries that are run in turn, and rows that compare their figures. */
import type { Statement } from "./statements.ts";

/** What a round is run with. */
export interface Setting {
  /** A superuser's URL of a durable Postgres; an entry makes, and drops, a database of its own. */
  readonly adminUrl: string;
  /** Less of everything, for a run of a few minutes. */
  readonly quick: boolean;
  /** The first round: it is not counted, and may check what would disturb a measurement. */
  readonly warmUp: boolean;
  /** Flags for the processes that are measured. */
  readonly nodeFlags: readonly string[];
  /** The share of the work that rows of `length: "long"` take: 1, or less to try them. */
  readonly scale: number;
}

/** One contender at one kind of work. Two entries of one name are the same, and run once a round. */
export interface Entry {
  readonly name: string;
  readonly run: (setting: Setting) => Promise<Outcome>;
}

/** What one run of an entry came to. */
export interface Outcome {
  /** By name, such as `perSecond`, `p99` in milliseconds, or `bytes`. */
  readonly figures: Readonly<Record<string, number>>;
  /** What must not be, in words; each is counted in row 0. */
  readonly faults: readonly string[];
  /** Why it was not run, where that is no fault: what it is made of is not to be had here. */
  readonly skipped?: string;
  /** What the database did for it, where it keeps count. */
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
  /** What it is compared with, and in words; `null` where the figure itself is the result. */
  readonly to: FigureOf | null;
  readonly against: string;
  readonly goal: number;
  /** Whether the goal is the least, or the most, that is good enough. */
  readonly goalIs: "least" | "most";
  /** How many rounds count. Default: as many as the run has. */
  readonly rounds?: number;
  /** `long`: left out of a quick run, which says so. */
  readonly length?: "long";
  /** Run beside it for the reader in the first rounds, except in a quick run; no ratio is theirs. */
  readonly beside?: readonly Entry[];
}
