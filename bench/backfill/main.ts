/** One side of the comparison in its own process, so that its memory can be measured. */
import pg from "pg";
import { pino } from "pino";
import { createTandem } from "../../src/server/tandem.ts";
import { statusOf } from "../contenders/contender.ts";
import { syncedTasks } from "../contenders/synced-tasks.ts";
import { REPOSITORY_ID } from "../harness/work.ts";
import { copyIn, copyValue } from "./copy-in.ts";

export interface BackfillAssignment {
  readonly side: "product" | "bare";
  readonly url: string;
  readonly base: string;
  readonly list: string;
}

/** The final message of a side. */
export interface BackfillWords {
  readonly seconds: number;
  /** Microseconds of CPU of its process. */
  readonly cpu: number;
  /** The most MB that its process used beyond its idle size. */
  readonly memory: number;
}

const LOOK_MS = 100;

process.once("message", (assignment: BackfillAssignment) => {
  void (assignment.side === "product" ? product(assignment) : bare(assignment))
    .then((words) => process.send?.(words))
    .finally(() => process.disconnect());
});

async function product({ url, base }: BackfillAssignment): Promise<BackfillWords> {
  const tandem = await createTandem(syncedTasks(url), { log: pino({ level: "warn", base: null }) });
  await tandem.migrate();
  const { directory } = tandem.services.store;
  const accountId = await directory.saveAccount({
    ...{ integration: "github", name: "bench", webhookSecrets: [] },
    credentials: { token: "ghp_bench", baseUrl: base },
  });
  const connection = await directory.saveConnection({
    ...{ accountId, integration: "github", scope: "1" },
    ...{ containerId: String(REPOSITORY_ID), containerName: "acme/site" },
  });
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  // Keeps polls and sweeps out of the measured time.
  await pool.query("update tandem.connections set polled_at = now(), swept_at = now()");
  const day = 24 * 3_600_000;
  const worker = tandem.startWorker({ pollMillis: day, sweepMillis: day });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const words = await measure(async () => {
    await tandem.backfill(connection);
    worker.wake();
    for (;;) {
      const { rows } = await pool.query<{ done: boolean }>(
        `select bool_and(finished_at is not null) and not exists (select from tandem.events_live)
           as done
         from tandem.backfills`,
      );
      if (rows[0]?.done === true) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  });
  await tandem.stop();
  await pool.end();
  return words;
}

interface Listed {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: "open" | "closed";
  readonly updated_at: string;
}

/** The script of a developer who wants to copy the issues once: page after page. */
async function bare({ url, list }: BackfillAssignment): Promise<BackfillWords> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const words = await measure(async () => {
    let next: string | null = `${list}?state=all&sort=updated&direction=asc&per_page=100`;
    while (next !== null) {
      const answer: Response = await fetch(next);
      const issues = (await answer.json()) as readonly Listed[];
      const lines = issues.map(({ title, body, state, updated_at: at }) =>
        ["1", copyValue(title), copyValue(body), statusOf(state), at].join("\t"),
      );
      const columns = "project_id, title, markdown, status, modified_at";
      await copyIn(client, `copy tasks (${columns}) from stdin`, `${lines.join("\n")}\n`);
      next = /<([^<>]*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1] ?? null;
    }
  });
  await client.end();
  return words;
}

async function measure(work: () => Promise<void>): Promise<BackfillWords> {
  globalThis.gc?.();
  const idle = process.memoryUsage().rss;
  let most = idle;
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, LOOK_MS);
  const before = process.cpuUsage();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  clearInterval(looking);
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpu: user + system, memory: (most - idle) / 2 ** 20 };
}
