/** A store on a fresh database with the app's tables, and what tests say of it in few words. */
import { newEvent } from "../../src/engine/lane/new-event.ts";
import type { TandemEvent } from "../../src/model/event.ts";
import { type ConnectionId, type EventId, eventIds, type LaneId } from "../../src/model/ids.ts";
import {
  formatInstant,
  type Instant,
  instantFromMicros,
  parseInstant,
  SECOND,
} from "../../src/model/instant.ts";
import type { Lane } from "../../src/model/lane.ts";
import type { Mapping, Row } from "../../src/model/mapping.ts";
import type { Database } from "../../src/store/database/database.ts";
import type { MemoryTables, NewRow } from "../../src/store/memory/tables/app-tables.ts";
import { createMemoryDatabase } from "../../src/store/memory/memory-database.ts";
import { memoryStore } from "../../src/store/memory/memory-store.ts";
import type { MemoryClient } from "../../src/store/memory/records.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { pgliteDatabase } from "../../src/store/postgres/driver/pglite-database.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { AppSql, IdentitySettings, Store, StoreTransaction } from "../../src/store/store.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { aContext, aMapping, plainField } from "../engine/builders.ts";
import type { TestDatabase } from "../harness/databases.ts";

const random = seededRandom(7);
const freshId = eventIds(random);

export const TABLES = `
create table users (
  id bigint generated always as identity primary key,
  name text not null,
  github_login text unique
);
create table tasks (
  id bigint generated always as identity primary key,
  project_id bigint not null default 1,
  title text not null,
  markdown text,
  status text not null default 'todo' check (status in ('todo', 'doing', 'done')),
  owner_id bigint references users,
  labels text[] not null default '{}',
  card_position double precision not null default 0,
  updated_at timestamptz not null default now()
)`;

/** The same tables for a database in memory. */
const MEMORY_TABLES: MemoryTables = {
  users: { columns: { name: undefined, github_login: null }, unique: ["github_login"] },
  tasks: {
    columns: {
      project_id: "1",
      title: undefined,
      markdown: null,
      status: "todo",
      owner_id: null,
      labels: [],
      card_position: 0,
      updated_at: ({ now }: NewRow) => formatInstant(now),
    },
    references: { owner_id: { table: "users" } },
    checks: {
      tasks_status_check: ({ status }) => ["todo", "doing", "done"].includes(String(status)),
    },
  },
};

export const tasks: Mapping = aMapping({
  fields: [
    plainField("title"),
    plainField("markdown", "body"),
    plainField("status", "state"),
    plainField("labels"),
  ],
});

export interface StoreOptions {
  /** More tables of the app: as SQL, and the same for a database in memory. */
  readonly tables?: { readonly sql: string; readonly memory: MemoryTables };
  readonly mappings?: readonly Mapping[];
  readonly identities?: IdentitySettings;
}

/** The app's own rows, as the app itself reads and writes them. */
export interface AppRows {
  /** Inserts rows at once; returns their keys. */
  insert(table: string, ...rows: readonly Row[]): Promise<readonly string[]>;
  update(table: string, id: string, patch: Row): Promise<void>;
  delete(table: string, id: string): Promise<void>;
  /** Every row, in the order of their keys. */
  all(table: string): Promise<readonly Row[]>;
  /**
   * Edits a row in a transaction of the app that stays open until `work` is done; `null` where
   * there is but one session, and nobody else can hold a row.
   */
  readonly whileEditing:
    ((table: string, id: string, patch: Row, work: () => Promise<void>) => Promise<void>) | null;
}

/** A delivery as the store keeps it. */
export interface KeptDelivery {
  readonly deliveryKey: string;
  readonly payload: string;
  readonly timesReceived: number;
  /** Why it was not translated, as a person reads it in the table. */
  readonly error: unknown;
}

export interface OpenedStore {
  readonly store: Store;
  readonly connection: ConnectionId;
  readonly rows: AppRows;
  /** Edits a row as the app's own code does in a transaction that it is lent. */
  writeAs(sql: AppSql, table: string, id: string, patch: Row): Promise<void>;
  /** Whether others can do something while a transaction is open. */
  readonly sessions: "many" | "one";
  /** In the order of their keys. */
  deliveries(): Promise<readonly KeptDelivery[]>;
  /** Sets the database's clock, and stops it. */
  setTime(at: Instant): Promise<void>;
}

/** A store on a database that speaks SQL. */
export interface OpenedSqlStore extends OpenedStore {
  readonly database: Database;
  /** The app's own sessions. */
  readonly app: TestDatabase;
}

/** Connects as Tandem does. */
export async function connectTo(app: TestDatabase): Promise<Database> {
  if (app.url !== undefined) return pgDatabase(app.url);
  if (app.pglite !== undefined) return pgliteDatabase(app.pglite);
  throw new Error("the test database is of no known kind");
}

/** A migrated store with one connection; its pool is closed with it. */
export async function openStore(
  app: TestDatabase,
  options: Omit<StoreOptions, "tables"> & { readonly tables?: string } = {},
): Promise<OpenedSqlStore> {
  const { tables = TABLES, mappings = [tasks], identities } = options;
  await app.sql(tables);
  const database = await connectTo(app);
  const store = await postgresStore(database, {
    mappings,
    random,
    ...(identities === undefined ? {} : { identities }),
  });
  await store.migrate(mappings);
  const connection = await aConnection(store, "1296269");
  return {
    store,
    database,
    app,
    connection,
    rows: sqlRows(app, database),
    async writeAs(sql, table, id, patch) {
      await sql.query(...sqlUpdate(table, id, patch));
    },
    sessions: app.kind === "postgres" ? "many" : "one",
    deliveries: () =>
      app.sql(
        `select delivery_key as "deliveryKey", payload, times_received as "timesReceived", error
         from tandem.deliveries order by delivery_key`,
      ),
    async setTime(at) {
      await app.sql(`create or replace function tandem.now() returns timestamptz
        language sql volatile as $$ select '${formatInstant(at)}'::timestamptz $$`);
    },
  };
}

/** A migrated store in memory with one connection. */
export async function openMemoryStore(options: StoreOptions = {}): Promise<OpenedStore> {
  const { tables, mappings = [tasks], identities } = options;
  const database = createMemoryDatabase({ tables: { ...MEMORY_TABLES, ...tables?.memory } });
  const store = memoryStore(database, {
    mappings,
    ...(identities === undefined ? {} : { identities }),
  });
  await store.migrate(mappings);
  return {
    store,
    connection: await aConnection(store, "1296269"),
    rows: {
      insert: async (table, ...rows) =>
        (await Promise.all(rows.map((row) => database.insert(table, row)))).map(({ id }) => id),
      async update(table, id, patch) {
        await database.update(table, id, patch);
      },
      delete: (table, id) => database.delete(table, id),
      all: (table) => database.rows(table),
      async whileEditing(table, id, patch, work) {
        const release = database.holdRow(table, id);
        await work();
        await database.update(table, id, patch);
        release();
      },
    },
    async writeAs({ client }, table, id, patch) {
      (client as MemoryClient).update(table, id, patch);
    },
    sessions: "one",
    deliveries: async () => {
      const all = (await database.deliveries()).map(
        ({ deliveryKey, payload, timesReceived, error }) => ({
          deliveryKey,
          payload,
          timesReceived,
          error,
        }),
      );
      return all.sort((a, b) => (a.deliveryKey < b.deliveryKey ? -1 : 1));
    },
    async setTime(at) {
      database.useClock(() => at);
    },
  };
}

function sqlUpdate(table: string, id: string, patch: Row) {
  const set = Object.keys(patch).map((column, at) => `${column} = $${at + 2}`);
  const text = `update ${table} set ${set.join(", ")} where id = $1`;
  return [text, [id, ...Object.values(patch)]] as const;
}

/** Every table here has the key `id`. */
function sqlRows(app: TestDatabase, database: Database): AppRows {
  return {
    async insert(table, ...rows) {
      const columns = Object.keys(rows[0] ?? {});
      const tuples = rows.map(
        (_, row) => `(${columns.map((__, at) => `$${row * columns.length + at + 1}`).join(", ")})`,
      );
      const inserted = await app.sql<{ id: string }>(
        `insert into ${table} (${columns.join(", ")}) values ${tuples.join(", ")}
         returning id::text`,
        rows.flatMap((row) => columns.map((column) => row[column])),
      );
      return inserted.map(({ id }) => id);
    },
    async update(table, id, patch) {
      const [text, params] = sqlUpdate(table, id, patch);
      await app.sql(text, [...params]);
    },
    async delete(table, id) {
      await app.sql(`delete from ${table} where id = $1`, [id]);
    },
    all: async (table) => (await database.query<Row>(`select * from ${table} order by id`)).rows,
    whileEditing:
      app.kind === "pglite"
        ? null
        : async (table, id, patch, work) => {
            const session = await connectTo(app);
            await session.transaction(async (tx) => {
              await tx.query(...sqlUpdate(table, id, patch));
              await work();
            });
            await session.close();
          },
  };
}

export async function aConnection(store: Store, containerId: string): Promise<ConnectionId> {
  const accountId = await store.directory.saveAccount({
    integration: "github",
    name: "acme",
    credentials: { token: "secret" },
    webhookSecrets: ["hush"],
  });
  return store.directory.saveConnection({
    accountId,
    integration: "github",
    containerId,
    containerName: "acme/site",
    scope: "1",
  });
}

export function anId(): EventId {
  return freshId(parseInstant("2026-03-02T09:00:00Z"));
}

/** The lane of an issue, made if it is new. */
export async function laneOf(
  { store, connection }: Pick<OpenedStore, "store" | "connection">,
  externalId: string,
): Promise<LaneId> {
  const [id] = await store.transaction((tx) => tx.ensureLanes([issueKey(connection, externalId)]));
  return present(id);
}

export function issueKey(connectionId: ConnectionId, externalId: string) {
  return {
    connectionId,
    resourceType: "issue",
    recordType: "tasks",
    externalId,
    recordId: null,
  };
}

/** Locks one lane, and saves what becomes of it. */
export async function decide(
  store: Store,
  id: LaneId,
  change: (lane: Lane, now: Instant) => Partial<Lane> & { readonly ended?: TandemEvent[] },
): Promise<void> {
  await store.transaction((tx) => decideIn(tx, id, change));
}

export async function decideIn(
  tx: StoreTransaction,
  id: LaneId,
  change: (lane: Lane, now: Instant) => Partial<Lane> & { readonly ended?: TandemEvent[] },
): Promise<void> {
  const before = present((await tx.lockLanes([id]))[0]);
  const { ended = [], ...changes } = change(before, tx.now);
  await tx.saveLanes([{ before, after: { lane: { ...before, ...changes }, ended } }]);
}

export async function readLane(store: Store, id: LaneId): Promise<Lane> {
  return present((await store.transaction((tx) => tx.lockLanes([id])))[0]);
}

/** A queued event of a lane, due when it is born. */
export function aQueued(lane: Lane, now: Instant, changes: Partial<TandemEvent> = {}): TandemEvent {
  const { direction = "inbound", action = "upsert", source = "webhook" } = changes;
  const context = aContext({ now });
  return {
    ...newEvent(lane, { ...context, newId: anId }, { direction, action, source }),
    ...changes,
  };
}

/** The time so many seconds later. */
export function after(at: Instant, seconds: number): Instant {
  return instantFromMicros(at + Math.round(seconds * SECOND));
}

/** The value, which the test knows to exist. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing is there");
  return value;
}
