/** Rows 1, 2 and 4: the whole path of an edit, from a verified delivery to the app's row. */
import type { ContenderName } from "../contenders/contenders.ts";
import type { Entry, Row, Setting } from "../harness/bench.ts";
import { faultsOf, runContender } from "../harness/run-contender.ts";
import type { Spread } from "../harness/work.ts";

/** The number of edits in a batch. */
export const BATCH = 500;

export const bytes = 2_048;

export const DELIVERIES: readonly Row[] = [
  {
    id: 1,
    name: "edits of 1,000 issues, end to end",
    of: rateOf("product", "uniform"),
    to: rateOf("limit", "uniform"),
    against: "set-based SQL that keeps no rule, batches of 500 on 2 connections",
    goal: 0.85,
    goalIs: "least",
  },
  {
    id: 2,
    name: "edits of as many issues, end to end",
    of: rateOf("product", "distinct"),
    to: rateOf("limitOne", "distinct"),
    against: "one commit for each edit, on 16 connections",
    goal: 2.3,
    goalIs: "least",
  },
  {
    id: 4,
    name: "9 of 10 edits on 10 issues, end to end",
    of: rateOf("product", "hot"),
    to: rateOf("product", "uniform"),
    against: "its own rate with edits of 1,000 issues",
    goal: 0.9,
    goalIs: "least",
  },
];

/** The rate at which a contender handles edits. */
export function rateOf(contender: ContenderName, spread: Spread) {
  return { entry: entryOf(contender, spread), figure: "perSecond" };
}

function entryOf(contender: ContenderName, spread: Spread): Entry {
  const name = `${contender}, ${spread}`;
  return {
    name,
    async run(setting: Setting) {
      const work = { spread, events: setting.quick ? 4_000 : 20_000, bytes };
      const run = await runContender(setting, contender, work, BATCH);
      const { perSecond, walPerEdit, cpuPerEdit, statements } = run;
      const writesPerEdit = run.audit.writesPerEdit ?? NaN;
      return {
        figures: { perSecond, walPerEdit, cpuPerEdit, writesPerEdit },
        faults: faultsOf(name, run),
        statements,
      };
    },
  };
}
