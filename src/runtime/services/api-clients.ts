/**
 * The way out: API clients of accounts, opened once, with what their answers tell beside their
 * content (clock offset, identity, a container's new name) kept in the directory.
 */
import { ownTime } from "../../engine/lane/index.ts";
import type {
  AccountClient,
  ContainerClient,
  Integration,
  Telemetry,
} from "../../integrations/integration.ts";
import type { Clock } from "../../model/clock.ts";
import type { Actor } from "../../model/content.ts";
import type { AccountId } from "../../model/ids.ts";
import { type Instant, SECOND } from "../../model/instant.ts";
import type { AccountRecord, Store } from "../../store/store.ts";
import type { Contact } from "./directory-snapshot.ts";

export interface Gateway {
  account(account: AccountRecord): AccountClient;
  /** A client of credentials that are not stored yet, to try them. */
  attempt(integration: string, name: string, credentials: unknown): AccountClient;
  container(contact: Contact): ContainerClient;
  /** The account's server under a user's own credentials, as they are: no secret's name. @throws IntegrationError `credentials`. */
  asUser(account: AccountRecord, name: string, credentials: unknown): UserClient;
  /** The installation that the account logs in as, or `null`. */
  installation(account: AccountRecord): string | null;
  /** Who we are at the account; asked once and remembered. */
  identity(account: AccountRecord): Promise<Actor>;
}

/** What a user's own token is for: who they are, and what they create. */
export type UserClient = ReturnType<AccountClient["asUser"]>;

export interface GatewayOptions {
  readonly store: Store;
  readonly integrations: ReadonlyMap<string, Integration>;
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch;
  /** Puts secrets in the place of their names. */
  readonly reveal: (credentials: unknown) => unknown;
}

/** An offset that moves by less than this is not written again. */
const OFFSET_STEP = 2 * SECOND;
/** The share of a whole budget by which it moves before it is written again. */
const BUDGET_STEP = 0.01;
/** How long it is believed that this process and the database differ as they did. */
const MEASURED_FOR = 60 * SECOND;

export function createGateway(options: GatewayOptions): Gateway {
  const clients = new Map<
    AccountId,
    { readonly credentials: string; readonly client: AccountClient }
  >();
  const offsets = new Map<AccountId, number>();
  const budgets = new Map<AccountId, NonNullable<AccountRecord["budget"]>>();
  const processOffset = measureProcess(options.store, options.clock);

  function attempt(integrationName: string, name: string, credentials: unknown): AccountClient {
    const integration = options.integrations.get(integrationName);
    if (integration === undefined) {
      throw new Error(
        `account ${name} is of the integration ${integrationName}, which is not configured`,
      );
    }
    return integration.connect({
      name,
      credentials: options.reveal(credentials),
      now: () => options.clock.now(),
      setTimer: (millis, fire) => options.clock.setTimer(millis, fire),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    });
  }

  function open(account: AccountRecord): AccountClient {
    const client = attempt(account.integration, account.name, account.credentials);
    client.onTelemetry((telemetry) => {
      // The offset comes first: without it the budget's reset would be at a time of the provider's clock.
      void keepOffset(account, telemetry).then(() => {
        keepBudget(account, telemetry);
      });
      keepName(account, telemetry);
    });
    return client;
  }

  async function keepOffset(account: AccountRecord, { clockOffset }: Telemetry): Promise<void> {
    if (clockOffset === null) return;
    try {
      await writeOffset(account, clockOffset);
    } catch {
      offsets.delete(account.id);
    }
  }

  /** What its webhook said may have been lost; the answers of a renamed container say it too. */
  function keepName(account: AccountRecord, { containerId, containerName }: Telemetry): void {
    if (containerId === undefined || containerName === undefined) return;
    void writeName(account, containerId, containerName).catch(() => {
      // The next client opened for it finds the old name in the directory, and tells again.
    });
  }

  async function writeName({ id }: AccountRecord, containerId: string, containerName: string) {
    const { directory } = options.store;
    for (const connection of await directory.connections()) {
      if (connection.accountId !== id || connection.containerId !== containerId) continue;
      await directory.updateConnection(connection.id, { containerName });
    }
  }

  /** A budget that moves by a little, or was told out of turn, is not written again. */
  function keepBudget(account: AccountRecord, { limit, remaining, resetAt }: Telemetry): void {
    if (limit === null || remaining === null || resetAt === null) return;
    const before = budgets.get(account.id) ?? account.budget;
    const resetsAt = ownTime(resetAt, offsets.get(account.id) ?? account.clockOffset);
    const isNew = before === null || before.resetsAt < resetsAt || before.limit !== limit;
    const step = Math.max(1, limit * BUDGET_STEP);
    if (!isNew && before.remaining - remaining < step) return;
    const budget = { limit, remaining, resetsAt };
    budgets.set(account.id, budget);
    void options.store.directory.updateAccount(account.id, { budget }).catch(() => {
      budgets.delete(account.id);
    });
  }

  /** Local changes carry the database's time, so it is that clock the provider's is compared with. */
  async function writeOffset(account: AccountRecord, fromProcess: number): Promise<void> {
    const measured = fromProcess + (await processOffset());
    const before = offsets.get(account.id) ?? account.clockOffset;
    // The Date header has steps of a second, so a smaller offset is none.
    const offset = Math.abs(measured) < OFFSET_STEP ? 0 : measured;
    if (Math.abs(offset - before) < OFFSET_STEP && !(offset === 0 && before !== 0)) return;
    offsets.set(account.id, offset);
    await options.store.directory.updateAccount(account.id, { clockOffset: offset });
  }

  const gateway: Gateway = {
    attempt,
    account(account) {
      const credentials = JSON.stringify(account.credentials);
      const known = clients.get(account.id);
      if (known?.credentials === credentials) return known.client;
      const client = open(account);
      clients.set(account.id, { credentials, client });
      return client;
    },
    container({ account, connection }) {
      const client = gateway
        .account(account)
        .container({ id: connection.containerId, name: connection.containerName });
      return account.state === "active" ? client : healing(client, account, options.store);
    },
    asUser(account, name, credentials) {
      return gateway.account(account).asUser(name, credentials);
    },
    installation({ integration, credentials }) {
      try {
        const revealed = options.reveal(credentials);
        return options.integrations.get(integration)?.installationOf?.(revealed) ?? null;
      } catch {
        // A secret that is not set here says nothing of the installation.
        return null;
      }
    },
    async identity(account) {
      if (account.identity !== null) return account.identity;
      const identity = await gateway.account(account).identity();
      await options.store.directory.updateAccount(account.id, { identity });
      return identity;
    },
  };
  return gateway;
}

/** This process's clock minus the database's, in microseconds; measured now and then. */
function measureProcess(store: Store, clock: Clock): () => Promise<number> {
  let last: { readonly at: Instant; readonly offset: Promise<number> } | null = null;
  async function measure(sentAt: Instant): Promise<number> {
    const theirs = await store.transaction((tx) => Promise.resolve(tx.now));
    const receivedAt = clock.now();
    const isBetween = sentAt <= theirs && theirs <= receivedAt;
    return isBetween ? 0 : Math.round((sentAt + receivedAt) / 2 - theirs);
  }
  return async () => {
    const now = clock.now();
    if (last === null || Math.abs(now - last.at) >= MEASURED_FOR) {
      last = { at: now, offset: measure(now) };
    }
    try {
      return await last.offset;
    } catch (error) {
      last = null;
      throw error;
    }
  };
}

/** A client of an account that was paused: its first success says that the account works again. */
function healing(client: ContainerClient, account: AccountRecord, store: Store): ContainerClient {
  async function healed<T>(answer: T): Promise<T> {
    const { directory } = store;
    await directory.updateAccount(account.id, { state: "active", reason: null, pausedUntil: null });
    return answer;
  }
  return {
    read: (...args) => client.read(...args).then(healed),
    readIfChanged: (...args) => client.readIfChanged(...args).then(healed),
    create: (...args) => client.create(...args).then(healed),
    patch: (...args) => client.patch(...args).then(healed),
    delete: (...args) => client.delete(...args).then(healed),
    close: (...args) => client.close(...args).then(healed),
    children: (...args) => client.children(...args).then(healed),
    async *list(...args) {
      for await (const page of client.list(...args)) yield await healed(page);
    },
  };
}
