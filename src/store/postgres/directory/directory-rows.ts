/** Accounts and connections. */
import type { Account, Connection } from "../../../model/connection.ts";
import type { Actor } from "../../../model/content.ts";
import { accountId, connectionId } from "../../../model/ids.ts";
import { formatInstant, type Instant, parseInstant } from "../../../model/instant.ts";
import type { Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";
import type { AccountRecord, Directory } from "../../store.ts";
import { instantOrNull, textOrNull } from "../lanes/index.ts";
import { backfills } from "./backfill-rows.ts";

interface AccountRow {
  readonly id: string;
  readonly integration: string;
  readonly name: string;
  readonly credentials: unknown;
  readonly webhook_secrets: readonly unknown[];
  readonly state: Account["state"];
  readonly reason: string | null;
  readonly paused_until: string | null;
  readonly identity: Actor | null;
  readonly clock_offset: string;
  readonly rate_limit: number | null;
  readonly rate_remaining: number | null;
  readonly rate_resets_at: string | null;
}

interface ConnectionRow {
  readonly id: string;
  readonly account_id: string;
  readonly integration: string;
  readonly container_id: string;
  readonly container_name: string;
  readonly scope: string;
  readonly inbound: boolean;
  readonly outbound: boolean;
  readonly paused_reason: string | null;
  readonly high_water: Readonly<Record<string, string>>;
  readonly etags: Readonly<Record<string, string>>;
  readonly polled_at: string | null;
  /** Absent on a schema from before it, as the next one is. */
  readonly polled_well_at?: string | null;
  readonly poll_error?: string | null;
  readonly swept_at: string | null;
  readonly local_swept_at: string | null;
  /** Absent on a schema from before it. */
  readonly untracked_records?: string | null;
  /** Absent on a schema from before it. */
  readonly access_asked_at?: string | null;
  readonly pairing: readonly string[];
}

const PAIRING = `
  array(
    select resource_type
    from tandem.backfills
    where connection_id = connection.id and pairs and step not in ('create', 'done')
    order by resource_type
  ) as pairing`;

export function directory(database: Queryable): Directory {
  return {
    async accounts() {
      const { rows } = await database.query<AccountRow>(
        "select * from tandem.accounts order by id",
      );
      return rows.map(accountFromRow);
    },
    async connections() {
      const { rows } = await database.query<ConnectionRow>(
        `select connection.*, ${PAIRING} from tandem.connections as connection order by id`,
      );
      return rows.map(connectionFromRow);
    },
    async contacts() {
      // The connection's columns come last: of two of one name the last is kept.
      const { rows } = await database.query<AccountRow & ConnectionRow>(
        `select account.*, connection.*, ${PAIRING}
         from tandem.connections as connection
         join tandem.accounts as account on account.id = connection.account_id
         order by connection.id`,
      );
      const accounts = new Map<string, AccountRecord>();
      return rows.map((row) => {
        const account =
          accounts.get(row.account_id) ?? accountFromRow({ ...row, id: row.account_id });
        accounts.set(row.account_id, account);
        return { connection: connectionFromRow(row), account };
      });
    },
    backfills: () => backfills(database),
    async saveAccount({ integration, name, credentials, webhookSecrets }) {
      const { rows } = await database.query<{ id: string }>(
        `insert into tandem.accounts (integration, name, credentials, webhook_secrets)
         values ($1, $2, $3::jsonb, $4::jsonb)
         on conflict (integration, name) do update
         set credentials = excluded.credentials, webhook_secrets = excluded.webhook_secrets
         returning id`,
        [integration, name, storableJson(credentials), storableJson(webhookSecrets)],
      );
      return accountId(theOnly(rows).id);
    },
    async saveConnection({ accountId: account, integration, containerId, containerName, scope }) {
      const { rows } = await database.query<{ id: string }>(
        `insert into tandem.connections
           (account_id, integration, container_id, container_name, scope)
         values ($1, $2, $3, $4, $5)
         on conflict (integration, container_id, scope) do update
         set account_id = excluded.account_id, container_name = excluded.container_name
         returning id`,
        [account, integration, containerId, containerName, scope],
      );
      return connectionId(theOnly(rows).id);
    },
    async updateAccount(id, changes) {
      await update(database, "accounts", id, [
        ["state", changes.state],
        ["reason", changes.reason],
        ["paused_until", written(changes.pausedUntil, textOrNull)],
        ["clock_offset", changes.clockOffset],
        ["identity", written(changes.identity, storableJson)],
        ["rate_limit", written(changes.budget, (budget) => budget?.limit ?? null)],
        ["rate_remaining", written(changes.budget, (budget) => budget?.remaining ?? null)],
        [
          "rate_resets_at",
          written(changes.budget, (budget) => textOrNull(budget?.resetsAt ?? null)),
        ],
      ]);
    },
    async updateConnection(id, changes) {
      await update(database, "connections", id, [
        ["inbound", changes.inbound],
        ["outbound", changes.outbound],
        ["paused_reason", changes.pausedReason],
        ["container_name", changes.containerName],
        ["high_water", written(changes.highWater, timesAsJson)],
        ["etags", written(changes.etags, storableJson)],
        ["polled_at", written(changes.polledAt, textOrNull)],
        ["polled_well_at", written(changes.polledWellAt, textOrNull)],
        ["poll_error", changes.pollError],
        ["swept_at", written(changes.sweptAt, textOrNull)],
        ["local_swept_at", written(changes.localSweptAt, textOrNull)],
        ["untracked_records", changes.untrackedRecords],
        ["access_asked_at", written(changes.accessAskedAt, textOrNull)],
      ]);
    },
  };
}

type Assignment = readonly [column: string, value: unknown];

/** Writes the columns that are given; `undefined` leaves one as it is. */
async function update(
  database: Queryable,
  table: "accounts" | "connections",
  id: string,
  assignments: readonly Assignment[],
): Promise<void> {
  const given = assignments.filter(([, value]) => value !== undefined);
  if (given.length === 0) return;
  const set = given.map(([column], index) => `${column} = $${index + 2}`);
  await database.query(`update tandem.${table} set ${set.join(", ")} where id = $1`, [
    id,
    ...given.map(([, value]) => value),
  ]);
}

function written<T>(value: T | undefined, write: (value: T) => unknown): unknown {
  return value === undefined ? undefined : write(value);
}

function timesAsJson(times: Readonly<Record<string, Instant>>): string {
  return storableJson(
    Object.fromEntries(Object.entries(times).map(([type, at]) => [type, formatInstant(at)])),
  );
}

function accountFromRow(row: AccountRow): AccountRecord {
  return {
    id: accountId(row.id),
    integration: row.integration,
    name: row.name,
    credentials: row.credentials,
    webhookSecrets: row.webhook_secrets,
    state: row.state,
    reason: row.reason,
    pausedUntil: instantOrNull(row.paused_until),
    identity: row.identity,
    clockOffset: Number(row.clock_offset),
    budget: budgetOf(row),
  };
}

function budgetOf(row: AccountRow): Account["budget"] {
  const { rate_limit: limit, rate_remaining: remaining } = row;
  const resetsAt = instantOrNull(row.rate_resets_at);
  if (limit === null || remaining === null || resetsAt === null) return null;
  return { limit, remaining, resetsAt };
}

function connectionFromRow(row: ConnectionRow): Connection {
  return {
    id: connectionId(row.id),
    accountId: accountId(row.account_id),
    integration: row.integration,
    containerId: row.container_id,
    containerName: row.container_name,
    scope: row.scope,
    inbound: row.inbound,
    outbound: row.outbound,
    pausedReason: row.paused_reason,
    highWater: Object.fromEntries(
      Object.entries(row.high_water).map(([type, at]) => [type, parseInstant(at)]),
    ),
    etags: row.etags,
    polledAt: instantOrNull(row.polled_at),
    polledWellAt: instantOrNull(row.polled_well_at ?? null),
    pollError: row.poll_error ?? null,
    sweptAt: instantOrNull(row.swept_at),
    localSweptAt: instantOrNull(row.local_swept_at),
    untrackedRecords: row.untracked_records == null ? null : Number(row.untracked_records),
    accessAskedAt: instantOrNull(row.access_asked_at ?? null),
    pairing: row.pairing,
  };
}

function theOnly<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error("the statement returned no row");
  return row;
}
