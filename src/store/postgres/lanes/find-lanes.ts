/** Finding lanes without locking them: one condition a kind of query, and one list of columns for all. */
import type { FoundLane, LaneQuery, LaneSummary } from "../../lanes.ts";
import { formatInstant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { Queryable } from "../../database/index.ts";
import { type LaneSummaryRow, laneSummaryFromRow, SUMMARY_COLUMNS } from "./lane-rows.ts";

export async function findLanes<Query extends LaneQuery>(
  tx: Queryable,
  query: Query,
): Promise<readonly FoundLane<Query>[]> {
  const [condition, parameters] = conditionOf(query);
  const { rows } = await tx.query<LaneSummaryRow & MoreColumns>(
    `select ${COLUMNS}${moreColumns(query)} from tandem.lanes ${condition}`,
    parameters,
  );
  const found = rows.map(({ display, stalled, ...row }) => ({
    ...laneSummaryFromRow(row),
    ...(display !== undefined && { display }),
    ...(stalled !== undefined && { stalled }),
  }));
  // The condition of the kind excludes what the type excludes.
  return found as readonly LaneSummary[] as readonly FoundLane<Query>[];
}

const COLUMNS = SUMMARY_COLUMNS.map((column) => `lanes.${column}`).join(", ");

/** The columns that only some kinds read. */
interface MoreColumns {
  readonly display?: Lane["display"];
  readonly stalled?: boolean;
}

function moreColumns({ kind }: LaneQuery): string {
  switch (kind) {
    case "came_from":
      return ", display";
    case "open_creates":
      return `,
        intent_since <= $3 and not exists (
          select
          from tandem.events_live
          where lane_id = lanes.id and direction = 'outbound' and state <> 'errored'
        ) as stalled`;
    default:
      return "";
  }
}

function conditionOf(query: LaneQuery): readonly [string, readonly unknown[]] {
  switch (query.kind) {
    case "of_resources":
      return [
        "where connection_id = $1 and resource_type = $2 and external_id = any($3::text[])",
        [query.connectionId, query.resourceType, query.externalIds],
      ];
    case "of_tokens":
      return [
        `where intent_token = any($3::text[])
           and $1 in (connection_id, intent_connection_id)
           and resource_type = $2`,
        [query.connectionId, query.resourceType, query.tokens],
      ];
    case "of_records":
      return [
        `where record_type = $1 and record_id = any($2::text[]) and tombstone_event is null
         order by id`,
        [query.recordType, query.recordIds],
      ];
    case "ended_of_records":
      return [
        `where record_type = $1 and record_id = any($2::text[]) and tombstone_side is not null
         order by tombstone_at, id`,
        [query.recordType, query.recordIds],
      ];
    // Lanes by `lanes_open_tokenless`, and by the live events, which are few.
    case "open_creates":
      return [
        `where id in (
           select id
           from tandem.lanes
           where connection_id = $1
             and resource_type = $2
             and intent_tokenless
             and external_id is null
           union
           select lanes.id
           from tandem.events_live
           join tandem.lanes on lanes.id = events_live.lane_id
           where $4
             and events_live.connection_id = $1
             and events_live.direction = 'outbound'
             and lanes.connection_id = $1
             and lanes.resource_type = $2
             and lanes.external_id is null
             and lanes.intent_posted is not null
         )
         order by id`,
        [
          query.connectionId,
          query.resourceType,
          formatInstant(query.stalledSince),
          query.withToken,
        ],
      ];
    case "children":
      return [
        `where connection_id = $1 and resource_type = $2 and parent_external_id = $3
         order by id`,
        [query.connectionId, query.resourceType, query.parentExternalId],
      ];
    case "unpaired_children":
      return [
        `join tandem.lanes as parent
           on lanes.connection_id = parent.connection_id
           and lanes.parent_type = parent.resource_type
           and lanes.parent_external_id = parent.external_id
         where parent.id = any($1::bigint[])
           and lanes.record_id is null
           and lanes.tombstone_event is null
         order by lanes.id`,
        [query.parents],
      ];
    case "moved_to":
      return [
        "where tombstone_moved_to = $2 and resource_type = $1 order by id",
        [query.resourceType, query.place],
      ];
    // By `lanes_moved_away`, which has only the lanes that are out of reach.
    case "out_of_reach":
      return [
        `where tombstone_moved_to is not null
           and resource_type = $2
           and connection_id = any($1::bigint[])
           and external_id is not null
           and record_id is not null
           and tombstone_side = 'resource'
           and tombstone_record_moved is null
         order by tombstone_at desc, id desc
         limit $3`,
        [query.connectionIds, query.resourceType, query.limit],
      ];
    case "came_from":
      return [
        `join tandem.integration_records using (id)
         where came_from = $2 and resource_type = $1 and external_id is not null
         order by tombstone_event is not null, id`,
        [query.resourceType, query.place],
      ];
    case "with_resource":
      return [
        `where connection_id = $1
           and resource_type = $2
           and id > $3::bigint
           and external_id is not null
           and tombstone_event is null
         order by id
         limit $4`,
        [query.connectionId, query.resourceType, query.after ?? "0", query.limit],
      ];
    // By `lanes_one_per_record`, which has the living lanes in this order.
    case "with_record":
      return [
        `where connection_id = $1
           and record_type = $2
           and resource_type = $3
           and tombstone_event is null
           and record_id is not null
           and ($4::text is null or record_id > $4::text)
         order by record_id
         limit $5`,
        [query.connectionId, query.recordType, query.resourceType, query.after, query.limit],
      ];
  }
}
