/** Finding lanes by what identifies them. */
import { type ConnectionId, laneId } from "../../../model/ids.ts";
import { formatInstant, type Instant } from "../../../model/instant.ts";
import type { Queryable } from "../../database/index.ts";
import type { LaneOfOpenCreate } from "../../store.ts";
import { postedFromJson, type PostedJson } from "./lane-rows.ts";

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

export async function holdPlace(tx: Queryable, resourceType: string, place: string): Promise<void> {
  const name = `tandem place ${resourceType} ${place}`;
  await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
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
