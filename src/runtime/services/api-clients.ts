/**
 * API clients of accounts, each opened once. They save in the directory what answers tell besides their content: the
 * clock offset, the identity, the rate limit, and a container's new name.
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

export interface ApiClients {
  account(account: AccountRecord): AccountClient;
  /** A client with credentials that are not stored yet, to try them. */
  attempt(integration: string, name: string, credentials: unknown): AccountClient;
  container(contact: Contact): ContainerClient;
  /**
   * A client of the account's server under a user's own credentials, which must be literal, not a variable's name.
   *
   * @throws IntegrationError `credentials`.
   */
  asUser(account: AccountRecord, name: string, credentials: unknown): UserClient;
  /** The installation of the account, or `null`. */
  installation(account: AccountRecord): string | null;
  /** The actor as which the account acts; requested once and stored. */
  identity(account: AccountRecord): Promise<Actor>;
}

/** A client under a user's own token: for the user's identity and creates. */
export type UserClient = ReturnType<AccountClient["asUser"]>;

export interface GatewayOptions {
  readonly store: Store;
  readonly integrations: ReadonlyMap<string, Integration>;
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch;
  /** Replaces names of secrets by the secrets. */
  readonly reveal: (credentials: unknown) => unknown;
}

/** A change of the offset by less than this is not saved. */
const OFFSET_STEP = 2 * SECOND;
/** A change of the budget by less than this share of its limit is not saved. */
const BUDGET_STEP = 0.01;
/** How long a measured offset between this process and the database is used. */
const MEASURED_FOR = 60 * SECOND;

export function createApiClients(options: GatewayOptions): ApiClients {
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
      // Save the offset first: the budget's reset time is converted from the provider's clock with it.
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

  /** Saves a container's new name, because the webhook of a rename may be lost. */
  function keepName(account: AccountRecord, { containerId, containerName }: Telemetry): void {
    if (containerId === undefined || containerName === undefined) return;
    void writeName(account, containerId, containerName).catch(() => {
      // The next client that is opened for it finds the old name and tries again.
    });
  }

  async function writeName({ id }: AccountRecord, containerId: string, containerName: string) {
    const { directory } = options.store;
    for (const connection of await directory.connections()) {
      if (connection.accountId !== id || connection.containerId !== containerId) continue;
      await directory.updateConnection(connection.id, { containerName });
    }
  }

  /** Saves the rate limit, unless it changed little or the answer is older than the last one. */
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

  /** Saves the provider's offset to the database's clock, whose time local changes carry. */
  async function writeOffset(account: AccountRecord, fromProcess: number): Promise<void> {
    const measured = fromProcess + (await processOffset());
    const before = offsets.get(account.id) ?? account.clockOffset;
    // The Date header has a resolution of one second, so a smaller offset is noise.
    const offset = Math.abs(measured) < OFFSET_STEP ? 0 : measured;
    if (Math.abs(offset - before) < OFFSET_STEP && !(offset === 0 && before !== 0)) return;
    offsets.set(account.id, offset);
    await options.store.directory.updateAccount(account.id, { clockOffset: offset });
  }

  const gateway: ApiClients = {
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
        // Without the secret in this process the installation is unknown.
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

/** Measures this process's clock minus the database's, in microseconds, once a minute at most. */
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

/** A client of a paused account: its first success sets the account to active. */
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
