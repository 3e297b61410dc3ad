/**
 * Locking lanes and reading them whole.
 *
 * Lanes are locked in the order of their ids, by a statement of their own. Under READ COMMITTED a
 * statement that waited for a lock reads every other table as it was before the wait, so content
 * and events are read by later statements. For the same reason lanes that were found by their
 * events are looked at again once they are locked: another worker may have been there meanwhile.
 */
import { nextEvent, processing } from "../../../engine/lane/index.ts";
import type { TandemEvent } from "../../../model/event.ts";
import { type ConnectionId, type LaneId, laneId } from "../../../model/ids.ts";
import { formatInstant, type Instant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { Queryable, QueryResult } from "../../database/index.ts";
import { allOf } from "../../database/index.ts";
import type { ResourceRelations } from "../../rules/index.ts";
import { eventFromRow, type EventRow, type ResourceNames } from "./event-rows.ts";
import { laneFromRows, type LaneRow, type RecordRow } from "./lane-rows.ts";

/** A lane that a transaction holds, with what its events are called by. */
export interface HeldLane extends ResourceNames {
  /** The lane as it is to be made; `null`: there is one, and it is locked. */
  readonly reserved: Lane | null;
}

export type HeldLanes = Map<LaneId, HeldLane>;

type LockedRow = LaneRow & { readonly integration: string };

const LOCK = `
select lanes.*, connections.integration
from tandem.lanes
join tandem.connections on connections.id = lanes.connection_id
where lanes.id = any($1::bigint[])
order by lanes.id
for update of lanes`;

const LOCK_FREE = `${LOCK} skip locked`;

const READ = `
select lanes.*, connections.integration
from tandem.lanes
join tandem.connections on connections.id = lanes.connection_id
where lanes.id = any($1::bigint[])
order by lanes.id`;

// More lanes are looked at than are wanted, for others may hold some. The array is made once, where
// a subquery in the `from` could be run for every lane.
const lockDue = (due: string) => `
select lanes.*, connections.integration
from unnest(array(select ${due}))
  with ordinality as due (lane_id, place)
join tandem.lanes on lanes.id = due.lane_id
join tandem.connections on connections.id = lanes.connection_id
order by due.place
limit $2::integer
for update of lanes skip locked`;

const LOCK_DUE = lockDue("tandem.due_lanes($1::timestamptz, $2::integer * 4 + 16)");
const LOCK_DUE_BESIDES = lockDue(
  "tandem.due_lanes_besides($1::timestamptz, $2::integer * 4 + 16, $3::bigint[])",
);

// `events_live_one_processing` holds only what is under way.
const LOCK_EXPIRED = `
select lanes.*, connections.integration
from tandem.events_live as expired
join tandem.lanes on lanes.id = expired.lane_id
join tandem.connections on connections.id = lanes.connection_id
where expired.state = 'processing' and expired.lease_expires_at <= $1::timestamptz
order by expired.lease_expires_at
limit $2
for update of lanes skip locked`;

export async function lockLanes(
  tx: Queryable,
  held: HeldLanes,
  relations: ResourceRelations,
  ids: readonly LaneId[],
  others: "wait" | "skip" = "wait",
): Promise<readonly Lane[]> {
  const reserved = ids.flatMap((id) => held.get(id)?.reserved ?? []);
  const made = ids.filter((id) => (held.get(id)?.reserved ?? null) === null);
  if (made.length === 0) return inOrder(reserved);
  const [{ rows }, ...wide] = await allOf(
    tx.query<LockedRow>(others === "wait" ? LOCK : LOCK_FREE, [made]),
    ...readWide(tx, made),
  );
  return inOrder([...reserved, ...hold(held, relations, rows, wide)]);
}

/** The order of lanes' ids, which count up. */
function inOrder(lanes: readonly Lane[]): readonly Lane[] {
  return [...lanes].sort((a, b) => Number(a.id) - Number(b.id));
}

/** Lanes with an event due and nobody working on them, those that wait longest first. */
export async function lockDueLanes(
  tx: Queryable,
  held: HeldLanes,
  relations: ResourceRelations,
  now: Instant,
  limit: number,
  leftOut: readonly ConnectionId[],
): Promise<readonly Lane[]> {
  const given = [formatInstant(now), limit];
  const { rows } =
    leftOut.length === 0
      ? await tx.query<LockedRow>(LOCK_DUE, given)
      : await tx.query<LockedRow>(LOCK_DUE_BESIDES, [...given, leftOut]);
  const lanes = await readHeld(tx, held, relations, rows);
  return lanes.filter((lane) => nextEvent(lane, now) !== null);
}

/** Lanes whose processing event has outlived its lease. */
export async function lockExpiredLanes(
  tx: Queryable,
  held: HeldLanes,
  relations: ResourceRelations,
  now: Instant,
  limit: number,
): Promise<readonly Lane[]> {
  const { rows } = await tx.query<LockedRow>(LOCK_EXPIRED, [formatInstant(now), limit]);
  const lanes = await readHeld(tx, held, relations, rows);
  return lanes.filter((lane) => (processing(lane)?.leaseExpiresAt ?? Infinity) <= now);
}

/** Lanes of a connection with events in a state, in the order of their ids, behind the one given. */
export async function lockLanesInState(
  tx: Queryable,
  held: HeldLanes,
  relations: ResourceRelations,
  connection: ConnectionId,
  state: TandemEvent["state"],
  limit: number,
  after: LaneId | null,
): Promise<readonly Lane[]> {
  const { rows } = await tx.query<{ lane_id: string }>(
    `select distinct lane_id
     from tandem.events_live
     where connection_id = $1 and state = $2 and lane_id > $3::bigint
     order by lane_id
     limit $4`,
    [connection, state, after ?? "0", limit],
  );
  const ids = rows.map((row) => laneId(row.lane_id));
  const lanes = await lockLanes(tx, held, relations, ids);
  return lanes.filter((lane) => lane.live.some((event) => event.state === state));
}

/** Reads lanes without locking them: to show, never to decide. */
export async function readLanes(
  reader: Queryable,
  ids: readonly LaneId[],
): Promise<readonly Lane[]> {
  if (ids.length === 0) return [];
  const { rows } = await reader.query<LockedRow>(READ, [ids]);
  return lanesFrom(rows, await allOf(...readWide(reader, idsOf(rows))));
}

async function readHeld(
  tx: Queryable,
  held: HeldLanes,
  relations: ResourceRelations,
  rows: readonly LockedRow[],
): Promise<readonly Lane[]> {
  if (rows.length === 0) return [];
  return hold(held, relations, rows, await allOf(...readWide(tx, idsOf(rows))));
}

function hold(
  held: HeldLanes,
  relations: ResourceRelations,
  rows: readonly LockedRow[],
  wide: Wide,
): readonly Lane[] {
  for (const row of rows) {
    held.set(laneId(row.id), {
      resourceType: row.resource_type,
      relation: relations.relationOf(row.integration, row.resource_type),
      reserved: null,
    });
  }
  return lanesFrom(rows, wide);
}

/** The content of lanes, and their live events. */
type Wide = readonly [QueryResult<RecordRow>, QueryResult<EventRow>];

/** Statements of their own, behind the one that locks: each sees what was committed when it begins. */
function readWide(reader: Queryable, ids: readonly string[]) {
  return [
    reader.query<RecordRow>(
      "select * from tandem.integration_records where id = any($1::bigint[])",
      [ids],
    ),
    reader.query<EventRow>("select * from tandem.live_events($1::bigint[]) order by id", [ids]),
  ] as const;
}

function idsOf(rows: readonly LaneRow[]): readonly string[] {
  return rows.map(({ id }) => id);
}

function lanesFrom(rows: readonly LaneRow[], [records, live]: Wide): readonly Lane[] {
  const recordOf = new Map(records.rows.map((record) => [record.id, record]));
  const liveOf = new Map<string, TandemEvent[]>(rows.map((row) => [row.id, []]));
  for (const row of live.rows) liveOf.get(row.lane_id)?.push(eventFromRow(row));
  return rows.map((row) => {
    const record = recordOf.get(row.id);
    if (record === undefined) throw new Error(`lane ${row.id} has no integration record`);
    return laneFromRows(row, record, liveOf.get(row.id) ?? []);
  });
}
