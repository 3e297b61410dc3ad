/**
 * A queue as a team would write it: the receiver inserts a job and sends NOTIFY, and a worker that LISTENs takes
 * one job at a time, as several workers must.
 */
import { createServer } from "node:http";
import pg from "pg";
import { closeServer, handlerOf, keyOf, listenAnywhere } from "./by-hand.ts";
import { wallMillis } from "./clock.ts";
import type { Part } from "./running.ts";
import { type TandemLast, timeOf } from "./tandem.ts";

export const JOBS = `
create table deliveries (
  id bigint generated always as identity primary key,
  delivery_key text not null unique,
  payload text not null,
  state text not null default 'received',
  received_at timestamptz not null default now()
);
create index deliveries_received on deliveries (id) where state = 'received'`;

export interface ListeningInput {
  readonly url: string;
  readonly receives: boolean;
  readonly works: boolean;
}

export const listeningPart: Part<ListeningInput, { readonly port: number }, TandemLast> = async ({
  url,
  receives,
  works,
}) => {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  const began: Record<string, number> = {};
  const server = createServer(
    handlerOf(async (body, request) => {
      await pool.query({ ...RECEIVE, values: [keyOf(request), body.toString()] });
    }),
  );
  const port = receives ? await listenAnywhere(server) : 0;
  const listener = works ? await listen(url, pool, began) : null;
  return {
    opened: { port },
    async stop() {
      if (receives) await closeServer(server);
      await listener?.end();
      await pool.end();
      return { began };
    },
  };
};

const RECEIVE = {
  name: "receive",
  text: `with job as (
      insert into deliveries (delivery_key, payload) values ($1, $2)
      on conflict (delivery_key) do nothing
    )
    select pg_notify('jobs', '')`,
};

const TAKE = {
  name: "take",
  text: `update deliveries set state = 'processing'
    where id = (
      select id from deliveries where state = 'received' order by id limit 1
      for update skip locked
    )
    returning id, payload`,
};

async function listen(
  url: string,
  pool: pg.Pool,
  began: Record<string, number>,
): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const take = async () => {
    for (;;) {
      const { rows } = await pool.query<{ id: string; payload: string }>(TAKE);
      const [job] = rows;
      if (job === undefined) return;
      began[timeOf(job.payload)] = wallMillis();
      await pool.query("update deliveries set state = 'done' where id = $1", [job.id]);
    }
  };
  client.on("notification", () => void take());
  await client.query("listen jobs");
  return client;
}
