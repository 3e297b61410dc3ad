/** Mutants of answers to edits that are merged as a batch. */
import type { CodeMutant } from "./mutant.ts";

export const answering: readonly CodeMutant[] = [
  {
    id: "answers-gathered",
    rule: "Answers that arrive while another is being merged form a batch",
    file: "src/runtime/services/micro-batch.ts",
    find: "const batch = waiting.splice(0, MOST);",
    replace: "const batch = waiting.splice(0, 1);",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
  {
    id: "answers-lost-claim",
    rule: "An answer in a batch whose claim is lost writes nothing",
    file: "src/runtime/claims/lease.ts",
    find: "const event = holdsClaim(lane, claimed) ? processing(lane) : null;",
    replace: "const event = processing(lane);",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
  {
    id: "answers-into-record",
    rule: "An answer that brings what the record does not have is written into it",
    file: "src/runtime/outbound/patch-responses.ts",
    find: "if (!leavesRow(planned)) return null;",
    replace: "",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
  {
    id: "answers-alone",
    rule: "Answers that fail as a batch are retried one by one",
    file: "src/runtime/outbound/patch-responses.ts",
    find: "if (answers.some(({ signal }) => signal.aborted)) throw error;",
    replace: "throw error;",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
  {
    id: "answers-killed",
    rule: "A worker that is killed while it merges answers retries nothing",
    file: "src/runtime/outbound/patch-responses.ts",
    find: "if (answers.some(({ signal }) => signal.aborted)) throw error;",
    replace: "",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
];
