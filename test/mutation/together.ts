/** Rules of what is ended together, in the transaction that took it in. */
import type { CodeMutant } from "./mutant.ts";

const file = "src/runtime/work-together.ts";
const killedBy = ["test/situations/together.test.ts"];

export const together: readonly CodeMutant[] = [
  {
    id: "together-reread",
    rule: "What is in doubt is read again, and so worked on alone",
    file,
    find: 'if (recheck.verdict === "reread") return null;',
    replace: "",
    killedBy,
  },
  {
    id: "together-delete",
    rule: "A deletion is carried out alone",
    file,
    find: ' || next.action === "delete"',
    replace: "",
    killedBy,
  },
  {
    id: "together-undrained",
    rule: "Writes that are captured and not drained count in a merge",
    file,
    find: "pending.get(recordId) ?? []",
    replace: "[]",
    killedBy,
  },
  {
    id: "together-one-record",
    rule: "Of several lanes of one record one is merged at a time",
    file,
    find: "const paired = [...first].map(([recordId, item]) => ({ item, recordId }));",
    replace:
      "const paired = begun.flatMap((item) => item.start.lane.recordId === null ? [] : [{ item, recordId: item.start.lane.recordId }]);",
    killedBy,
  },
  {
    id: "together-parent",
    rule: "A child's parent may have got its record in the same transaction",
    file,
    find: "here === undefined ? parent.recordId : here.recordId",
    replace: "parent.recordId",
    killedBy,
  },
  {
    id: "together-returned",
    rule: "A resource that is alive after all brings its record back, alone",
    file,
    find: " || returned !== null || archivedAs !== null",
    replace: "",
    killedBy: ["test/situations/returns.test.ts"],
  },
  {
    id: "together-hooks",
    rule: "Where the app's own code takes part, an event is worked on alone",
    file: "src/runtime/address-book.ts",
    find: "if (derive !== null || apply !== null || afterCommit !== null) return false;",
    replace: "",
    killedBy: ["test/situations/after-commit.test.ts"],
  },
  {
    id: "together-foreign",
    rule: "On a copy of a database nothing is worked on",
    file: "src/runtime/translate-deliveries.ts",
    find: "worker !== null && (await services.instance.foreign()) === null",
    replace: "worker !== null",
    killedBy,
  },
  {
    id: "drain-by-now",
    rule: "The drain compares with base what the row says once the lane is held",
    file: "src/runtime/drain.ts",
    find: "rows.get(target) ?? target.row",
    replace: "target.row",
    killedBy: ["test/runtime/drain.test.ts"],
  },
  {
    id: "together-cut-off",
    rule: "What the database cuts off of a batch is tried alone",
    file: "src/runtime/translate-deliveries.ts",
    find: "worker === null && concernsAll(error)",
    replace: "concernsAll(error)",
    killedBy,
  },
  {
    id: "together-wakes",
    rule: "Who waits for a record is woken by the batch that makes it",
    file,
    find: "await tx.wakeChildren(created.filter((lane) => book.mayHaveChildren(lane)));",
    replace: "",
    killedBy,
  },
];
