/** A store on a fresh database with the app's tables, and what tests say of it in few words. */
import { newEvent } from "../../src/engine/new-event.ts";
import type { TandemEvent } from "../../src/model/event.ts";
import { type ConnectionId, type EventId, eventIds, type LaneId } from "../../src/model/ids.ts";
import { type Instant, instantFromMicros, parseInstant, SECOND } from "../../src/model/instant.ts";
import type { Lane } from "../../src/model/lane.ts";
import type { Mapping } from "../../src/model/mapping.ts";
import type { Database } from "../../src/store/database.ts";
import { pgDatabase } from "../../src/store/postgres/pg-database.ts";
import { pgliteDatabase } from "../../src/store/postgres/pglite-database.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { IdentitySettings, Store, StoreTransaction } from "../../src/store/store.ts";
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

export const tasks: Mapping = aMapping({
  fields: [
    plainField("title"),
    plainField("markdown", "body"),
    plainField("status", "state"),
    plainField("labels"),
  ],
});

export interface StoreOptions {
  /** The app's tables, as SQL. */
  readonly tables?: string;
  readonly mappings?: readonly Mapping[];
  readonly identities?: IdentitySettings;
}

export interface OpenedStore {
  readonly store: Store;
  readonly database: Database;
  /** The app's own sessions. */
  readonly app: TestDatabase;
  readonly connection: ConnectionId;
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
  options: StoreOptions = {},
): Promise<OpenedStore> {
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
  return { store, database, app, connection };
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

/** What a test knows to be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing is there");
  return value;
}
