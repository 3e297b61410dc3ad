/** Row 12: one issue whose edits the app refuses, and one account with a slow API, delay no others. */
import { ACCOUNTS } from "../contenders/accounts.ts";
import { peerEntry } from "../contenders/peer.ts";
import type { ContenderName } from "../contenders/contenders.ts";
import type { Entry, Row } from "../harness/bench.ts";
import { faultsOf, runContender } from "../harness/run-contender.ts";

/** One edit in 20 is for the poisoned issue: 25 in each batch. */
const POISONED = 20;

export const ISOLATION: readonly Row[] = [
  {
    id: 12,
    name: "the others' edits beside one issue whose edits are refused",
    of: { entry: poisonedEntry("productPoisoned", "product, one poisoned"), figure: "perSecond" },
    to: { entry: poisonedEntry("product", "product, none refused"), figure: "perSecond" },
    against: "the same edits, none of them refused",
    goal: 0.95,
    goalIs: "least",
    beside: [true, false].map((refused) =>
      peerEntry("pg-boss strict fifo", "uniform", { poisoned: POISONED, refused }),
    ),
  },
  {
    id: 12,
    name: "three accounts' edits beside one whose API answers after 2 s",
    of: { entry: accountsEntry("slowAccount", "product, one slow account"), figure: "perSecond" },
    to: { entry: accountsEntry("evenAccounts", "product, no slow account"), figure: "perSecond" },
    against: "the same edits, all APIs answering at once",
    goal: 0.95,
    goalIs: "least",
  },
];

function accountsEntry(contender: ContenderName, name: string): Entry {
  return {
    name,
    async run(setting) {
      // Enough work that the start and the end, when all accounts are active, hardly matter.
      const events = setting.quick ? 400 : 4_000;
      const work = { spread: "distinct", events, bytes: 1_024 } as const;
      const run = await runContender(setting, contender, work, events);
      const { cpuPerEdit, calls, statements } = run;
      // The slow account's own edits are not measured.
      const perSecond = (run.perSecond * (ACCOUNTS - 1)) / ACCOUNTS;
      return { figures: { perSecond, cpuPerEdit, calls }, faults: faultsOf(name, run), statements };
    },
  };
}

function poisonedEntry(contender: ContenderName, name: string): Entry {
  return {
    name,
    async run(setting) {
      const events = setting.quick ? 2_000 : 20_000;
      const work = { spread: "uniform", events, bytes: 2_048, poisoned: POISONED } as const;
      const run = await runContender(setting, contender, work, 500, true);
      const { perSecond, walPerEdit, cpuPerEdit, statements } = run;
      return {
        figures: { perSecond, walPerEdit, cpuPerEdit },
        faults: faultsOf(name, run),
        statements,
      };
    },
  };
}
