/** The composition root: the one place that names concrete stores and opens everything. */
import { randomInt } from "node:crypto";
import { type AnyConfig, compileConfig } from "./config.ts";
import { enableLane } from "./engine/restart.ts";
import type { Clock, Random } from "./model/clock.ts";
import type { Connection } from "./model/connection.ts";
import { type ConnectionId, eventIds } from "./model/ids.ts";
import { AddressBook } from "./runtime/address-book.ts";
import { createGateway } from "./runtime/gateway.ts";
import { type Log, silentLog } from "./runtime/log.ts";
import { pollConnection } from "./runtime/poll.ts";
import { type Environment, revealSecrets } from "./runtime/secrets.ts";
import type { Services } from "./runtime/services.ts";
import { settle, type Settled } from "./runtime/settle.ts";
import { sweepConnection } from "./runtime/sweep.ts";
import { systemClock } from "./runtime/system-clock.ts";
import { startWorker, type Worker, type WorkerOptions } from "./runtime/worker.ts";
import type { Database } from "./store/database.ts";
import { openDatabase } from "./store/postgres/open-database.ts";
import { postgresStore } from "./store/postgres/postgres-store.ts";
import type { Store } from "./store/store.ts";

/** What is not configuration: time, randomness and the way out. */
export interface TandemOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  /** The `fetch` that adapters use. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Where named secrets are looked up. Default: `process.env`. */
  readonly environment?: Environment;
  readonly workerName?: string;
}

/** An account and one of its containers, joined to a scope value of the app. */
export interface ConnectRequest {
  readonly account: {
    readonly name: string;
    readonly integration: string;
    /** Secrets may be named: `{ token: { env: "GITHUB_TOKEN" } }`. */
    readonly credentials: unknown;
    /** The webhook's secret, or `{ env: NAME }`. */
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
  /** Joins a container to a scope value; again, it brings the account up to date. */
  connect(request: ConnectRequest): Promise<Connection>;
  /** Starts the loops in this process. */
  startWorker(options?: Partial<WorkerOptions>): Worker;
  /** Polls connections now: all of them, or one. */
  syncNow(connection?: ConnectionId): Promise<void>;
  /** Sweeps connections now: all of them, or one. */
  sweepNow(connection?: ConnectionId): Promise<void>;
  /** Moves everything along until nothing is due. */
  settle(): Promise<Settled>;
  /** Switches a connection off: what comes in is kept, and nothing is processed. */
  pause(connection: ConnectionId, reason: string): Promise<void>;
  /** Switches it on again: the newest event of each lane goes on, with a re-read. */
  enable(connection: ConnectionId): Promise<void>;
  /** Whether workers run in this process. */
  working(): boolean;
  /** The secrets that may have signed an integration's webhooks. */
  readonly webhookSecrets: (integration: string) => Promise<readonly string[]>;
  /** Stops this process's workers and closes what was opened here. */
  stop(): Promise<void>;
}

/** Opens everything a configuration names. Users meet it as `createTandem`. */
export async function composeTandem(
  config: AnyConfig,
  options: TandemOptions = {},
): Promise<TandemCore> {
  const compiled = compileConfig(config);
  const clock = options.clock ?? systemClock;
  const random = options.random ?? secureRandom;
  const environment = options.environment ?? process.env;
  const database = await openDatabase(config.database);
  const store = await openStore(database, compiled, random);
  const services: Services = {
    store,
    integrations: compiled.integrations,
    mappings: compiled.mappings,
    gateway: createGateway({
      store,
      integrations: compiled.integrations,
      clock,
      reveal: (credentials) => revealSecrets(credentials, environment),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    }),
    clock,
    random,
    newEventId: eventIds(random),
    log: options.log ?? silentLog,
  };
  const workers = new Set<Worker>();

  async function contacts(connection: ConnectionId | undefined) {
    const book = await AddressBook.open(services);
    return book.contacts.filter(
      (contact) => connection === undefined || contact.connection.id === connection,
    );
  }

  return {
    services,
    migrate: () => store.migrate(compiled.mappings),
    connect: (request) => connect(services, request),
    startWorker(workerOptions = {}) {
      const name = options.workerName ?? `worker-${String(process.pid)}`;
      const worker = startWorker(services, { name, ...workerOptions });
      const tracked: Worker = {
        wake: () => {
          worker.wake();
        },
        kill() {
          workers.delete(tracked);
          worker.kill();
        },
        async stop() {
          workers.delete(tracked);
          await worker.stop();
        },
      };
      workers.add(tracked);
      return tracked;
    },
    async syncNow(connection) {
      for (const contact of await contacts(connection)) await pollConnection(services, contact);
    },
    async sweepNow(connection) {
      for (const contact of await contacts(connection)) await sweepConnection(services, contact);
    },
    settle: () => settle(services),
    pause: (connection, reason) =>
      store.directory.updateConnection(connection, {
        inbound: false,
        outbound: false,
        pausedReason: reason,
      }),
    enable: (connection) => enable(services, connection),
    working: () => workers.size > 0,
    async webhookSecrets(integration) {
      const accounts = await store.directory.accounts();
      return accounts
        .filter((account) => account.integration === integration)
        .flatMap((account) => account.webhookSecrets)
        .map((secret) => revealSecrets(secret, environment))
        .filter((secret): secret is string => typeof secret === "string");
    },
    async stop() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await store.close();
    },
  };
}

async function openStore(
  database: Database,
  compiled: ReturnType<typeof compileConfig>,
  random: Random,
): Promise<Store> {
  return postgresStore(database, {
    mappings: compiled.mappings,
    ...(compiled.identities === null ? {} : { identities: compiled.identities }),
    random,
  });
}

async function connect(services: Services, request: ConnectRequest): Promise<Connection> {
  const { account, container, scope } = request;
  const { directory } = services.store;
  // Tried before anything is stored: a mistyped token must not take the place of one that works.
  const client = services.gateway.attempt(account.integration, account.name, account.credentials);
  const identity = await client.identity();
  const found = await client.findContainer(container);
  const accountId = await directory.saveAccount({
    integration: account.integration,
    name: account.name,
    credentials: account.credentials,
    webhookSecrets: account.webhookSecret === undefined ? [] : [account.webhookSecret],
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
  return connection;
}

async function enable(services: Services, connection: ConnectionId): Promise<void> {
  await services.store.directory.updateConnection(connection, {
    inbound: true,
    outbound: true,
    pausedReason: null,
  });
  for (;;) {
    const count = await services.store.transaction(async (tx) => {
      const lanes = await tx.lockLanesInState(connection, "disabled", 200);
      await tx.saveLanes(lanes.map((before) => ({ before, after: enableLane(before, tx.now) })));
      return lanes.length;
    });
    if (count === 0) return;
  }
}

function secureRandom(): number {
  return randomInt(2 ** 47) / 2 ** 47;
}
