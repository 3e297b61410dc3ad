/** The composition root: the one place that chooses concrete stores and opens all parts. */
import { compileConfig } from "./compile-config.ts";
import { type AnyConfig, ConfigError, type DatabaseSource } from "./config.ts";
import type { Backfill } from "./model/backfill.ts";
import type { Clock, Random } from "./model/clock.ts";
import type { Connection } from "./model/connection.ts";
import { type ConnectionId, eventIds } from "./model/ids.ts";
import { openBackfills } from "./runtime/backfill/index.ts";
import { createAuthorTokens } from "./runtime/identities/index.ts";
import { type Happenings, listenable, type Listener } from "./runtime/listeners/index.ts";
import {
  countRefusedWebhooks,
  createWebhookSecrets,
  type RefusedWebhooks,
  secretsAfter,
  takeDeliveries,
  type WebhookSecrets,
} from "./runtime/receive/index.ts";
import {
  type LocalSweepSummary,
  pollConnection,
  reconcileConnection,
  type Reconciliation,
  sweepConnection,
  sweepRecords,
} from "./runtime/reconcile/index.ts";
import {
  approveInstance,
  beatsInFile,
  beatsInProcess,
  createInstanceGuard,
  enableConnection,
  enableRecord,
  findUnfitScope,
} from "./runtime/safety/index.ts";
import { accountSecrets, type Environment, type Secrets } from "./runtime/settings/index.ts";
import {
  createApiClients,
  createMicroBatcher,
  DirectorySnapshot,
  type Failpoints,
  type Log,
  NO_FAILPOINTS,
  type Services,
  silentLog,
  systemClock,
  watchFailpoints,
  type WorkerWork,
} from "./runtime/services/index.ts";
import {
  runUntilIdle,
  type Settled,
  startWorker,
  type Worker,
  type WorkerOptions,
} from "./runtime/worker/index.ts";
import { secureRandom } from "./secure-random.ts";
import type { DeliveryStore } from "./store/deliveries.ts";
import { MemoryDatabase } from "./store/memory/memory-database.ts";
import { memoryStore } from "./store/memory/memory-store.ts";
import { openDatabase } from "./store/postgres/driver/index.ts";
import { postgresStore } from "./store/postgres/postgres-store.ts";
import type { Store } from "./store/store.ts";

/** The inputs that are not configuration: time, randomness and the network. */
export interface TandemOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  /** The `fetch` that adapters use. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** The environment in which named secrets are looked up. Default: `process.env`. */
  readonly environment?: Environment;
  readonly workerName?: string;
  /**
   * A file in which this host records the heartbeats it has seen, so that a later process notices a database
   * that was set back in the meantime. Default: only the process's memory.
   */
  readonly beatFile?: string;
  /** For tests: the name of the worker that ingests deliveries as they are stored. Default: this process's. */
  readonly takesIn?: () => string | null;
}

/** An account, and one of its containers, to be connected to a scope value of the app. */
export interface ConnectRequest {
  readonly account: {
    readonly name: string;
    readonly integration: string;
    /** Secrets may be named: `{ token: { env: "GITHUB_TOKEN" } }`. */
    readonly credentials: unknown;
    /**
     * The webhook's secret, or `{ env: NAME }`. The previous secret stays valid, so that it can be changed
     * first here and then at the integration. Absent: unchanged.
     */
    readonly webhookSecret?: unknown;
  };
  /** A repository's `owner/name` or numeric id. */
  readonly container: string;
  /** The value of the scope column. */
  readonly scope: string;
}

/** Tandem, opened, without its request handler. */
export interface TandemCore {
  readonly services: Services;
  /** Brings the schema and the triggers up to date. */
  migrate(): Promise<void>;
  /** Connects a container to a scope value; a repeated call updates the account. */
  connect(request: ConnectRequest): Promise<Connection>;
  /** Starts the loops in this process. */
  startWorker(options?: Partial<WorkerOptions>): Worker;
  /** Polls connections now: all of them, or one. */
  syncNow(connection?: ConnectionId): Promise<void>;
  /** Sweeps connections now: all of them, or one. */
  sweepNow(connection?: ConnectionId): Promise<void>;
  /**
   * Lists all resources of a connection, compares them with records and base, and brings both sides in
   * step. A dry run returns the same plan and executes nothing. Workers then process the events that the
   * plan queued.
   */
  reconcile(
    connection: ConnectionId,
    options?: { readonly dryRun?: boolean },
  ): Promise<Reconciliation>;
  /** Compares records with base now, for writes without a trigger: of all connections, or one. */
  sweepRecordsNow(connection?: ConnectionId): Promise<readonly LocalSweepSummary[]>;
  /**
   * Releases a database that was restored or copied: everything is listed again, and each waiting write
   * reads its resource first.
   */
  approveInstance(): Promise<void>;
  /** Lets a held run execute at its next turn, but no more than was shown; `false`: it has ended. */
  approve(run: string): Promise<boolean>;
  /** Leaves a held run undone until its plan grows; `false`: it has ended. */
  reject(run: string): Promise<boolean>;
  /**
   * Starts or resumes a backfill of a connection. It lists every resource, pairs what exists on both sides
   * if a key is declared, and creates resources for the remaining records. Workers execute its steps;
   * `backfills` reports the progress.
   */
  backfill(connection: ConnectionId): Promise<void>;
  /** The progress of each connection's backfills. */
  backfills(): Promise<readonly Backfill[]>;
  /** Runs all loops until nothing is due. */
  settle(): Promise<Settled>;
  /** Switches a connection off: its changes are kept as disabled events, and none is processed. */
  pause(connection: ConnectionId, reason: string): Promise<void>;
  /** Switches it on again: the newest event of each lane is processed, after a re-read. */
  enable(connection: ConnectionId): Promise<void>;
  /** Enables a record's disabled pairings; returns how many there were. */
  enableRecord(recordType: string, recordId: string): Promise<number>;
  /**
   * Listens for the outcomes of events: of this process or, with `everywhere`, also of other processes, as
   * far as reading the ledger shows them. Returns how to stop. Use an `afterCommit` hook for outcomes that
   * must not be missed.
   *
   * @example
   * const stop = tandem.on("conflict", ({ event, conflicts }) => {
   *   notify(event.recordType, event.recordId, conflicts);
   * });
   */
  on<Name extends keyof Happenings>(
    name: Name,
    listener: Listener<Name>,
    options?: { readonly everywhere?: boolean },
  ): () => void;
  /** Whether workers run in this process. */
  working(): boolean;
  /** The secrets that may have signed an integration's webhooks. */
  readonly webhookSecrets: WebhookSecrets["of"];
  /**
   * Stores verified deliveries durably. A known delivery is counted and reported as known. If workers run in
   * this process, a delivery is ingested as it is stored; otherwise it waits for the translate loop.
   */
  readonly receive: DeliveryStore["receive"];
  /** Counts the webhooks that this process refuses. */
  readonly refused: Pick<RefusedWebhooks, "note">;
  /** Stops this process's workers and closes what was opened here. */
  stop(): Promise<void>;
}

/**
 * Opens all parts that a configuration names. Users call it as `createTandem`.
 *
 * @param failpoints For tests: called at each place where a worker may die.
 * @param wrapStore For tests: wraps the store that the runtime uses.
 */
export async function composeTandem(
  config: AnyConfig,
  options: TandemOptions = {},
  failpoints: Failpoints = NO_FAILPOINTS,
  wrapStore: (store: Store) => Store = (store) => store,
): Promise<TandemCore> {
  const compiled = compileConfig(config);
  const clock = options.clock ?? systemClock;
  const random = options.random ?? secureRandom;
  const environment = options.environment ?? process.env;
  const log = options.log ?? silentLog;
  const allowed = [...compiled.integrations.values()].flatMap((one) => one.environment ?? []);
  const accountsSecrets = accountSecrets(environment, allowed);
  const { reveal } = accountsSecrets;
  const plain = wrapStore(await openStore(config.database, compiled, random));
  const opened = failpoints === NO_FAILPOINTS ? plain : watchFailpoints(plain, failpoints);
  const { store, on, stopListening } = listenable(opened, { clock, log });
  const gateway = createApiClients({
    store,
    integrations: compiled.integrations,
    clock,
    reveal,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const services: Services = {
    store,
    integrations: compiled.integrations,
    mappings: compiled.mappings,
    hooks: compiled.hooks,
    journals: compiled.journals,
    identities: compiled.identities,
    authors: compiled.authors,
    authorTokens: createAuthorTokens({ hook: compiled.authors.token, gateway, clock, log }),
    answers: createMicroBatcher(),
    reads: createMicroBatcher(),
    gateway,
    failpoints,
    clock,
    random,
    newEventId: eventIds(random),
    log,
    safety: compiled.safety,
    redeliverMillis: compiled.redeliverMillis,
    instance: createInstanceGuard(store, instanceName(config, environment), {
      clock,
      log,
      beats: options.beatFile === undefined ? beatsInProcess() : beatsInFile(options.beatFile, log),
    }),
  };
  const secrets = createWebhookSecrets(store.directory, reveal, clock);
  const refused = countRefusedWebhooks(store.refusals, services.integrations, services);
  const workers = new Map<Worker, string>();
  const takesIn = options.takesIn ?? (() => [...workers.values()][0] ?? null);
  const wakeAll = (work: WorkerWork) => {
    for (const worker of workers.keys()) worker.wake(work);
  };

  async function contacts(connection: ConnectionId | undefined) {
    const book = await DirectorySnapshot.open(services);
    return book.contacts.filter(
      (contact) => connection === undefined || contact.connection.id === connection,
    );
  }

  return {
    services,
    migrate: () => store.migrate(compiled.mappings, compiled.journals),
    async connect(request) {
      try {
        return await connect(services, accountsSecrets, request);
      } finally {
        secrets.forget();
      }
    },
    startWorker(workerOptions = {}) {
      const name = options.workerName ?? `worker-${String(process.pid)}`;
      const worker = startWorker(services, { name, ...workerOptions });
      const tracked: Worker = {
        wake: (work) => {
          worker.wake(work);
        },
        async kill() {
          workers.delete(tracked);
          await worker.kill();
        },
        async stop() {
          workers.delete(tracked);
          await worker.stop();
        },
      };
      workers.set(tracked, name);
      return tracked;
    },
    async syncNow(connection) {
      for (const contact of await contacts(connection)) await pollConnection(services, contact);
    },
    async sweepNow(connection) {
      for (const contact of await contacts(connection)) await sweepConnection(services, contact);
    },
    async reconcile(connection, { dryRun = false } = {}) {
      const [contact] = await contacts(connection);
      if (contact === undefined) throw new Error(`there is no connection ${connection}`);
      return reconcileConnection(services, contact, { records: true, dryRun });
    },
    async sweepRecordsNow(connection) {
      const summaries: LocalSweepSummary[] = [];
      for (const contact of await contacts(connection)) {
        summaries.push(await sweepRecords(services, contact));
      }
      return summaries;
    },
    approveInstance: () => approveInstance(services),
    approve: (run) => store.heldRuns.move(run, "approved"),
    reject: (run) => store.heldRuns.move(run, "rejected"),
    async backfill(connection) {
      const [contact] = await contacts(connection);
      if (contact === undefined) throw new Error(`there is no connection ${connection}`);
      await openBackfills(services, contact, true);
    },
    backfills: () => store.directory.backfills(),
    settle: () => runUntilIdle(services),
    pause: (connection, reason) =>
      store.directory.updateConnection(connection, {
        inbound: false,
        outbound: false,
        pausedReason: reason,
      }),
    enable: (connection) => enableConnection(services, connection),
    enableRecord: (recordType, recordId) => enableRecord(services, recordType, recordId),
    on,
    working: () => workers.size > 0,
    webhookSecrets: (integration, asOf) => secrets.of(integration, asOf),
    receive: takeDeliveries({ services, worker: takesIn, wake: wakeAll }),
    refused,
    async stop() {
      stopListening();
      await Promise.all([...workers.keys()].map((worker) => worker.stop()));
      await refused.stop();
      await store.close();
    },
  };
}

async function openStore(
  source: DatabaseSource | undefined,
  { mappings, identities, timeZone }: ReturnType<typeof compileConfig>,
  random: Random,
): Promise<Store> {
  const options = { mappings, timeZone, ...(identities === null ? {} : { identities }) };
  if (source instanceof MemoryDatabase) return memoryStore(source, options);
  return postgresStore(await openDatabase(source), { ...options, random });
}

async function connect(
  services: Services,
  secrets: Secrets,
  request: ConnectRequest,
): Promise<Connection> {
  const { account, container, scope } = request;
  const { directory } = services.store;
  const fields = services.integrations.get(account.integration)?.secretFields ?? [];
  const sealed = secrets.seal(account.credentials, fields);
  // Tried before anything is stored: a mistyped token must not replace a working one.
  const client = services.gateway.attempt(account.integration, account.name, account.credentials);
  const identity = await client.identity();
  const found = await client.findContainer(container);
  const unfit = await findUnfitScope(services, { integration: account.integration, scope });
  if (unfit !== null) throw new ConfigError("scope_unfit", unfit.path, unfit.message, unfit.hint);
  const accountId = await directory.saveAccount({
    integration: account.integration,
    name: account.name,
    credentials: sealed,
    webhookSecrets: await secretsAfter(directory, secrets, account),
  });
  await directory.updateAccount(accountId, {
    identity,
    state: "active",
    reason: null,
    pausedUntil: null,
  });
  const id = await directory.saveConnection({
    accountId,
    integration: account.integration,
    containerId: found.id,
    containerName: found.name,
    scope,
  });
  const connection = (await directory.connections()).find((candidate) => candidate.id === id);
  if (connection === undefined) throw new Error(`connection ${container} was not saved`);
  await openPairing(services, connection);
  return connection;
}

/** If a key is declared, existing records and resources are paired before any resource is created. */
async function openPairing(services: Services, connection: Connection): Promise<void> {
  const known = await services.store.directory.backfills();
  if (known.some(({ connectionId }) => connectionId === connection.id)) return;
  const pairing = services.mappings.filter(
    ({ integration, pairBy }) => integration === connection.integration && pairBy !== null,
  );
  await services.store.transaction(async (tx) => {
    for (const { resource } of pairing) {
      await tx.backfills.open(connection.id, resource.type, { pairs: true, creates: false });
    }
  });
}

function instanceName({ instance }: AnyConfig, environment: Environment): string | null {
  const name = (instance ?? environment.TANDEM_INSTANCE_ID ?? "").trim();
  return name === "" ? null : name;
}
