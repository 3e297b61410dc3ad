/** One run of one contender: a database of its own, its processes, the time it took, its outcome. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type Audit, watchTasks } from "../contenders/contender.ts";
import { CONTENDERS, type ContenderName } from "../contenders/contenders.ts";
import type { Assignment, LastWords } from "../contenders/main.ts";
import type { Setting } from "./bench.ts";
import { forgetStatements, type Statement, statementsOf } from "./statements.ts";
import { makeWork, type WorkOptions } from "./work.ts";

const PROGRAM = fileURLToPath(new URL("../contenders/main.ts", import.meta.url));
const PROCESSES = 2;
const LOOK_MS = 20;

export interface Run {
  readonly perSecond: number;
  readonly audit: Audit;
  /** Bytes of write-ahead log for each edit. */
  readonly walPerEdit: number;
  /** Requests that left for the API. */
  readonly calls: number;
  /** Microseconds of CPU that its processes took for each edit, beside what the database took. */
  readonly cpuPerEdit: number;
  /** What the database did for it, where it keeps count. */
  readonly statements: readonly Statement[];
}

export async function runContender(
  { adminUrl, warmUp, nodeFlags }: Setting,
  contender: ContenderName,
  work: WorkOptions,
  batch: number,
): Promise<Run> {
  const database = `bench_${contender.toLowerCase()}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`drop database if exists ${database} with (force)`);
  await admin.query(`create database ${database}`);
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  // What is left of a connection when its database is dropped is no matter.
  pool.on("error", () => undefined);
  const children: ChildProcess[] = [];
  try {
    const { setUp, left, audit } = CONTENDERS[contender];
    await setUp(pool);
    if (warmUp) await watchTasks(pool);
    for (let place = 0; place < PROCESSES; place += 1) {
      const child = fork(PROGRAM, { execArgv: ["--import", "jiti/register", ...nodeFlags] });
      children.push(child);
      const assignment: Assignment = {
        ...{ contender, url: url.href, work, batch },
        ...{ process: place, processes: PROCESSES },
      };
      child.send(assignment);
    }
    await Promise.all(children.map((child) => heard(child, "ready")));
    await admin.query("checkpoint");
    await forgetStatements(admin);
    const before = await walPosition(admin);
    const started = performance.now();
    for (const child of children) child.send("go");
    await Promise.all(children.map((child) => heard(child, "done")));
    if (left !== undefined) while ((await left(pool)) > 0) await delay(LOOK_MS);
    const seconds = (performance.now() - started) / 1_000;
    const wal = Number((await walPosition(admin)) - before);
    for (const child of children) child.send("stop");
    const told = await Promise.all(children.map(lastWordsOf));
    return {
      perSecond: work.events / seconds,
      audit: await audit(pool, makeWork(work)),
      walPerEdit: wal / work.events,
      calls: told.reduce((sum, { calls }) => sum + calls, 0),
      statements: await statementsOf(pool),
      cpuPerEdit: told.reduce((sum, { cpu }) => sum + cpu, 0) / work.events,
    };
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
    await pool.end();
    await admin.query(`drop database if exists ${database} with (force)`);
    await admin.end();
  }
}

async function heard(child: ChildProcess, what: "ready" | "done"): Promise<void> {
  const ended = once(child, "exit").then(() => {
    throw new Error(`a process of the bench ended before it was ${what}`);
  });
  ended.catch(() => undefined);
  for (;;) {
    const [said] = (await Promise.race([once(child, "message"), ended])) as [unknown];
    if (said === what) return;
  }
}

async function lastWordsOf(child: ChildProcess): Promise<LastWords> {
  const ended = once(child, "exit");
  const [words] = (await once(child, "message")) as [LastWords];
  await ended;
  return words;
}

async function walPosition(client: pg.Client): Promise<bigint> {
  const { rows } = await client.query<{ at: string }>(
    "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text as at",
  );
  return BigInt(rows[0]?.at ?? "0");
}
