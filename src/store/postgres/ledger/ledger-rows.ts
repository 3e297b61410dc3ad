/** Reading the ledger, for people and programs that want to know; nothing here decides. */
import { connectionId, laneId } from "../../../model/ids.ts";
import { parseInstant } from "../../../model/instant.ts";
import type { OffCause } from "../../../model/lane.ts";
import type { Queryable } from "../../database/index.ts";
import type { DisabledPairing, DueNow, EventQuery, Ledger, LedgerEvent } from "../../ledger.ts";
import {
  eventFromRow,
  type EventRow,
  instantOrNull,
  pairingOffFromRow,
  readLanes,
} from "../lanes/index.ts";
import { standings } from "./standing-rows.ts";

type LiveState = "queued" | "processing" | "errored" | "disabled";

/**
 * The times at which the next event, lease and delivery fall due. The next event of a lane follows the same
 * rule as claims: inbound first.
 */
const NEXT_DUE = `
select
  tandem.now() as now,
  (
    select min(waiting.run_at)
    from tandem.events_live as waiting
    where waiting.state = 'queued'
      and not exists (
        select from tandem.events_live as busy
        where busy.lane_id = waiting.lane_id and busy.state = 'processing'
      )
      and (
        waiting.direction = 'inbound'
        or not exists (
          select from tandem.events_live as first
          where first.lane_id = waiting.lane_id
            and first.state = 'queued'
            and first.direction = 'inbound'
        )
      )
  ) as due,
  (select min(lease_expires_at) from tandem.events_live where state = 'processing') as lease_due,
  (
    select min(run_at) from tandem.deliveries where state in ('received', 'failed')
  ) as delivery_due`;

const DUE_NOW = `
select
  exists (
    select from tandem.deliveries
    where state in ('received', 'failed') and run_at <= clock.now
  ) as deliveries,
  exists (select from tandem.changes) as changes,
  exists (select from tandem.links where run_at <= clock.now) as links,
  exists (
    select from tandem.events_live
    where state = 'processing' and lease_expires_at <= clock.now
  ) as leases,
  exists (select from tandem.due_lanes(clock.now, 1)) as events,
  exists (select from tandem.after_commits where run_at <= clock.now) as "afterCommits",
  exists (
    select from tandem.backfills
    where finished_at is null
      and run_at <= clock.now
      and (leased_until is null or leased_until <= clock.now)
  ) as backfills
from (select tandem.now() as now) as clock`;

export function ledger(database: Queryable): Ledger {
  return {
    async events(query) {
      const { text, params } = eventsStatement(query);
      const { rows } = await database.query<LedgerRow>(text, params);
      return rows.map(ledgerEvent);
    },
    async lanesOfRecord(recordType, recordId) {
      const { rows } = await database.query<{ id: string }>(
        "select id from tandem.lanes where record_type = $1 and record_id = $2 order by id",
        [recordType, recordId],
      );
      return readLanes(
        database,
        rows.map((row) => laneId(row.id)),
      );
    },
    standings: (recordType, recordIds) => standings(database, recordType, recordIds),
    async counts() {
      const states = await database.query<{ state: LiveState; count: string }>(
        "select state, count(*) as count from tandem.events_live group by state",
      );
      const live = { queued: 0, processing: 0, errored: 0, disabled: 0 };
      for (const row of states.rows) live[row.state] = Number(row.count);
      const changes = await database.query<{ count: string }>(
        "select count(*) as count from tandem.changes",
      );
      return { live, undrained: Number(changes.rows[0]?.count ?? 0) };
    },
    async disabledPairings(limit) {
      const total = await database.query<{ count: string }>(
        "select count(*) as count from tandem.lanes where disabled is not null",
      );
      const { rows } = await database.query<DisabledRow>(
        `select *
         from tandem.lanes
         where disabled is not null
         order by connection_id, id
         limit $1`,
        [limit],
      );
      return { count: Number(total.rows[0]?.count ?? 0), pairings: rows.flatMap(disabledPairing) };
    },
    async now() {
      const { rows } = await database.query<{ now: string }>("select tandem.now() as now");
      return timeOf(rows[0]).now;
    },
    async dueNow() {
      const { rows } = await database.query<DueNow>(DUE_NOW);
      if (rows[0] === undefined) throw new Error("the database said nothing of what is due");
      return rows[0];
    },
    async nextDue() {
      const { rows } = await database.query<{
        now: string;
        due: string | null;
        lease_due: string | null;
        delivery_due: string | null;
      }>(NEXT_DUE);
      const { row, now } = timeOf(rows[0]);
      return {
        now,
        due: instantOrNull(row.due),
        leaseDue: instantOrNull(row.lease_due),
        deliveryDue: instantOrNull(row.delivery_due),
      };
    },
  };
}

function timeOf<Row extends { readonly now: string }>(row: Row | undefined) {
  if (row === undefined) throw new Error("the database told no time");
  return { row, now: parseInstant(row.now) };
}

interface DisabledRow {
  readonly id: string;
  readonly connection_id: string;
  readonly resource_type: string;
  readonly external_id: string | null;
  readonly record_type: string;
  readonly record_id: string | null;
  readonly disabled: string | null;
  readonly disabled_cause: OffCause | null;
}

function disabledPairing(row: DisabledRow): readonly DisabledPairing[] {
  const off = pairingOffFromRow(row);
  if (off === null) return [];
  const pairing = {
    laneId: laneId(row.id),
    connectionId: connectionId(row.connection_id),
    resourceType: row.resource_type,
    externalId: row.external_id,
    recordType: row.record_type,
    recordId: row.record_id,
    ...off,
  };
  return [pairing];
}

/**
 * A record's events are found by its lanes, for an event may be older than its record; its own
 * writes, which have no lane, by itself. Each half by its own index: one condition with `or` would
 * read the whole ledger.
 */
function eventsStatement(query: EventQuery): { text: string; params: readonly unknown[] } {
  const params: unknown[] = [];
  const parameter = (value: unknown): string => `$${String(params.push(value))}`;
  const conditions: string[] = [];
  const where = (condition: (parameter: string) => string, value: unknown) => {
    if (value !== undefined) conditions.push(condition(parameter(value)));
  };
  where((p) => `id = ${p}::uuid`, query.id);
  where((p) => `state = ${p}`, query.state);
  where((p) => `direction = ${p}`, query.direction);
  where((p) => `connection_id = ${p}::bigint`, query.connectionId);
  where((p) => `integration_record_id = ${p}::bigint`, query.laneId);
  where((p) => `id < ${p}::uuid`, query.before);
  const { record, journal = "too" } = query;
  if (journal === "without") conditions.push("integration_record_id is not null");
  if (journal === "only") conditions.push("integration_record_id is null");
  const limit = parameter(query.limit);
  const newest = (...more: readonly string[]): string => {
    const all = [...conditions, ...more];
    return `
    select *, integration_record_id as lane_id
    from tandem.events
    ${all.length === 0 ? "" : `where ${all.join(" and ")}`}
    order by id desc
    limit ${limit}`;
  };
  if (record === undefined) return { text: newest(), params };
  const [type, id] = [parameter(record.type), parameter(record.id)];
  const own = newest(
    ...["integration_record_id is null", `record_type = ${type}`, `record_id = ${id}`],
  );
  if (journal === "only") return { text: own, params };
  const synced = newest(`integration_record_id in (
      select lanes.id from tandem.lanes
      where lanes.record_type = ${type} and lanes.record_id = ${id}
    )`);
  if (journal === "without") return { text: synced, params };
  const text = `
    select * from ((${synced}) union all (${own})) as events
    order by id desc
    limit ${limit}`;
  return { text, params };
}

/** A record's own write has no lane, and nothing of a resource. */
type LedgerRow = Omit<EventRow, keyof Unpaired> & Unpaired;

interface Unpaired {
  readonly lane_id: string | null;
  readonly connection_id: string | null;
  readonly resource_type: string | null;
  readonly integration_record_type: string | null;
  readonly epoch: string | null;
}

function ledgerEvent(row: LedgerRow): LedgerEvent {
  const { lane_id: lane, connection_id: connection } = row;
  const whole = {
    ...row,
    lane_id: lane ?? "0",
    connection_id: connection ?? "0",
    epoch: row.epoch ?? "0",
  };
  return {
    ...eventFromRow({
      ...whole,
      resource_type: row.resource_type ?? "",
      integration_record_type: row.integration_record_type ?? "",
    }),
    laneId: lane === null ? null : laneId(lane),
    connectionId: connection === null ? null : connectionId(connection),
    resourceType: row.resource_type,
    relation: row.integration_record_type,
  };
}
