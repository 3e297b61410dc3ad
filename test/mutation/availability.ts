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
  {
    id: "memory-in-flight",
    rule: "Bodies of requests under way share one budget of bytes",
    file: "src/server/byte-budget.ts",
    find: "if (released || held + bytes > limit) {",
    replace: "if (released) {",
    killedBy: ["test/server/byte-budget.test.ts"],
  },
  {
    id: "memory-slow-body",
    rule: "... and one that comes too slowly gives its room back",
    file: "src/server/handler.ts",
    find: "const body = await inTime(clock, BODY_MS, reading, () => new SlowBodyError());",
    replace: "const body = await reading;",
    killedBy: ["test/server/byte-budget.test.ts"],
  },
  {
    id: "memory-batch",
    rule: "A batch of deliveries holds only so many bytes",
    file: "src/store/memory/deliveries.ts",
    find: "const fits = read < bytes;",
    replace: "const fits = true;",
    killedBy: ["test/store/memory-store.test.ts"],
  },
  {
    id: "poll-failure-told",
    rule: "A poll that failed is no poll: the connection says why, and when one last came through",
    file: "src/runtime/poll.ts",
    find: "    pollError: tell(thrown).error,\n",
    replace: "    polledWellAt: now,\n",
    killedBy: ["test/situations/poll-failing.test.ts"],
  },
  {
    id: "refused-counted",
    rule: "A webhook that is refused is counted, by its cause",
    file: "src/server/handler.ts",
    find: "    metrics.refused(integration, code);\n",
    replace: "",
    killedBy: ["test/server/metrics.test.ts"],
  },
  {
    id: "refused-bounded",
    rule: "... under no name that a stranger made up",
    file: "src/server/metrics.ts",
    find: 'core.services.integrations.has(integration) ? integration : "unknown"',
    replace: "integration",
    killedBy: ["test/server/metrics.test.ts"],
  },
];
