/** A pool whose statements stop before they run, while a scheduler says when. */
import pg from "pg";
import type { Scheduler } from "./scheduler.ts";
import type { FindWaiting, Session } from "./scheduler.ts";

export interface GatedPool {
  readonly pool: pg.Pool;
  /** Who says when statements run; `null`: they run at once. */
  scheduler: Scheduler | null;
  readonly findWaiting: FindWaiting;
  close(): Promise<void>;
}

/** Enough for four actors, each with two transactions at once, and for what nobody schedules. */
const CONNECTIONS = 12;

/** So many characters of a statement are shown. */
const SHOWN = 60;

export async function openGatedPool(url: string): Promise<GatedPool> {
  const monitor = new pg.Client({ connectionString: url });
  await monitor.connect();
  // Deadlocks are found soon, since a history may have several.
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
  // All are opened now: opening one within a history takes a time that no seed rules.
  const opening = Array.from({ length: CONNECTIONS }, () => pool.connect());
  for (const client of await Promise.all(opening)) client.release();
  return gated;
}

function gate(client: pg.PoolClient, gated: GatedPool): void {
  const session: Session = { pid: (client as unknown as Served).processID };
  const query = client.query.bind(client) as Query;
  // The driver's own overloads cannot be written once more; what is passed on is unchanged.
  client.query = ((...args: readonly unknown[]) => {
    const { scheduler } = gated;
    // The pool's own queries end in a callback, and no actor asks by them.
    if (scheduler === null || typeof args.at(-1) === "function") return query(...args);
    return scheduler.step(session, wordsOf(args[0]), () => query(...args));
  }) as typeof client.query;
}

type Query = (...args: readonly unknown[]) => Promise<unknown>;

/** The driver knows it, and its types do not say so. */
interface Served {
  readonly processID: number;
}

/** The first words of a statement, for people, and whether it commits. */
function wordsOf(asked: unknown): string {
  const text =
    typeof asked === "string" ? asked : (asked as { readonly text?: string } | null)?.text;
  const words = (text ?? "").replaceAll(/\s+/g, " ").trim();
  if (words.length <= SHOWN) return words;
  return `${words.slice(0, SHOWN)} ...${words.endsWith("; commit") ? "; commit" : ""}`;
}
