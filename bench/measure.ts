/** Measures the sides of one comparison in turn, for several rounds, and computes ratios. */
import type pg from "pg";

/** One layout for the same facts. */
export interface Side {
  readonly name: string;
  /** Creates its tables and their first rows. */
  readonly setUp: readonly string[];
  /** Tables whose updates are counted as HOT or not. */
  readonly tables: readonly string[];
  /** Does the work of `size` items; `round` makes their keys unique. */
  readonly work: (client: pg.Client, size: number, round: number) => Promise<void>;
}

export interface Comparison {
  readonly id: string;
  readonly question: string;
  /** Items in a round. */
  readonly size: number;
  /** The chosen side first, then the alternative. */
  readonly sides: readonly [Side, Side];
}

export interface SideResult {
  readonly name: string;
  /** Per item, the median of the rounds. */
  readonly millis: number;
  /** Per item, the median of the rounds. */
  readonly walBytes: number;
  /** The share of updates that touched no index; `null` without updates. */
  readonly hotShare: number | null;
}

export interface Measured {
  readonly id: string;
  readonly question: string;
  readonly sides: readonly [SideResult, SideResult];
  /** The alternative divided by the choice: above 1, the choice is better. */
  readonly ratio: {
    readonly millis: number;
    readonly walBytes: number;
    /** The least and the greatest of the rounds' own ratios of time. */
    readonly spread: string;
  };
}

interface Sample {
  readonly millis: number;
  readonly walBytes: number;
}

/** The first round warms up and is not counted. */
export async function measure(
  client: pg.Client,
  { id, question, size, sides }: Comparison,
  rounds: number,
): Promise<Measured> {
  await client.query("drop schema if exists layout cascade; create schema layout");
  for (const side of sides) for (const statement of side.setUp) await client.query(statement);
  const [chosen, instead] = sides;
  const samples: [Sample, Sample][] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const pair: [Sample, Sample] = [
      await sample(client, chosen, size, round),
      await sample(client, instead, size, round),
    ];
    if (round > 0) samples.push(pair);
  }
  const of = async (side: Side, index: 0 | 1): Promise<SideResult> => ({
    name: side.name,
    millis: median(samples.map((pair) => pair[index].millis)),
    walBytes: median(samples.map((pair) => pair[index].walBytes)),
    hotShare: await hotShare(client, side.tables),
  });
  const results: [SideResult, SideResult] = [await of(chosen, 0), await of(instead, 1)];
  const each = samples.map(([a, b]) => b.millis / a.millis);
  return {
    id,
    question,
    sides: results,
    ratio: {
      millis: median(each),
      walBytes: results[1].walBytes / results[0].walBytes,
      spread: `${Math.min(...each).toFixed(2)} to ${Math.max(...each).toFixed(2)}`,
    },
  };
}

async function sample(client: pg.Client, side: Side, size: number, round: number): Promise<Sample> {
  const before = await walPosition(client);
  const started = performance.now();
  await side.work(client, size, round);
  const millis = performance.now() - started;
  const after = await walPosition(client);
  return { millis: millis / size, walBytes: Number(after - before) / size };
}

async function walPosition(client: pg.Client): Promise<bigint> {
  const { rows } = await client.query<{ at: string }>(
    "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text as at",
  );
  return BigInt(rows[0]?.at ?? "0");
}

async function hotShare(client: pg.Client, tables: readonly string[]): Promise<number | null> {
  await client.query("select pg_stat_force_next_flush()");
  const { rows } = await client.query<{ updates: string; hot: string }>(
    `select sum(n_tup_upd)::text as updates, sum(n_tup_hot_upd)::text as hot
     from pg_stat_user_tables where schemaname = 'layout' and relname = any($1)`,
    [tables],
  );
  const updates = Number(rows[0]?.updates ?? 0);
  return updates === 0 ? null : Number(rows[0]?.hot ?? 0) / updates;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}
