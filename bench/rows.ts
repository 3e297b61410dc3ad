/** What is compared, and with what goal: each row is a ratio of figures from one run. */
import type { ContenderName } from "./contenders/contenders.ts";
import type { Spread } from "./harness/work.ts";

/** One contender on one kind of work. */
export interface Entry {
  readonly contender: ContenderName;
  readonly spread: Spread;
}

export interface RowPlan {
  readonly id: number;
  readonly name: string;
  readonly of: Entry;
  readonly to: Entry;
  /** The least ratio that is good enough. */
  readonly goal: number;
  readonly against: string;
}

export const ROWS: readonly RowPlan[] = [
  {
    id: 1,
    name: "edits of 1,000 issues, end to end",
    of: { contender: "product", spread: "uniform" },
    to: { contender: "limit", spread: "uniform" },
    goal: 0.85,
    against: "set-based SQL that keeps no rule, batches of 500 on 2 connections",
  },
  {
    id: 2,
    name: "edits of as many issues, end to end",
    of: { contender: "product", spread: "distinct" },
    to: { contender: "limitOne", spread: "distinct" },
    goal: 2.3,
    against: "one commit for each edit, on 16 connections",
  },
  {
    id: 4,
    name: "9 of 10 edits on 10 issues, end to end",
    of: { contender: "product", spread: "hot" },
    to: { contender: "product", spread: "uniform" },
    goal: 0.9,
    against: "its own rate with edits of 1,000 issues",
  },
];

/** Everybody who takes part in a row, once. */
export function entriesOf(rows: readonly RowPlan[]): readonly Entry[] {
  const entries = new Map(rows.flatMap(({ of, to }) => [of, to]).map((one) => [nameOf(one), one]));
  return [...entries.values()];
}

export function nameOf({ contender, spread }: Entry): string {
  return `${contender}, ${spread}`;
}
