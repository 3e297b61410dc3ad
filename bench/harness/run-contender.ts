/** One run of one contender: its own database, its processes, its duration, its result. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type Audit, type Judged, watchTasks } from "../contenders/contender.ts";
import { CONTENDERS, type ContenderName } from "../contenders/contenders.ts";
import type { Setting } from "./bench.ts";
import type { Assignment, LastWords, Progress } from "./process.ts";
import { forgetStatements, type Statement, statementsOf } from "./statements.ts";
import { makeWork, type WorkOptions } from "./work.ts";

const PROCESSES = 2;
const LOOK_MS = 20;

/** The program of a contender's processes. It calls `serve`. */
export interface Program {
  readonly file: string;
  /** The Node that runs it. */
  readonly node: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Hides its expected log. Otherwise its log goes to standard error, because output is for `--json`. */
  readonly quiet?: boolean;
}

export const OWN_PROGRAM: Program = {
  file: fileURLToPath(new URL("../contenders/main.ts", import.meta.url)),
  node: process.execPath,
  flags: [],
};

/** A contender for the harness, with any program. */
export interface Contestant extends Judged {
  readonly name: string;
  readonly program: Program;
  /**
   * Its processes report how many edits they have handled. It ends when all are handled, or after this many
   * milliseconds; its rate is then that of the handled edits.
   */
  readonly patienceMs?: number;
  /** The number of edits that it will handle, if some are refused permanently. Default: all. */
  readonly due?: number;
}

export interface Run {
  readonly perSecond: number;
  /** Edits that have their outcome: fewer than all after a time-out. */
  readonly handled: number;
  readonly audit: Audit;
  /** Bytes of write-ahead log per edit. */
  readonly walPerEdit: number;
  /** Requests that were sent to the API. */
  readonly calls: number;
  /** Microseconds of CPU of its processes per edit, without those of the database. */
  readonly cpuPerEdit: number;
  /** The database's statistics for it, if the database keeps them. */
  readonly statements: readonly Statement[];
}

export function runContender(
  setting: Setting,
  contender: ContenderName,
  work: WorkOptions,
  batch: number,
  quiet = false,
): Promise<Run> {
  const program = { ...OWN_PROGRAM, quiet };
  const contestant = { name: contender, program, ...CONTENDERS[contender] };
  return runContestant(setting, contestant, work, batch);
}

export async function runContestant(
  { adminUrl, warmUp, nodeFlags }: Setting,
  contestant: Contestant,
  work: WorkOptions,
  batch: number,
): Promise<Run> {
  const { name, program, patienceMs, due = work.events } = contestant;
  const database = `bench_${name.toLowerCase().replaceAll(/\W+/g, "_")}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`drop database if exists ${database} with (force)`);
  await admin.query(`create database ${database}`);
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  // Dropping the database breaks this pool's connections, which no longer matters.
  pool.on("error", () => undefined);
  const children: ChildProcess[] = [];
  const edits = makeWork(work);
  const told = new Map<ChildProcess, number>();
  try {
    const { setUp, left, audit } = contestant;
    await setUp(pool, edits);
    if (warmUp) await watchTasks(pool);
    for (let place = 0; place < PROCESSES; place += 1) {
      const child = start(program, nodeFlags);
      children.push(child);
      child.on("message", (said) => {
        if (isProgress(said)) told.set(child, said.handled);
      });
      const assignment: Assignment = {
        ...{ contender: name, url: url.href, work, batch },
        ...{ process: place, processes: PROCESSES },
      };
      child.send(assignment);
    }
    await Promise.all(children.map((child) => heard(child, isReady)));
    await admin.query("checkpoint");
    await forgetStatements(admin);
    const before = await walPosition(admin);
    const started = performance.now();
    for (const child of children) child.send("go");
    const done = Promise.all(children.map((child) => heard(child, isDone)));
    let handled = work.events;
    if (patienceMs === undefined) {
      await done;
      if (left !== undefined) while ((await left(pool)) > 0) await delay(LOOK_MS);
    } else {
      const end = started + patienceMs;
      const failures: unknown[] = [];
      done.catch((error: unknown) => failures.push(error));
      do {
        await delay(LOOK_MS);
        if (failures.length > 0) await done;
        handled = [...told.values()].reduce((sum, each) => sum + each, 0);
      } while (handled < due && performance.now() < end);
    }
    const seconds = (performance.now() - started) / 1_000;
    const wal = Number((await walPosition(admin)) - before);
    const ended = Promise.all(children.map((child) => once(child, "exit")));
    for (const child of children) child.send("stop");
    const words = await Promise.all(children.map((child) => heard(child, isLastWords)));
    await ended;
    return {
      perSecond: handled / seconds,
      handled,
      audit: await audit(pool, edits),
      walPerEdit: wal / handled,
      calls: words.reduce((sum, { calls }) => sum + calls, 0),
      statements: await statementsOf(pool),
      cpuPerEdit: words.reduce((sum, { cpu }) => sum + cpu, 0) / handled,
    };
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
    await pool.end();
    await admin.query(`drop database if exists ${database} with (force)`);
    await admin.end();
  }
}

/** The wrong results that an audit found, in words. */
export function faultsOf(name: string, { audit }: Run): readonly string[] {
  const { overlaps, inversions, stuck, wrong } = audit;
  return Object.entries({ overlaps, inversions, stuck, wrong })
    .filter(([, count]) => count !== 0)
    .map(([what, count]) => `${name}: ${String(count)} ${what}`);
}

function start(
  { file, node, flags, env, quiet }: Program,
  nodeFlags: readonly string[],
): ChildProcess {
  return fork(file, {
    execPath: node,
    execArgv: [...flags, ...nodeFlags],
    env: { ...process.env, ...env },
    stdio: ["ignore", quiet === true ? "ignore" : process.stderr.fd, process.stderr.fd, "ipc"],
  });
}

/** Waits for a kind of message. A process that ends without sending it has failed. */
function heard<Said>(child: ChildProcess, isIt: (said: unknown) => said is Said): Promise<Said> {
  return new Promise((resolve, reject) => {
    child.on("message", (said) => {
      if (isIt(said)) resolve(said);
    });
    child.once("exit", () => {
      reject(new Error("a process of the bench ended before its time"));
    });
  });
}

function isReady(said: unknown): said is "ready" {
  return said === "ready";
}

function isDone(said: unknown): said is "done" {
  return said === "done";
}

function isProgress(said: unknown): said is Progress {
  return typeof said === "object" && said !== null && "handled" in said;
}

function isLastWords(said: unknown): said is LastWords {
  return typeof said === "object" && said !== null && "cpu" in said;
}

async function walPosition(client: pg.Client): Promise<bigint> {
  const { rows } = await client.query<{ at: string }>(
    "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text as at",
  );
  return BigInt(rows[0]?.at ?? "0");
}
