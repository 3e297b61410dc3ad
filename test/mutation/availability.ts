/** Mutants of what keeps a process at its work, whatever is asked of it and whoever is away. */
import type { CodeMutant } from "./mutant.ts";

const feed = "src/server/ledger-feed.ts";
const feedTests = ["test/server/ledger-feed.test.ts"];

export const availability: readonly CodeMutant[] = [
  {
    id: "streams-bounded",
    rule: "Beyond a number of open event streams no more are served",
    file: feed,
    find: "if (readers.size + opening >= mostStreams) return refuse(mostStreams);",
    replace: "",
    killedBy: feedTests,
  },
  {
    id: "streams-one-look",
    rule: "... all of them are served by one look at the ledger",
    file: feed,
    find: "if (readers.size > 0 && inSight !== null) return inSight;",
    replace: "",
    killedBy: feedTests,
  },
  {
    id: "streams-taken",
    rule: "... and one that takes nothing is ended",
    file: feed,
    find: "if (now - takenAt > PATIENCE_MS * 1_000) reader.end();",
    replace: "if (now - takenAt > Infinity) reader.end();",
    killedBy: feedTests,
  },
];
