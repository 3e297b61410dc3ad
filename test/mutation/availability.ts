/** Mutants of what keeps a process at its work, whatever is asked of it and whoever is away. */
import type { CodeMutant } from "./mutant.ts";

const feed = "src/server/ledger-feed.ts";
const silence = "src/store/postgres/pg-silence.ts";
const silentTests = ["test/store/silent-database.test.ts"];
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
  {
    id: "silence-distrusted",
    rule: "Where one connection to the database fell silent, older ones are not used again",
    file: silence,
    find: "    distrust();\n    hangUp",
    replace: "    hangUp",
    killedBy: silentTests,
  },
  {
    id: "silence-patient",
    rule: "Migrations are waited for longer than other statements",
    file: "src/store/postgres/pg-database.ts",
    find: "within(Math.max(PATIENT_MS, patience.answerMillis))",
    replace: "within(patience.answerMillis)",
    killedBy: silentTests,
  },
  {
    id: "silence-heartbeat",
    rule: "A connection that only listens is asked for a sign of life",
    file: "src/store/postgres/pg-listen.ts",
    find: 'await ask(opened, "select");',
    replace: "",
    killedBy: silentTests,
  },
  {
    id: "silence-receiver",
    rule: "A webhook that cannot be stored is refused before its sender loses patience",
    file: "src/server/handler.ts",
    find: "const RECEIVE_MS = 8_000;",
    replace: "const RECEIVE_MS = 80_000;",
    killedBy: ["test/situations/silent-database.test.ts"],
  },
];
