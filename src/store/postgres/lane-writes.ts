/** Writing what was decided on lanes: a constant number of statements, however many lanes. */
import { isTerminal, type TandemEvent } from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Queryable } from "../database.ts";
import type { Decided } from "../store.ts";
import { EVENT_COLUMNS, type EventRow, eventToRow, type ResourceNames } from "./event-rows.ts";
import type { HeldLanes } from "./lane-locks.ts";
import { type LaneRow, laneToRow, type RecordRow, recordToRow, sharesRecord } from "./lane-rows.ts";
import { storableJson } from "./storable-json.ts";

const UPDATE_LANES = `
update tandem.lanes
set
  external_id = decided.external_id,
  record_id = decided.record_id,
  parent_type = decided.parent_type,
  parent_external_id = decided.parent_external_id,
  clock_at = decided.clock_at,
  clock_event = decided.clock_event,
  tombstone_at = decided.tombstone_at,
  tombstone_event = decided.tombstone_event,
  tombstone_side = decided.tombstone_side,
  intent_token = decided.intent_token,
  intent_since = decided.intent_since,
  disabled = decided.disabled,
  epoch = decided.epoch
from json_populate_recordset(null::tandem.lanes, $1::json) as decided
where lanes.id = decided.id`;

const UPDATE_RECORDS = `
update tandem.integration_records
set
  copy = decided.copy,
  display = decided.display,
  base = decided.base,
  known = decided.known,
  record_changed_at = decided.record_changed_at,
  attempt = decided.attempt,
  unanswered = decided.unanswered,
  last_sent = decided.last_sent
from json_populate_recordset(null::tandem.integration_records, $1::json) as decided
where integration_records.id = decided.id`;

const columns = EVENT_COLUMNS.join(", ");

const DELETE_LIVE = "delete from tandem.events_live where id = any($1::uuid[])";

const INSERT_LIVE = `
insert into tandem.events_live (${columns})
select ${columns}
from json_populate_recordset(null::tandem.events_live, $1::json)`;

const INSERT_LIVE_AND_NOTIFY = `
insert into tandem.events_live (${columns})
select ${columns}
from
  json_populate_recordset(null::tandem.events_live, $1::json),
  (select pg_notify('tandem_work', '')) as told`;

const INSERT_ENDED = `
insert into tandem.events_ended (${columns})
select ${columns}
from json_populate_recordset(null::tandem.events_ended, $1::json)`;

/** What differs between lanes before and after a decision, row by row. */
interface Difference {
  readonly lanes: LaneRow[];
  readonly records: RecordRow[];
  /** Live events that ended or changed. */
  readonly left: EventId[];
  /** Live events that are new or changed. */
  readonly live: EventRow[];
  readonly ended: EventRow[];
}

/**
 * Writes decisions on lanes that are locked.
 *
 * A live event that changed is deleted and inserted anew: were it updated, two events of one lane
 * that change places would for a moment both be queued, or processing, and a unique index refuse.
 */
export async function saveLanes(
  tx: Queryable,
  held: HeldLanes,
  decided: readonly Decided[],
): Promise<void> {
  const { lanes, records, left, live, ended } = differences(held, decided);
  if (lanes.length > 0) await tx.query(UPDATE_LANES, [storableJson(lanes)]);
  if (records.length > 0) await tx.query(UPDATE_RECORDS, [storableJson(records)]);
  if (left.length > 0) await tx.query(DELETE_LIVE, [left]);
  if (live.length > 0) {
    const work = live.some((event) => event.state === "queued");
    await tx.query(work ? INSERT_LIVE_AND_NOTIFY : INSERT_LIVE, [storableJson(live)]);
  }
  if (ended.length > 0) await tx.query(INSERT_ENDED, [storableJson(ended)]);
}

function differences(held: HeldLanes, decided: readonly Decided[]): Difference {
  const result: Difference = { lanes: [], records: [], left: [], live: [], ended: [] };
  const seen = new Set<Lane["id"]>();
  for (const { before, after } of decided) {
    const { lane } = after;
    const names = held.get(lane.id);
    if (names === undefined || lane.id !== before.id) {
      throw new Error(`lane ${lane.id} is saved without being locked in this transaction`);
    }
    if (seen.has(lane.id)) throw new Error(`lane ${lane.id} is saved twice at once`);
    seen.add(lane.id);
    compareLanes(result, before, lane);
    compareEvents(result, before, lane, names);
    for (const event of after.ended) {
      if (!isTerminal(event.state)) throw new Error(`event ${event.id} has not ended`);
      result.ended.push(eventToRow(event, names));
    }
  }
  return result;
}

function compareLanes(result: Difference, before: Lane, lane: Lane): void {
  if (before === lane) return;
  const row = laneToRow(lane);
  if (!sameJson(laneToRow(before), row)) result.lanes.push(row);
  if (sharesRecord(before, lane)) return;
  const record = recordToRow(lane);
  if (!sameJson(recordToRow(before), record)) result.records.push(record);
}

function compareEvents(result: Difference, before: Lane, lane: Lane, names: ResourceNames): void {
  const kept = new Set<TandemEvent["id"]>();
  for (const event of lane.live) {
    const was = before.live.find((candidate) => candidate.id === event.id);
    if (was === event || (was !== undefined && sameJson(was, event))) {
      kept.add(event.id);
    } else {
      result.live.push(eventToRow(event, names));
    }
  }
  for (const event of before.live) {
    if (!kept.has(event.id)) result.left.push(event.id);
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
