/** The store on Postgres and PGlite: what a transaction offers, and when one is run again. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../model/clock.ts";
import type { ConnectionId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import { nothingSeen } from "../beginning.ts";
import {
  type Closing,
  type Database,
  LostWorkError,
  mappingDigest,
  mayPass,
  schemaMismatchOf,
  NoConnectionError,
  type Queryable,
  storableJson,
} from "../database/index.ts";
import { resourceRelations } from "../rules/index.ts";
import type {
  Beginning,
  FirstLook,
  IdentitySettings,
  Store,
  StoreTransaction,
  Work,
} from "../store.ts";
import { changeStore, TableShapes } from "./capture/index.ts";
import {
  deliveryStore,
  keysReceived,
  pendingDeliveries,
  redeliveryStore,
  refusalStore,
} from "./deliveries/index.ts";
import {
  afterCommitStore,
  auditStore,
  backfillStore,
  directory,
  heldRuns,
  instanceStore,
  linkStore,
  LogWatch,
  sessionStore,
} from "./directory/index.ts";
import { opening, timeOf } from "./driver/index.ts";
import {
  ensureLanes,
  ensureLanesFree,
  findLanes,
  laneKeys,
  laneLocks,
  LaneMadeMeanwhileError,
  removeLane,
  reserveLanes,
  saveLanes,
} from "./lanes/index.ts";
import { appendJournal, ledger } from "./ledger/index.ts";
import { migrate, readMigrations } from "./migrate.ts";
import { RecordRows, recordStore, refusalAtCommit } from "./records/index.ts";
import { readSchemaFacts } from "./schema-facts.ts";

export interface PostgresStoreOptions {
  /** What is mapped; `migrate` replaces it. */
  readonly mappings?: readonly Mapping[];
  readonly identities?: IdentitySettings;
  /** In which the app writes times without a zone. Default: in the database's. */
  readonly timeZone?: string | null;
  /** Spreads the pauses between attempts. */
  readonly random: Random;
}

/** What is told; another generation of code may tell of something else, or say nothing. */
const WORK: readonly Work[] = ["deliveries", "events"];

/**
 * For so long after somebody else made the same lanes all are made before anything else is done: who
 * is at it again is met then, and not where all that was done is to be done again.
 */
const COMPANY_MS = 10_000;

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 5;

/** Opens the store on a database that `migrate` has prepared, or will. */
export async function postgresStore(
  database: Database,
  options: PostgresStoreOptions,
): Promise<Store> {
  const shapes = new TableShapes(options.timeZone);
  let relations = resourceRelations(options.mappings ?? []);
  let mapping = options.mappings === undefined ? null : mappingDigest(options.mappings);
  const knows = (await readMigrations()).at(-1)?.version ?? 0;

  const watch = new LogWatch();
  /** When somebody else was last found to make the same lanes. */
  let metAt: Instant | null = null;
  const view = (tx: Queryable, now: Instant): StoreTransaction => {
    const held: laneLocks.HeldLanes = new Map();
    const rows = new RecordRows(tx, shapes);
    return {
      now,
      ensureLanes: (keys) => ensureLanes(tx, keys),
      reserveLanes: (keys, others) =>
        metAt !== null && now < addMillis(metAt, COMPANY_MS)
          ? (others === "wait" ? ensureLanes : ensureLanesFree)(tx, keys)
          : reserveLanes(tx, held, relations, keys),
      findLanes: (query) => findLanes(tx, query),
      countPairedLanes: (connection) => laneKeys.countPairedLanes(tx, connection),
      holdPlace: (resourceType, place) => laneKeys.holdPlace(tx, resourceType, place),
      lockLanes: (ids, others) => laneLocks.lockLanes(tx, held, relations, ids, others),
      lockDueLanes: (limit, leftOut = []) =>
        laneLocks.lockDueLanes(tx, held, relations, now, limit, leftOut),
      lockExpiredLanes: (limit) => laneLocks.lockExpiredLanes(tx, held, relations, now, limit),
      lockLanesInState: (connection, state, limit, after) =>
        laneLocks.lockLanesInState(tx, held, relations, connection, state, limit, after ?? null),
      saveLanes: (decided) => saveLanes(tx, held, decided),
      removeLane: (id) => removeLane(tx, id),
      wakeChildren: (parents) => wakeChildren(tx, parents),
      wakeAwaitingIntent: (connection, resourceType) =>
        wakeAwaiting(tx, "awaiting_intent", connection, resourceType),
      wakeAwaitingPairing: (connection, resourceType) =>
        wakeAwaiting(tx, "awaiting_pairing", connection, resourceType),
      directory: directory(tx),
      records: recordStore({ tx, kind: database.kind }, rows, options.identities),
      changes: changeStore(tx),
      pendingDeliveries: pendingDeliveries(tx, now),
      afterCommits: afterCommitStore(tx),
      links: linkStore(tx, rows, options.identities),
      backfills: backfillStore(tx),
      sessions: sessionStore(tx),
      audit: auditStore(tx),
      appendJournal: (entries) => appendJournal(tx, entries),
    };
  };

  const instance = instanceStore(database, watch);

  /** @param doubts how many there were when its caller began: what it relies on was asked before */
  async function attempt<T, Seen>(
    work: (tx: StoreTransaction, seen: Seen) => Promise<T>,
    beginning: Beginning<Seen> | undefined,
    doubts: number,
  ): Promise<T> {
    const opens = opening(database.kind, beginning, await watch.columns(database));
    let before = watch.remembered;
    let closing: Closing | null = null;
    try {
      return await database.transaction(
        (tx, opened, seen: Seen) => {
          const now = timeOf(opened);
          closing = watch.compare(opened, { now, before, doubts });
          return work(view(tx, now), seen).catch((error: unknown) => {
            if (error instanceof LaneMadeMeanwhileError) metAt = now;
            throw error;
          });
        },
        opens,
        (tx) => {
          // It has just been sent: what is committed from here on it need not have seen.
          before = watch.remembered;
          return beginning === undefined ? nothingSeen<Seen>() : beginning.look(firstLook(tx));
        },
        () => closing,
      );
    } catch (error) {
      throw refusalAtCommit(error) ?? error;
    }
  }

  return {
    kind: database.kind,
    async migrate(mappings, journals = []) {
      const { identities, timeZone = null } = options;
      await migrate(database, mappings, journals, identities, undefined, timeZone);
      relations = resourceRelations(mappings);
      mapping = mappingDigest(mappings);
      shapes.forget();
    },
    schemaMismatch: async () => schemaMismatchOf(await readSchemaFacts(database), knows, mapping),
    async transaction(work, beginning) {
      const { doubts } = watch;
      try {
        return await again(options.random, () => attempt(work, beginning, doubts));
      } catch (error) {
        if (error instanceof LostWorkError) await watch.tellLost(error, instance);
        throw error;
      }
    },
    deliveries: deliveryStore(database),
    directory: directory(database),
    heldRuns: heldRuns(database),
    redeliveries: redeliveryStore(database),
    instance,
    ledger: ledger(database),
    sessions: sessionStore(database),
    audit: auditStore(database),
    refusals: refusalStore(database),
    onWork: (heard) =>
      database.listen("tandem_work", (said) => {
        heard(WORK.find((work) => work === said) ?? null);
      }),
    close: () => database.close(),
  };
}

function firstLook(tx: Queryable): FirstLook {
  return {
    directory: directory(tx),
    pendingDeliveries: {
      received: (integration, keys) => keysReceived(tx, integration, keys),
    },
  };
}

/**
 * Runs what only met others again, after a pause that grows and differs from theirs. Not where it has
 * waited for a connection in vain: that was long already.
 */
async function again<T>(random: Random, attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      const repeats = mayPass(error) && !(error instanceof NoConnectionError);
      if (count === ATTEMPTS || !repeats) throw error;
      await delay(FIRST_PAUSE_MS * 2 ** count * random());
    }
  }
}

/**
 * Makes events that wait for their parent due. Their lanes are not locked here: an event that
 * somebody holds is being decided on, and looks again by itself soon. A lane that does not know its
 * parent is woken too; looking once more costs little.
 */
async function wakeChildren(tx: Queryable, parents: readonly Lane[]): Promise<void> {
  if (parents.length === 0) return;
  const places = parents.map(({ connectionId, resourceType, externalId }) => ({
    connection_id: connectionId,
    type: resourceType,
    external_id: externalId,
  }));
  await tx.query(
    `with waiting as (
       select child.id
       from tandem.events_live as child
       join tandem.lanes on lanes.id = child.lane_id
       where child.state = 'queued'
         and child.reason = 'awaiting_parent'
         and exists (
           select
           from json_to_recordset($1::json) as parent (
             connection_id bigint, type text, external_id text
           )
           where child.connection_id = parent.connection_id
             and (
               lanes.parent_external_id is null
               or (
                 lanes.parent_type = parent.type
                 and lanes.parent_external_id = parent.external_id
               )
             )
         )
       order by child.id
       for update of child skip locked
     ),
     woken as (
       update tandem.events_live
       set run_at = tandem.now()
       from waiting
       where events_live.id = waiting.id
       returning events_live.id
     )
     select pg_notify('tandem_work', 'events')
     where exists (select from woken)`,
    [storableJson(places)],
  );
}

/** The same for events that wait for a create without a token, or for pairing to end. */
async function wakeAwaiting(
  tx: Queryable,
  reason: "awaiting_intent" | "awaiting_pairing",
  connection: ConnectionId,
  resourceType: string,
): Promise<void> {
  await tx.query(
    `with waiting as (
       select id
       from tandem.events_live
       where connection_id = $1
         and state = 'queued'
         and reason = '${reason}'
         and resource_type = $2
       order by id
       for update skip locked
     ),
     woken as (
       update tandem.events_live
       set run_at = tandem.now()
       from waiting
       where events_live.id = waiting.id
       returning events_live.id
     )
     select pg_notify('tandem_work', 'events')
     where exists (select from woken)`,
    [connection, resourceType],
  );
}
