/** The process of a soak: a worker that processes edits of the same issues, day after day. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { product } from "../contenders/product.ts";
import { type Edit, makeWork } from "../harness/work.ts";

export interface SoakAssignment {
  readonly url: string;
  /** The number of samples, and of edits between two of them. */
  readonly samples: number;
  readonly edits: number;
}

/** One sample. Sizes are in bytes. */
export interface Sample {
  readonly perSecond: number;
  /** The tables that do not grow with the history, with indexes and bloat. */
  readonly live: number;
  /** The tables that keep every edit: its delivery and its event. */
  readonly ledger: number;
  readonly dead: number;
  /** JavaScript's heap after a collection. */
  readonly heap: number;
  readonly resident: number;
}

const BATCH = 500;
const LOOK_MS = 20;
/** The same issues are edited again and again. */
const TEMPLATES = 4_000;
const BEGAN = Date.UTC(2026, 0, 5, 8);

process.once("message", (assignment: SoakAssignment) => {
  void soak(assignment)
    .then((samples) => process.send?.(samples))
    .finally(() => process.disconnect());
});

async function soak({ url, samples, edits }: SoakAssignment): Promise<readonly Sample[]> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const opened = await product.open(url, 0, []);
  const templates = makeWork({ spread: "uniform", events: TEMPLATES, bytes: 2_048 });
  const taken: Sample[] = [];
  let made = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    const began = performance.now();
    const until = Math.round(((sample + 1) * edits) / samples);
    const due = until - made;
    while (made < until) {
      const first = made;
      made = Math.min(until, made + BATCH);
      await opened.take([
        Array.from({ length: made - first }, (_, index) => again(templates, first + index)),
      ]);
    }
    while (((await product.left?.(pool)) ?? 0) > 0) await delay(LOOK_MS);
    const seconds = (performance.now() - began) / 1_000;
    taken.push({ perSecond: due / seconds, ...(await look(pool)) });
  }
  await opened.close();
  await pool.end();
  return taken;
}

/** A later edit of the same issue, with another title. */
function again(templates: readonly Edit[], index: number): Edit {
  const template = templates[index % templates.length];
  if (template === undefined) throw new Error("there is no work");
  const updatedAt = new Date(BEGAN + index * 1_000).toISOString().replace(".000Z", "Z");
  const title = `${template.title.slice(0, 50)} ${String(index)}`;
  const payload = JSON.parse(template.text) as { readonly issue: object };
  const text = JSON.stringify({
    ...payload,
    issue: { ...payload.issue, title, updated_at: updatedAt },
  });
  return { ...template, key: randomUUID(), title, updatedAt, text };
}

async function look(pool: pg.Pool): Promise<Omit<Sample, "perSecond">> {
  const { rows } = await pool.query<Record<"live" | "ledger" | "dead", string>>(
    `select
       sum(pg_total_relation_size(relid)) filter (where not is_ledger) as live,
       sum(pg_total_relation_size(relid)) filter (where is_ledger) as ledger,
       sum(n_dead_tup) filter (where not is_ledger) as dead
     from pg_stat_user_tables,
       lateral (select relname ~ '^(events_ended|deliveries)') as kind (is_ledger)
     where schemaname = 'tandem' or relname = 'tasks'`,
  );
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return {
    live: Number(rows[0]?.live),
    ledger: Number(rows[0]?.ledger),
    dead: Number(rows[0]?.dead),
    heap: heapUsed,
    resident: rss,
  };
}
