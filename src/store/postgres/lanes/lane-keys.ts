/** Finding lanes by what identifies them. */
import { type ConnectionId, connectionId, type LaneId, laneId } from "../../../model/ids.ts";
import { formatInstant, type Instant, parseInstant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { EndedSide, RecordMove } from "../../../model/tombstone.ts";
import type { Queryable } from "../../database/index.ts";
import type { LaneKey, LaneOfOpenCreate, LaneOfToken } from "../../store.ts";
import { formerPlace, postedFromJson, type PostedJson } from "./lane-rows.ts";

export async function findLanesByResource(
  tx: Queryable,
  connection: ConnectionId,
  resourceType: string,
  externalIds: readonly string[],
) {
  const { rows } = await tx.query<{
    id: string;
    external_id: string;
    record_id: string | null;
    tombstoned: boolean;
    tombstone_side: EndedSide | null;
    tombstone_record_moved: RecordMove | null;
    tombstone_moved_to: string | null;
    moved_from_connection: string | null;
    moved_from_external_id: string | null;
  }>(
    `select
       id,
       external_id,
       record_id,
       tombstone_event is not null as tombstoned,
       tombstone_side,
       tombstone_record_moved,
       tombstone_moved_to,
       moved_from_connection,
       moved_from_external_id
     from tandem.lanes
     where connection_id = $1 and resource_type = $2 and external_id = any($3::text[])`,
    [connection, resourceType, externalIds],
  );
  return rows.map((row) => ({
    id: laneId(row.id),
    externalId: row.external_id,
    recordId: row.record_id,
    tombstoned: row.tombstoned,
    side: row.tombstone_side,
    recordMoved: row.tombstone_record_moved,
    movedTo: row.tombstone_moved_to,
    moved: formerPlace(row),
  }));
}

export async function findLanesByToken(
  tx: Queryable,
  connection: ConnectionId,
  resourceType: string,
  tokens: readonly string[],
): Promise<readonly LaneOfToken[]> {
  const { rows } = await tx.query<{
    id: string;
    connection_id: string;
    intent_token: string;
    intent_since: string;
    external_id: string | null;
    record_id: string | null;
    intent_posted: PostedJson | null;
  }>(
    `select id, connection_id, intent_token, intent_since, external_id, record_id, intent_posted
     from tandem.lanes
     where intent_token = any($3::text[])
       and $1 in (connection_id, intent_connection_id)
       and resource_type = $2`,
    [connection, resourceType, tokens],
  );
  return rows.map((row) => ({
    id: laneId(row.id),
    connectionId: connectionId(row.connection_id),
    token: row.intent_token,
    since: parseInstant(row.intent_since),
    externalId: row.external_id,
    recordId: row.record_id,
    posted: postedFromJson(row.intent_posted),
  }));
}

export async function findLanesByRecord(
  tx: Queryable,
  recordType: string,
  recordIds: readonly string[],
) {
  const { rows } = await tx.query<{
    id: string;
    connection_id: string;
    resource_type: string;
    record_id: string;
    external_id: string | null;
    moved_from_connection: string | null;
  }>(
    `select id, connection_id, resource_type, record_id, external_id, moved_from_connection
     from tandem.lanes
     where record_type = $1 and record_id = any($2::text[]) and tombstone_event is null
     order by id`,
    [recordType, recordIds],
  );
  return rows.map((row) => ({
    id: laneId(row.id),
    connectionId: connectionId(row.connection_id),
    resourceType: row.resource_type,
    recordId: row.record_id,
    externalId: row.external_id,
    movedFrom: row.moved_from_connection === null ? null : connectionId(row.moved_from_connection),
  }));
}

export async function findTombstonedLanes(
  tx: Queryable,
  recordType: string,
  recordIds: readonly string[],
) {
  const { rows } = await tx.query<{
    id: string;
    connection_id: string;
    resource_type: string;
    record_id: string;
    tombstone_side: EndedSide;
    tombstone_at: string;
    tombstone_record_moved: RecordMove | null;
    moved_from_connection: string | null;
    is_away: boolean;
  }>(
    `select
       id, connection_id, resource_type, record_id, tombstone_side, tombstone_at,
       tombstone_record_moved, moved_from_connection, tombstone_moved_to is not null as is_away
     from tandem.lanes
     where record_type = $1 and record_id = any($2::text[]) and tombstone_side is not null
     order by tombstone_at, id`,
    [recordType, recordIds],
  );
  return rows.map((row) => ({
    id: laneId(row.id),
    connectionId: connectionId(row.connection_id),
    resourceType: row.resource_type,
    recordId: row.record_id,
    side: row.tombstone_side,
    at: parseInstant(row.tombstone_at),
    recordMoved: row.tombstone_record_moved,
    movedFrom: row.moved_from_connection === null ? null : connectionId(row.moved_from_connection),
    isAway: row.is_away,
  }));
}

interface OpenCreateRow {
  readonly id: string;
  readonly stalled: boolean;
  readonly intent_posted: PostedJson | null;
}

function openCreate({ id, stalled, intent_posted: posted }: OpenCreateRow): LaneOfOpenCreate {
  return { id: laneId(id), stalled, posted: postedFromJson(posted) };
}

export async function findOpenIntents(
  tx: Queryable,
  connection: ConnectionId,
  resourceType: string,
  since: Instant,
): Promise<readonly LaneOfOpenCreate[]> {
  const { rows } = await tx.query<OpenCreateRow>(
    `select
       id,
       intent_since <= $3 and not exists (
         select
         from tandem.events_live
         where lane_id = lanes.id and direction = 'outbound' and state <> 'errored'
       ) as stalled,
       intent_posted
     from tandem.lanes
     where connection_id = $1
       and resource_type = $2
       and intent_tokenless
       and external_id is null
     order by id`,
    [connection, resourceType, formatInstant(since)],
  );
  return rows.map(openCreate);
}

// By the live events, for those are few.
export async function findUnansweredCreates(
  tx: Queryable,
  connection: ConnectionId,
  resourceType: string,
  since: Instant,
): Promise<readonly LaneOfOpenCreate[]> {
  const { rows } = await tx.query<OpenCreateRow>(
    `select
       lanes.id,
       lanes.intent_since <= $3 and bool_and(events_live.state = 'errored') as stalled,
       lanes.intent_posted
     from tandem.events_live
     join tandem.lanes on lanes.id = events_live.lane_id
     where events_live.connection_id = $1
       and events_live.direction = 'outbound'
       and lanes.connection_id = $1
       and lanes.resource_type = $2
       and lanes.external_id is null
       and lanes.intent_posted is not null
     group by lanes.id
     order by lanes.id`,
    [connection, resourceType, formatInstant(since)],
  );
  return rows.map(openCreate);
}

export async function findUnpairedChildren(
  tx: Queryable,
  parents: readonly LaneId[],
): Promise<readonly LaneId[]> {
  if (parents.length === 0) return [];
  const { rows } = await tx.query<{ id: string }>(
    `select child.id
     from tandem.lanes as parent
     join tandem.lanes as child
       on child.connection_id = parent.connection_id
       and child.parent_type = parent.resource_type
       and child.parent_external_id = parent.external_id
     where parent.id = any($1::bigint[])
       and child.record_id is null
       and child.tombstone_event is null
     order by child.id`,
    [parents],
  );
  return rows.map((row) => laneId(row.id));
}

export async function findChildLanes(
  tx: Queryable,
  connection: ConnectionId,
  resourceType: string,
  parentExternalId: string,
): Promise<readonly { readonly id: LaneId; readonly recordId: string | null }[]> {
  const { rows } = await tx.query<{ id: string; record_id: string | null }>(
    `select id, record_id
     from tandem.lanes
     where connection_id = $1 and resource_type = $2 and parent_external_id = $3
     order by id`,
    [connection, resourceType, parentExternalId],
  );
  return rows.map((row) => ({ id: laneId(row.id), recordId: row.record_id }));
}

export async function findLanesMovedTo(
  tx: Queryable,
  resourceType: string,
  place: string,
): Promise<readonly LaneId[]> {
  const { rows } = await tx.query<{ id: string }>(
    `select id
     from tandem.lanes
     where tombstone_moved_to = $2 and resource_type = $1
     order by id`,
    [resourceType, place],
  );
  return rows.map((row) => laneId(row.id));
}

export async function findLanesFrom(tx: Queryable, resourceType: string, place: string) {
  const { rows } = await tx.query<{
    id: string;
    connection_id: string;
    external_id: string;
    display: Lane["display"];
  }>(
    `select id, connection_id, external_id, display
     from tandem.lanes
     join tandem.integration_records using (id)
     where came_from = $2 and resource_type = $1 and external_id is not null
     order by tombstone_event is not null, id`,
    [resourceType, place],
  );
  return rows.map(({ id, connection_id, external_id: externalId, display }) => ({
    ...{ id: laneId(id), connectionId: connectionId(connection_id), externalId, display },
  }));
}

export async function holdPlace(tx: Queryable, resourceType: string, place: string): Promise<void> {
  const name = `tandem place ${resourceType} ${place}`;
  await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
}

export async function findBoundLanes(
  tx: Queryable,
  connection: ConnectionId,
  resourceType: string,
  after: LaneId | null,
  limit: number,
) {
  const { rows } = await tx.query<{ id: string; external_id: string; record_id: string | null }>(
    `select id, external_id, record_id
     from tandem.lanes
     where connection_id = $1
       and resource_type = $2
       and id > $3::bigint
       and external_id is not null
       and tombstone_event is null
     order by id
     limit $4`,
    [connection, resourceType, after ?? "0", limit],
  );
  return rows.map((row) => ({
    id: laneId(row.id),
    externalId: row.external_id,
    recordId: row.record_id,
  }));
}

// By `lanes_one_per_record`, which has the living lanes in this order.
export async function findPairedLanes(
  tx: Queryable,
  connection: ConnectionId,
  { recordType, resourceType }: Pick<LaneKey, "recordType" | "resourceType">,
  after: string | null,
  limit: number,
) {
  const { rows } = await tx.query<{ id: string; record_id: string }>(
    `select id, record_id
     from tandem.lanes
     where connection_id = $1
       and record_type = $2
       and resource_type = $3
       and tombstone_event is null
       and record_id is not null
       and ($4::text is null or record_id > $4::text)
     order by record_id
     limit $5`,
    [connection, recordType, resourceType, after, limit],
  );
  return rows.map((row) => ({ id: laneId(row.id), recordId: row.record_id }));
}

export async function countPairedLanes(tx: Queryable, connection: ConnectionId): Promise<number> {
  const { rows } = await tx.query<{ count: string }>(
    `select count(*) as count
     from tandem.lanes
     where connection_id = $1 and record_id is not null and tombstone_event is null`,
    [connection],
  );
  return Number(rows[0]?.count ?? 0);
}
