/** Mutants of answers to edits that are taken in together. */
import type { CodeMutant } from "./mutant.ts";

export const answering: readonly CodeMutant[] = [
  {
    id: "answers-gathered",
    rule: "Answers that come while one is taken in are taken in together",
    file: "src/runtime/services/micro-batch.ts",
    find: "const batch = waiting.splice(0, MOST);",
    replace: "const batch = waiting.splice(0, 1);",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
  {
    id: "answers-lost-claim",
    rule: "Of answers that are taken in together, one whose claim is lost writes nothing",
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
    rule: "What fails together is tried alone",
    file: "src/runtime/outbound/patch-responses.ts",
    find: "if (answers.some(({ signal }) => signal.aborted)) throw error;",
    replace: "throw error;",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
  {
    id: "answers-killed",
    rule: "Who is killed while answers are taken in together tries nothing again",
    file: "src/runtime/outbound/patch-responses.ts",
    find: "if (answers.some(({ signal }) => signal.aborted)) throw error;",
    replace: "",
    killedBy: ["test/situations/outbound/answered-batch.test.ts"],
  },
];
