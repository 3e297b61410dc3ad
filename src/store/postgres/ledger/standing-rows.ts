/** The standing of records with their counterparts, for many records in one statement. */
import type { Queryable } from "../../database/index.ts";
import type { Ledger, Standing } from "../../ledger.ts";

/** Only a lane's last events are looked at for conflicts, so that a long history costs nothing. */
const LOOKED_AT = 20;

// One statement, so that a page with a badge a row asks once.
const STANDINGS = `
select
  (
    select coalesce(json_agg(pairing), '[]')
    from (
      select
        lanes.record_id as "recordId",
        connections.integration,
        lanes.resource_type as "resourceType",
        lanes.external_id as "externalId",
        record.display ->> 'url' as url,
        lanes.tombstone_event is not null as tombstoned,
        coalesce(jsonb_typeof(record.attempt) = 'object', false) as "unknownOutcome",
        newest."lastReason",
        (
          select coalesce(
            json_agg(
              json_build_object(
                'id', live.id, 'state', live.state, 'reason', live.reason,
                'direction', live.direction, 'error', live.error
              )
              order by live.id
            ),
            '[]'
          )
          from tandem.events_live as live
          where live.lane_id = lanes.id
        ) as live,
        newest.conflicts
      from tandem.lanes
      join tandem.integration_records as record on record.id = lanes.id
      join tandem.connections on connections.id = lanes.connection_id
      cross join lateral (
        select
          (array_agg(ended.reason order by ended.finished_at desc, ended.id desc))[1]
            as "lastReason",
          coalesce(
            jsonb_agg(
              conflict || jsonb_build_object('event', ended.id, 'at', ended.finished_at)
              order by ended.id desc
            ) filter (where conflict is not null),
            '[]'
          ) as conflicts
        from (
          select id, finished_at, reason, conflicts
          from tandem.events_ended
          where lane_id = lanes.id
          order by id desc
          limit ${LOOKED_AT}
        ) as ended
        left join lateral jsonb_array_elements(ended.conflicts) as conflict on true
      ) as newest
      where lanes.record_type = $1 and lanes.record_id = any ($2::text[])
      order by lanes.id
    ) as pairing
  ) as pairings,
  (
    select coalesce(array_agg(distinct record_id), '{}')
    from tandem.changes
    where record_type = $1 and record_id = any ($2::text[]) and origin is null
  ) as undrained`;

export async function standings(
  database: Queryable,
  recordType: string,
  recordIds: readonly string[],
): ReturnType<Ledger["standings"]> {
  const { rows } = await database.query<{
    pairings: readonly Standing[];
    undrained: readonly string[];
  }>(STANDINGS, [recordType, recordIds]);
  const [row] = rows;
  return { pairings: row?.pairings ?? [], undrained: new Set(row?.undrained) };
}
