/** Writing what was decided on lanes: a constant number of statements, however many lanes. */
import { isDeepStrictEqual } from "node:util";
import { isTerminal } from "../../../model/event.ts";
import type { EventId, LaneId } from "../../../model/ids.ts";
import type { Lane } from "../../../model/lane.ts";
import { allOf, type Queryable, sqlState, storableJson } from "../../database/index.ts";
import { type SwitchedOff, switchedOffIn, SwitchedOnMeanwhileError } from "../../rules/index.ts";
import type { Decided } from "../../store.ts";
import { oneStatement, type Statement, type Write } from "../driver/index.ts";
import { ORDER_OF_MAKING } from "./ensure-lanes.ts";
import { EVENT_COLUMNS, type EventRow, eventToRow, type ResourceNames } from "./event-rows.ts";
import type { HeldLanes } from "./lane-locks.ts";
import {
  changedParts,
  LANE_COLUMNS,
  type LaneRow,
  laneToRow,
  RECORD_COLUMNS,
  type RecordRow,
  recordToRow,
} from "./lane-rows.ts";

/** The columns that a lane is made with and never changes. */
const FOR_GOOD: ReadonlySet<string> = new Set(["id", "resource_type", "record_type"]);

// Each update names its ids a second time: the planner takes any JSON for a hundred rows, and would read
// the whole of a table of some thousand lanes to find one. The length of an array it knows.
const UPDATE_LANES = `
update tandem.lanes
set
  ${asDecided(LANE_COLUMNS.filter((column) => !FOR_GOOD.has(column)))}
from json_populate_recordset(null::tandem.lanes, $1::json) as decided
where lanes.id = decided.id and lanes.id = any($2::bigint[])`;

// A reserved lane is written once, with everything that was decided about it.
const INSERT_LANES = `
insert into tandem.lanes (${LANE_COLUMNS.join(", ")})
overriding system value
select ${LANE_COLUMNS.join(", ")}
from json_populate_recordset(null::tandem.lanes, $1::json)
${ORDER_OF_MAKING}`;

const INSERT_RECORDS = `
insert into tandem.integration_records (${RECORD_COLUMNS.join(", ")})
select ${RECORD_COLUMNS.join(", ")}
from json_populate_recordset(null::tandem.integration_records, $1::json)`;

// Unique indexes hold at every moment, so lanes that trade places leave them first.
const LEAVE_PLACES = "update tandem.lanes set external_id = null where id = any($1::bigint[])";

// A part that stays is not sent, and keeps its place outside the row.
const UPDATE_RECORDS = `
update tandem.integration_records as record
set
  copy = case when 'copy' = any(parts) then decided.copy else record.copy end,
  display = case when 'display' = any(parts) then decided.display else record.display end,
  base = case when 'base' = any(parts) then decided.base else record.base end,
  known = case when 'known' = any(parts) then decided.known else record.known end,
  record_changed_at = case
    when 'record_changed_at' = any(parts) then decided.record_changed_at
    else record.record_changed_at
  end,
  attempt = case when 'attempt' = any(parts) then decided.attempt else record.attempt end,
  unanswered = case
    when 'unanswered' = any(parts) then decided.unanswered
    else record.unanswered
  end,
  last_sent = case when 'last_sent' = any(parts) then decided.last_sent else record.last_sent end,
  flips = case when 'flips' = any(parts) then decided.flips else record.flips end
from json_to_recordset($1::json) as decided (
  id bigint,
  parts text[],
  copy jsonb,
  display jsonb,
  base jsonb,
  known jsonb,
  record_changed_at jsonb,
  attempt jsonb,
  unanswered jsonb,
  last_sent jsonb,
  flips jsonb
)
where record.id = decided.id and record.id = any($2::bigint[])`;

const DELETE_LIVE = "delete from tandem.events_live where id = any($1::uuid[])";

const moving = EVENT_COLUMNS.filter((column) => column !== "id" && column !== "content");

const UPDATE_LIVE = `
update tandem.events_live
set
  ${asDecided(moving)}
from json_populate_recordset(null::tandem.events_live, $1::json) as decided
where events_live.id = decided.id and events_live.id = any($2::uuid[])`;

const columns = EVENT_COLUMNS.join(", ");

const INSERT_LIVE = `
insert into tandem.events_live (${columns})
select ${columns}
from json_populate_recordset(null::tandem.events_live, $1::json)`;

const INSERT_ENDED = `
insert into tandem.events_ended (${columns})
select ${columns}
from json_populate_recordset(null::tandem.events_ended, $1::json)`;

const NOTIFY = "select pg_notify('tandem_work', 'events')";

type ChangedRecord = Pick<RecordRow, "id"> &
  Partial<RecordRow> & { readonly parts: readonly string[] };

/** The rows that differ between lanes before and after a decision. */
interface Difference {
  /** Lanes that were reserved, each with its content. */
  readonly made: { readonly lane: LaneRow; readonly record: RecordRow }[];
  readonly lanes: LaneRow[];
  readonly records: ChangedRecord[];
  /** Live events that ended, or make room to be inserted again. */
  readonly left: EventId[];
  readonly moved: Omit<EventRow, "content">[];
  readonly entered: EventRow[];
  readonly ended: EventRow[];
}

/** Writes decisions on lanes that are locked; tells other processes if events wait. */
export async function saveLanes(
  tx: Queryable,
  held: HeldLanes,
  decided: readonly Decided[],
): Promise<void> {
  const { left, moved, entered, ...rest } = differences(held, decided);
  const leaving = decided.filter(leavesPlace).map(({ before }) => before.id);
  const writes: Promise<unknown>[] = [];
  const write = (text: string, params?: readonly unknown[]) => {
    writes.push(tx.query(text, params));
  };
  const off = switchedOffIn(decided);
  if (off.length > 0) writes.push(refuseSwitchedOn(tx, off));
  if (leaving.length > 0) write(LEAVE_PLACES, [leaving]);
  for (const { text, params } of statements(rest)) {
    writes.push(orMadeMeanwhile(tx.query(text, params)));
  }
  if (left.length > 0) write(DELETE_LIVE, [left]);
  if (moved.length > 0) write(UPDATE_LIVE, withIds(moved));
  if (entered.length > 0) write(INSERT_LIVE, [storableJson(entered)]);
  if ([...moved, ...entered].some((event) => event.state === "queued")) write(NOTIFY);
  await allOf(...writes);
}

type AtRest = Pick<Difference, "made" | "lanes" | "records" | "ended">;

/**
 * The statement that writes lanes, their content and ended events, each in a table of its own. If lanes or
 * their content are also updated, a separate first statement inserts the reserved lanes.
 */
function statements({ made, lanes, records, ended }: AtRest): readonly Statement[] {
  const [madeLanes, madeRecords] = [made.map(({ lane }) => lane), made.map(({ record }) => record)];
  const makes = [
    ...writeOf("made_lanes", INSERT_LANES, madeLanes),
    ...writeOf("made_records", INSERT_RECORDS, madeRecords),
  ];
  const changes = [
    ...writeOf("changed_lanes", UPDATE_LANES, lanes, idsOf(lanes)),
    ...writeOf("changed_records", UPDATE_RECORDS, records, idsOf(records)),
    ...writeOf("ended", INSERT_ENDED, ended),
  ];
  // One statement may not insert into a table and update it: Postgres promises no order between the two.
  const isOfBoth = lanes.length + records.length > 0;
  const groups = isOfBoth ? [makes, changes] : [[...makes, ...changes]];
  return groups.flatMap((group) => oneStatement(group));
}

function writeOf(
  name: string,
  text: string,
  rows: readonly unknown[],
  ...ids: readonly unknown[]
): readonly Write[] {
  return rows.length === 0 ? [] : [{ name, text, params: [storableJson(rows), ...ids] }];
}

/** A later transaction that switches a direction on waits for this one, and finds what it has written. */
async function refuseSwitchedOn(tx: Queryable, off: readonly SwitchedOff[]): Promise<void> {
  const { rows } = await tx.query<{ id: string; inbound: boolean; outbound: boolean }>(
    `select id, inbound, outbound
     from tandem.connections
     where id = any($1::bigint[])
     order by id
     for share`,
    [[...new Set(off.map(({ connectionId }) => connectionId))]],
  );
  const on = off.find(({ connectionId, direction }) =>
    rows.some((row) => row.id === connectionId && row[direction]),
  );
  if (on !== undefined) throw new SwitchedOnMeanwhileError(on);
}

function withIds(rows: readonly { readonly id: string }[]): readonly unknown[] {
  return [storableJson(rows), idsOf(rows)];
}

function idsOf(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map(({ id }) => id);
}

function leavesPlace({ before, after: { lane } }: Decided): boolean {
  const stays = lane.connectionId === before.connectionId && lane.externalId === before.externalId;
  return before.externalId !== null && !stays;
}

/** The assignments of an update: each column gets its decided value. */
function asDecided(columns: readonly string[]): string {
  return columns.map((column) => `${column} = decided.${column}`).join(",\n  ");
}

function orMadeMeanwhile<T>(written: Promise<T>): Promise<T> {
  return written.catch((error: unknown) => {
    const message = MADE_MEANWHILE.get(sqlState(error) ?? "");
    throw message === undefined ? error : new LaneMadeMeanwhileError(message, error);
  });
}

/** Another transaction's row exists, or is being written for longer than we wait. */
const MADE_MEANWHILE: ReadonlyMap<string, string> = new Map([
  ["23505", "a lane of the same resource or record was made meanwhile"],
  ["55P03", "another transaction wrote the same lane for longer than the lock timeout"],
]);

/** Another transaction makes, or made, a lane of the same resource or record; a second look will find it. */
export class LaneMadeMeanwhileError extends Error {
  override readonly name = "LaneMadeMeanwhileError";
  /** Postgres' code of a serialization failure, which this is. */
  readonly code = "40001";

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** Removes a locked lane; its ended events stay in the ledger. */
export async function removeLane(tx: Queryable, id: LaneId): Promise<void> {
  await tx.query("delete from tandem.events_live where lane_id = $1", [id]);
  await tx.query("delete from tandem.integration_records where id = $1", [id]);
  await tx.query("delete from tandem.lanes where id = $1", [id]);
}

function differences(held: HeldLanes, decided: readonly Decided[]): Difference {
  const result: Difference = {
    made: [],
    lanes: [],
    records: [],
    left: [],
    moved: [],
    entered: [],
    ended: [],
  };
  const seen = new Set<Lane["id"]>();
  for (const { before, after } of decided) {
    const { lane } = after;
    const names = held.get(lane.id);
    if (names === undefined || lane.id !== before.id) {
      throw new Error(`lane ${lane.id} is saved without being locked in this transaction`);
    }
    if (seen.has(lane.id)) throw new Error(`lane ${lane.id} is saved twice at once`);
    seen.add(lane.id);
    if (names.reserved === null) compareLanes(result, before, lane);
    else {
      result.made.push({ lane: laneToRow(lane), record: recordToRow(lane) });
      held.set(lane.id, { ...names, reserved: null });
    }
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
  if (!isDeepStrictEqual(laneToRow(before), row)) result.lanes.push(row);
  const changed = changedParts(before, lane);
  const parts = Object.keys(changed);
  if (parts.length > 0) result.records.push({ ...changed, id: lane.id, parts });
}

/**
 * Unique indexes allow one queued event a direction and one processing event a lane, at every
 * moment and not only in the end. So what ended is deleted first. Events change places only with the one that
 * was processing: to take its place, an event is deleted and, last of all, inserted again.
 */
function compareEvents(result: Difference, before: Lane, lane: Lane, names: ResourceNames): void {
  let processing: EventId | null = null;
  for (const { id, state } of before.live) {
    const stays = lane.live.some((candidate) => candidate.id === id);
    if (!stays) result.left.push(id);
    else if (state === "processing") processing = id;
  }
  for (const event of lane.live) {
    const was = before.live.find((candidate) => candidate.id === event.id);
    if (was === event || (was !== undefined && isDeepStrictEqual(was, event))) continue;
    const isFree = event.state !== "processing" || processing === null || processing === event.id;
    if (was === undefined) {
      result.entered.push(eventToRow(event, names));
    } else if (isFree && isDeepStrictEqual(was.content, event.content)) {
      const { content: _, ...row } = eventToRow(event, names);
      result.moved.push(row);
    } else {
      result.left.push(event.id);
      result.entered.push(eventToRow(event, names));
    }
  }
}
