/** Mutants of what the provider is asked to deliver again (design, section 7). */
import type { CodeMutant } from "./mutant.ts";

const redelivery = "src/engine/redelivery.ts";
const killedBy = ["test/engine/redelivery.test.ts"];

export const redelivering: readonly CodeMutant[] = [
  {
    id: "redelivery-arrived",
    rule: "A webhook that a later attempt brought is not asked for",
    file: redelivery,
    find: "...attempts.filter(({ succeeded }) => succeeded).map(({ deliveryKey }) => deliveryKey),",
    replace: "",
    killedBy,
  },
  {
    id: "redelivery-received",
    rule: "A webhook that the ledger holds is not asked for, whatever the provider believes",
    file: redelivery,
    find: "    ...received,\n",
    replace: "",
    killedBy,
  },
  {
    id: "redelivery-bounded",
    rule: "A webhook is asked for a bounded number of times",
    file: redelivery,
    find: "asks >= MOST_ASKS || now",
    replace: "now",
    killedBy: ["test/situations/redelivery.test.ts"],
  },
  {
    id: "redelivery-counts-on",
    rule: "A reading that overlaps the last one forgets no ask",
    file: redelivery,
    find: "if (known === undefined) {",
    replace: "if (known !== null) {",
    killedBy,
  },
  {
    id: "redelivery-noted",
    rule: "An ask is noted before it leaves, so that a crash asks no more",
    file: "src/runtime/redelivery.ts",
    find: "    await redeliveries.save(logId, [noteAsk(missed, now)]);\n",
    replace: "",
    killedBy: ["test/situations/redelivery.test.ts"],
  },
];
