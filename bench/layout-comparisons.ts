/** The questions about the schema's layout, each with the least SQL that shows the difference. */
import type pg from "pg";
import type { Comparison, Side } from "./measure.ts";

/** A payload of about 2 KB or 10 KB, like GitHub's: JSON in which every quote must be escaped. */
const payload = (bytes: number, seed: number): string =>
  JSON.stringify(
    Array.from({ length: Math.ceil(bytes / 60) }, (_, index) => ({
      [`field_${String(index)}`]: `a "value" of ${String(seed * 31 + index)} \\ and more`,
    })),
  );

const EVENT = `lane_id bigint not null, direction text not null, state text not null,
  reason text not null, content jsonb, run_at timestamptz not null default now(),
  finished_at timestamptz`;

/** The life of an event: queued, claimed, ended, in a history of 200,000 events that ended earlier. */
const life: Comparison = {
  id: "queue-apart",
  question: "may an event stay in the queue's table when it has ended?",
  size: 2_000,
  sides: [
    {
      name: "it moves to a ledger that is only appended to",
      setUp: [
        ...queueTable("live"),
        `create table layout.ended (id bigint not null, ${EVENT})`,
        "create index on layout.ended (id)",
        "create index on layout.ended (lane_id, id)",
        history("ended"),
      ],
      tables: ["live"],
      async work(client, size, round) {
        for (const [from, to] of batches(size, round)) {
          await bornAndClaimed(client, "live", from, to);
          await client.query(
            `with gone as (delete from layout.live where id between $1 and $2 returning *)
             insert into layout.ended
             select id, lane_id, direction, 'completed', 'updated_record', content, run_at, now() from gone`,
            [from, to],
          );
        }
      },
    },
    {
      name: "it stays, and its state says so",
      setUp: [
        ...queueTable("events"),
        "create index on layout.events (lane_id, id)",
        history("events"),
      ],
      tables: ["events"],
      async work(client, size, round) {
        for (const [from, to] of batches(size, round)) {
          await bornAndClaimed(client, "events", from, to);
          await client.query(
            `update layout.events set state = 'completed', reason = 'updated_record', finished_at = now()
             where id between $1 and $2`,
            [from, to],
          );
        }
      },
    },
  ],
};

/** Decisions change a lane's clock far more often than its content. */
const narrow: Comparison = {
  id: "narrow-lanes",
  question: "should a lane's clock lie beside its content (1 KB, held three times)?",
  size: 2_000,
  sides: [
    lanes("the content in a row of its own", "lane", [
      "create table layout.lane (id bigint primary key, clock_at timestamptz, epoch bigint) with (fillfactor = 80)",
      "create table layout.content (id bigint primary key, copy jsonb, base jsonb, known jsonb)",
      "insert into layout.lane select n, now(), 0 from generate_series(1, 2000) n",
      `insert into layout.content select n, ${contentOf()}, ${contentOf()}, ${contentOf()} from generate_series(1, 2000) n`,
    ]),
    lanes("one wide row", "wide", [
      `create table layout.wide (id bigint primary key, clock_at timestamptz, epoch bigint,
         copy jsonb, base jsonb, known jsonb) with (fillfactor = 80)`,
      `insert into layout.wide select n, now(), 0, ${contentOf()}, ${contentOf()}, ${contentOf()} from generate_series(1, 2000) n`,
    ]),
  ],
};

/** The three ways to send a batch of payloads to Postgres through node-postgres. */
function sending(
  id: string,
  bytes: number,
  name: string,
  send: (client: pg.Client, rows: readonly string[]) => Promise<unknown>,
): Comparison {
  const side = (label: string, table: string, how: typeof send): Side => ({
    name: label,
    setUp: [`create table layout.${table} (payload text not null)`],
    tables: [],
    async work(client, size) {
      for (let at = 0; at < size; at += 50) {
        const rows = Array.from({ length: 50 }, (_, index) => payload(bytes, at + index));
        await how(client, rows);
      }
    },
  });
  return {
    id,
    question: `how do payloads of ${String(bytes / 1_000)} KB travel, 50 at a time?`,
    size: 500,
    sides: [
      side("VALUES, one parameter each", "by_values", (client, rows) =>
        client.query(
          `insert into layout.by_values values ${rows.map((_, index) => `($${String(index + 1)})`).join(", ")}`,
          [...rows],
        ),
      ),
      side(name, "otherwise", send),
    ],
  };
}

const byArray = (client: pg.Client, rows: readonly string[]): Promise<unknown> =>
  client.query("insert into layout.otherwise select * from unnest($1::text[])", [rows]);
const byJson = (client: pg.Client, rows: readonly string[]): Promise<unknown> =>
  client.query("insert into layout.otherwise select * from json_array_elements_text($1::json)", [
    JSON.stringify(rows),
  ]);

/** The queue is written under the lock of its lane, so a foreign key to the lane proves nothing new. */
const key: Comparison = {
  id: "no-foreign-key",
  question: "does the queue need a foreign key to its lane?",
  size: 2_000,
  sides: [
    queue("none: it is written under the lane's lock", "free", ""),
    queue("a foreign key", "tied", "references layout.tied_lanes"),
  ],
};

export const comparisons: readonly Comparison[] = [
  life,
  narrow,
  sending("payloads-array", 10_000, "one array parameter", byArray),
  sending("payloads-json", 10_000, "one JSON parameter", byJson),
  sending("small-array", 2_000, "one array parameter", byArray),
  key,
];

function* batches(size: number, round: number): Generator<readonly [number, number]> {
  const first = 1 + round * size;
  for (let from = first; from < first + size; from += 100) yield [from, from + 99];
}

function queueTable(name: string): readonly string[] {
  return [
    `create table layout.${name} (id bigint primary key, ${EVENT}) with (fillfactor = 70)`,
    `create unique index on layout.${name} (lane_id, direction) where state = 'queued'`,
    `create unique index on layout.${name} (lane_id) where state = 'processing'`,
    `create index on layout.${name} (run_at, id) where state = 'queued'`,
  ];
}

function history(table: string): string {
  return `insert into layout.${table}
    select -n, n, 'inbound', 'completed', 'history', '{"title": "t"}', now(), now()
    from generate_series(1, 200000) n`;
}

async function bornAndClaimed(
  client: pg.Client,
  table: string,
  from: number,
  to: number,
): Promise<void> {
  await client.query(
    `insert into layout.${table} (id, lane_id, direction, state, reason, content)
     select n, n, 'inbound', 'queued', 'waiting', '{"title": "t"}'
     from generate_series($1::int, $2::int) n`,
    [from, to],
  );
  await client.query(
    `update layout.${table} set state = 'processing', reason = 'being_processed'
     where id between $1 and $2`,
    [from, to],
  );
}

function contentOf(): string {
  return `jsonb_build_object('title', 'Task ' || n, 'body', (select string_agg(md5((n * 40 + k)::text), ' ') from generate_series(1, 30) k))`;
}

function lanes(name: string, table: string, setUp: readonly string[]): Side {
  return {
    name,
    setUp,
    tables: [table],
    async work(client, size) {
      for (let from = 1; from <= size; from += 100) {
        await client.query(
          `update layout.${table} set clock_at = clock_timestamp(), epoch = epoch + 1 where id between $1 and $2`,
          [from, from + 99],
        );
      }
    },
  };
}

function queue(name: string, table: string, reference: string): Side {
  return {
    name,
    setUp: [
      `create table layout.${table}_lanes (id bigint primary key)`,
      `insert into layout.${table}_lanes select generate_series(1, 2000)`,
      `create table layout.${table} (id bigint primary key, lane_id bigint not null ${reference}, state text)`,
    ],
    tables: [],
    async work(client, size, round) {
      for (const [from, to] of batches(size, round)) {
        await client.query(
          `insert into layout.${table} select n, 1 + n % 2000, 'queued' from generate_series($1::int, $2::int) n`,
          [from, to],
        );
        await client.query(`delete from layout.${table} where id between $1 and $2`, [from, to]);
      }
    },
  };
}
