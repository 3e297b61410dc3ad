/** Mutants of what is told late, or lands late, as simulated histories found. */
import type { CodeMutant } from "./mutant.ts";

const killedBy = ["test/situations/found-by-simulation-told-late.test.ts"];

export const toldLate: readonly CodeMutant[] = [
  {
    id: "transfer-unheard",
    rule: "What is heard late of an issue's old place makes no record there, though nobody knew of it",
    file: "src/runtime/follow-moves.ts",
    find: "told.length > 0 ? told : await unheardOf(tx, move, from, mapping)",
    replace: "told",
    killedBy,
  },
  {
    id: "transfer-record-stays",
    rule: "Where a record was made of an issue, a lane that has none yet takes its place from nobody",
    file: "src/runtime/follow-moves.ts",
    find: "!(ended || own === null)",
    replace: "!ended",
    killedBy,
  },
];
