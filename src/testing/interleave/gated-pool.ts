/** A pool whose statements wait until a scheduler releases them. */
import pg from "pg";
import type { Scheduler } from "./scheduler.ts";
import type { FindWaiting, Session } from "./scheduler.ts";

export interface GatedPool {
  readonly pool: pg.Pool;
  /** The scheduler that releases statements; `null`: they run without waiting. */
  scheduler: Scheduler | null;
  readonly findWaiting: FindWaiting;
  close(): Promise<void>;
}

/** Enough for four actors with two parallel transactions each, and for unscheduled statements. */
const CONNECTIONS = 12;

/** The number of characters of a statement that a trace shows. */
const SHOWN = 60;

export async function openGatedPool(url: string): Promise<GatedPool> {
  const monitor = new pg.Client({ connectionString: url });
  await monitor.connect();
  // A short deadlock time-out, because a history may have several deadlocks.
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    idleTimeoutMillis: 0,
    options: "-c deadlock_timeout=20ms",
  });
  pool.on("error", () => undefined);
  const gated: GatedPool = {
    pool,
    scheduler: null,
    async findWaiting(pids) {
      const { rows } = await monitor.query<{ pid: number }>(
        "select distinct pid from pg_locks where not granted and pid = any ($1)",
        [pids],
      );
      return new Set(rows.map(({ pid }) => pid));
    },
    async close() {
      await pool.end();
      await monitor.end();
    },
  };
  pool.on("connect", (client) => {
    gate(client, gated);
  });
  // All connections are opened now: opening one within a history takes a time that the seed does not control.
  const opening = Array.from({ length: CONNECTIONS }, () => pool.connect());
  for (const client of await Promise.all(opening)) client.release();
  return gated;
}

function gate(client: pg.PoolClient, gated: GatedPool): void {
  const session: Session = { pid: (client as unknown as Served).processID };
  const query = client.query.bind(client) as Query;
  // A cast, because the driver's overloads cannot be repeated here; arguments are passed on unchanged.
  client.query = ((...args: readonly unknown[]) => {
    const { scheduler } = gated;
    // The pool's own queries end in a callback; no actor uses that form.
    if (scheduler === null || typeof args.at(-1) === "function") return query(...args);
    return scheduler.step(session, wordsOf(args[0]), () => query(...args));
  }) as typeof client.query;
}

type Query = (...args: readonly unknown[]) => Promise<unknown>;

/** The driver has this property, but its types lack it. */
interface Served {
  readonly processID: number;
}

/** The first words of a statement for the trace, and whether it commits. */
function wordsOf(asked: unknown): string {
  const text =
    typeof asked === "string" ? asked : (asked as { readonly text?: string } | null)?.text;
  const words = (text ?? "").replaceAll(/\s+/g, " ").trim();
  if (words.length <= SHOWN) return words;
  return `${words.slice(0, SHOWN)} ...${words.endsWith("; commit") ? "; commit" : ""}`;
}
