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
  {
    id: "own-write-altered",
    rule: "A write of ours that the app's own code altered is told to the drain",
    file,
    find: "if (columns.length > 0) {",
    replace: "if (false) {",
    killedBy: ["test/situations/taken-in.test.ts"],
  },
  {
    id: "own-write-placed",
    rule: "So is one that the app put somewhere else",
    file: "src/runtime/own-writes.ts",
    find: "differing || moved ?",
    replace: "differing ?",
    killedBy: ["test/situations/taken-in.test.ts"],
  },
  {
    id: "own-write-only-lane",
    rule: "A write of ours that concerns another connection too is captured",
    file: "src/runtime/address-book.ts",
    find: "this.#listed.byScope.get(scope)?.length === 1",
    replace: "true",
    killedBy: ["test/situations/taken-in.test.ts"],
  },
  {
    id: "own-write-journal",
    rule: "What an app's trigger writes in answer to ours is captured",
    file: "src/store/postgres/capture-sql.ts",
    find: " or pg_trigger_depth() > 0",
    replace: "",
    killedBy: ["test/situations/own-writes.test.ts"],
  },
  {
    id: "take-in-held",
    rule: "What is delivered to lanes that somebody holds is left for its turn, the whole delivery",
    file: "src/runtime/take-deliveries.ts",
    find: "...(left.has(delivery.id) ? UNREAD : outcomeOf(reading)),",
    replace: "...outcomeOf(reading),",
    killedBy: ["test/situations/taken-in.test.ts"],
  },
  {
    id: "take-in-seen",
    rule: "A delivery that comes twice at once is taken in once",
    file: "src/runtime/take-deliveries.ts",
    find: "seen.add(delivery.deliveryKey);",
    replace: "",
    killedBy: ["test/situations/taken-in.test.ts"],
  },
  {
    id: "take-in-unread",
    rule: "What cannot be read as it comes is stored, and tried again",
    file: "src/runtime/take-deliveries.ts",
    find: `    case "failed":
    case "moved":
    case "containers":
      return UNREAD;`,
    replace: `    case "failed":
    case "moved":
    case "containers":
      return { state: "translated", action: null, reason: null };`,
    killedBy: ["test/situations/taken-in.test.ts"],
  },
  {
    id: "together-refused",
    rule: "What the table refuses is found by halves, and the others are ended together",
    file,
    find: "if (planned.length === 1) return [];",
    replace: "throw error;",
    killedBy: ["test/situations/taken-in.test.ts"],
  },
];
