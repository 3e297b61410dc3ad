/**
 * The limit: hand-written SQL that stores the same facts (delivery, event with its outcome, cached copy, task)
 * and applies no rule. `limit` writes batches; `limitOne` commits each edit separately.
 */
import pg from "pg";
import { type Edit, lastOf } from "../harness/work.ts";
import { type Audit, type Contender, statusOf, TASKS } from "./contender.ts";

/** The facts that Tandem stores, without its rules. */
export const FACTS = `
${TASKS};
alter table tasks add column external_id text not null unique;
create table deliveries (
  id uuid primary key,
  delivery_key text not null unique,
  event text not null,
  payload text not null,
  received_at timestamptz not null default now()
);
-- As Tandem keeps it on a server without lz4: compressing costs more than all else here.
alter table deliveries alter column payload set storage external;
create table events (
  id uuid primary key,
  external_id text not null,
  updated_at timestamptz not null,
  state text not null,
  delivery_id uuid not null,
  content jsonb not null,
  finished_at timestamptz not null default now()
);
create table copies (
  external_id text primary key,
  content jsonb not null,
  updated_at timestamptz not null
)`;

const UPSERT_TASK = `
on conflict (external_id) do update
set
  title = excluded.title,
  markdown = excluded.markdown,
  status = excluded.status,
  modified_at = excluded.modified_at`;
const UPSERT_COPY = `
on conflict (external_id) do update
set content = excluded.content, updated_at = excluded.updated_at`;

export const limit: Contender = {
  async setUp(pool) {
    await pool.query(FACTS);
  },
  async open(url) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return {
      async take(batches) {
        for (const batch of batches) await takeBatch(client, batch);
      },
      close: () => client.end(),
    };
  },
  audit,
};

/** Sixteen connections in two processes, with a commit for each edit. */
export const limitOne: Contender = {
  setUp: limit.setUp,
  async open(url) {
    const clients = Array.from({ length: 8 }, () => new pg.Client({ connectionString: url }));
    await Promise.all(clients.map((client) => client.connect()));
    return {
      async take(batches) {
        const waiting = batches.flat();
        const work = async (client: pg.Client) => {
          for (let edit = waiting.shift(); edit !== undefined; edit = waiting.shift()) {
            await takeOne(client, edit);
          }
        };
        await Promise.all(clients.map(work));
      },
      async close() {
        await Promise.all(clients.map((client) => client.end()));
      },
    };
  },
  audit,
};

async function takeBatch(client: pg.Client, batch: readonly Edit[]): Promise<void> {
  // In one order, because two batches could deadlock otherwise.
  const last = [...lastOf(batch).values()].sort((a, b) => a.issue - b.issue);
  await client.query("begin");
  await client.query({
    name: `deliveries-${String(batch.length)}`,
    text: `insert into deliveries (id, delivery_key, event, payload) values ${places(batch.length, 3, (at) => `($${String(at)}, $${String(at + 1)}, 'issues', $${String(at + 2)})`)}`,
    values: batch.flatMap((edit) => [edit.key, edit.key, edit.text]),
  });
  await client.query({
    name: "events",
    text: `insert into events (id, external_id, updated_at, state, delivery_id, content)
      select id, external_id, updated_at, 'completed', id, content
      from json_to_recordset($1) as given (
        id uuid, external_id text, updated_at timestamptz, content jsonb
      )`,
    values: [JSON.stringify(batch.map(eventOf))],
  });
  await client.query({
    name: "copies",
    text: `insert into copies (external_id, updated_at, content)
      select external_id, updated_at, content
      from json_to_recordset($1) as given (
        external_id text, updated_at timestamptz, content jsonb
      ) ${UPSERT_COPY}`,
    values: [JSON.stringify(last.map(eventOf))],
  });
  await client.query({
    name: "tasks",
    text: `insert into tasks (external_id, project_id, title, markdown, status, modified_at)
      select external_id, 1, title, markdown, status, modified_at
      from json_to_recordset($1) as given (
        external_id text, title text, markdown text, status text, modified_at timestamptz
      ) ${UPSERT_TASK}`,
    values: [JSON.stringify(last.map(taskOf))],
  });
  await client.query("commit");
}

async function takeOne(client: pg.Client, edit: Edit): Promise<void> {
  await client.query({
    name: "one",
    text: `with
      delivery as (
        insert into deliveries (id, delivery_key, event, payload) values ($1, $2, 'issues', $3)
      ),
      event as (
        insert into events (id, external_id, updated_at, state, delivery_id, content)
        values ($1, $4, $5, 'completed', $1, $6)
      ),
      copy as (
        insert into copies (external_id, updated_at, content) values ($4, $5, $6) ${UPSERT_COPY}
      )
      insert into tasks (external_id, project_id, title, markdown, status, modified_at)
      values ($4, 1, $7, $8, $9, $5) ${UPSERT_TASK}`,
    values: [
      edit.key,
      edit.key,
      edit.text,
      String(edit.issue),
      edit.updatedAt,
      JSON.stringify(contentOf(edit)),
      edit.title,
      edit.body,
      statusOf(edit.state),
    ],
  });
}

/** `count` rows of `width` parameters each. */
function places(count: number, width: number, row: (at: number) => string): string {
  return Array.from({ length: count }, (_, index) => row(index * width + 1)).join(", ");
}

function contentOf({ title, body, state }: Edit) {
  return { title, body, state };
}

function eventOf(edit: Edit) {
  return {
    id: edit.key,
    external_id: String(edit.issue),
    updated_at: edit.updatedAt,
    content: contentOf(edit),
  };
}

function taskOf(edit: Edit) {
  return {
    external_id: String(edit.issue),
    title: edit.title,
    markdown: edit.body,
    status: statusOf(edit.state),
    modified_at: edit.updatedAt,
  };
}

/** The limit keeps no order, so only the number of written edits is checked. */
async function audit(pool: pg.Pool, work: readonly Edit[]): Promise<Audit> {
  const { rows } = await pool.query<{ events: string; tasks: string }>(
    "select (select count(*) from events) as events, (select count(*) from tasks) as tasks",
  );
  const events = Number(rows[0]?.events ?? 0);
  const issues = lastOf(work).size;
  return {
    overlaps: 0,
    inversions: 0,
    stuck: work.length - events,
    wrong: issues - Number(rows[0]?.tasks ?? 0),
    writesPerEdit: null,
  };
}
