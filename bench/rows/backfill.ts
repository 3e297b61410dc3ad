/**
 * Row 11: a backfill of all existing issues.
 *
 * The API answers a page in 20 ms, as in row 10; GitHub takes ten times that. Each side runs in its own process,
 * and both list the same pages.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { BackfillAssignment, BackfillWords } from "../backfill/main.ts";
import { type ApiAssignment, titleOf } from "../backfill/issues-api.ts";
import { TASKS } from "../contenders/contender.ts";
import type { Entry, Row, Setting } from "../harness/bench.ts";
import { forgetStatements, statementsOf } from "../harness/statements.ts";
import { withOwnDatabase } from "../harness/own-database.ts";

const API = fileURLToPath(new URL("../backfill/issues-api.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../backfill/main.ts", import.meta.url));
const LATENCY_MS = 20;
const ISSUES = 100_000;

const product = entryOf("product");
const bare = entryOf("bare");

export const BACKFILL: readonly Row[] = [
  {
    ...{ id: 11, name: "backfill of 100,000 issues", length: "long", rounds: 3 },
    of: { entry: product, figure: "perSecond" },
    to: { entry: bare, figure: "perSecond" },
    against: "a loop that fetches the same pages and copies them in",
    goal: 0.8,
    goalIs: "least",
  },
  {
    ...{ id: 11, name: "backfill: most memory over idle, in MB", length: "long", rounds: 3 },
    of: { entry: product, figure: "memory" },
    to: null,
    against: "the same process before it began",
    goal: 150,
    goalIs: "most",
  },
];

function entryOf(side: BackfillAssignment["side"]): Entry {
  const name = `backfill, ${side}`;
  return {
    name,
    run: (setting) =>
      withOwnDatabase(setting.adminUrl, `bench_backfill_${side}`, async ({ url, pool, admin }) => {
        const issues = sizeOf(setting);
        await pool.query(TASKS);
        const { base, list } = await startApi({ issues, latency: LATENCY_MS });
        await forgetStatements(admin);
        try {
          const flags = [...setting.nodeFlags, "--expose-gc"];
          const child = fork(MAIN, { execArgv: flags });
          const ended = once(child, "exit");
          const lost = ended.then(() => {
            throw new Error("the process of the backfill ended without a result");
          });
          lost.catch(() => undefined);
          child.send({ side, url, base: base.url, list } satisfies BackfillAssignment);
          const [words] = (await Promise.race([once(child, "message"), lost])) as [BackfillWords];
          await ended;
          const { rows } = await pool.query<{ tasks: string; last: string }>(
            "select count(*) as tasks, count(*) filter (where title = $1) as last from tasks",
            [titleOf(issues)],
          );
          const isWhole = Number(rows[0]?.tasks) === issues && Number(rows[0]?.last) === 1;
          return {
            figures: {
              perSecond: issues / words.seconds,
              cpuPerIssue: words.cpu / issues,
              memory: words.memory,
            },
            statements: await statementsOf(pool),
            faults: isWhole ? [] : [`${name}: ${rows[0]?.tasks ?? ""} of ${String(issues)} tasks`],
          };
        } finally {
          base.stop();
        }
      }),
  };
}

function sizeOf({ scale, warmUp }: Setting): number {
  return Math.max(1_000, ISSUES * scale * (warmUp ? 0.05 : 1));
}

async function startApi(assignment: ApiAssignment) {
  const api = fork(API);
  api.send(assignment);
  const [told] = (await once(api, "message")) as [{ readonly base: string; readonly list: string }];
  const stop = () => void api.kill("SIGKILL");
  return { base: { url: told.base, stop }, list: told.list };
}
