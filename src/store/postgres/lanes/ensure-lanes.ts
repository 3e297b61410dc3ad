/** The lane of each key: found, or made where it does not exist. */
import { type LaneId, laneId } from "../../../model/ids.ts";
import { allOf, type Queryable, sqlState, storableJson } from "../../database/index.ts";
import { RecordTakenError } from "../../rules/index.ts";
import type { LaneKey } from "../../store.ts";
import { attempt, waitingAtMost } from "../driver/index.ts";

const LOCK_NOT_AVAILABLE = "55P03";

interface KeyRow {
  readonly position: number;
  readonly connection_id: string;
  readonly resource_type: string;
  readonly record_type: string;
  readonly external_id: string | null;
  readonly record_id: string | null;
}

// A key is looked up by its resource where that is known (`lanes_one_per_resource`), else by its
// living record (`lanes_one_per_record`). A look of its own for each: a join of all is planned for as
// many lanes as there were when the statistics were taken, and reads all that have come since.
const FIND = `
select
  wanted.position,
  case
    when wanted.external_id is not null then (
      select id
      from tandem.lanes
      where connection_id = wanted.connection_id
        and resource_type = wanted.resource_type
        and external_id = wanted.external_id
    )
    else (
      select id
      from tandem.lanes
      where connection_id = wanted.connection_id
        and record_type = wanted.record_type
        and record_id = wanted.record_id
        and resource_type = wanted.resource_type
        and tombstone_event is null
    )
  end as id
from json_to_recordset($1::json) as wanted (
  position integer,
  connection_id bigint,
  resource_type text,
  record_type text,
  external_id text,
  record_id text
)`;

/** Two processes that make the same lanes wait for each other's rows, so both make them in one order. */
export const ORDER_OF_MAKING =
  "order by connection_id, resource_type, external_id, record_type, record_id";

const MAKE = `
with made as (
  insert into tandem.lanes (connection_id, resource_type, record_type, external_id, record_id)
  select connection_id, resource_type, record_type, external_id, record_id
  from json_to_recordset($1::json) as wanted (
    connection_id bigint,
    resource_type text,
    record_type text,
    external_id text,
    record_id text
  )
  ${ORDER_OF_MAKING}
  on conflict do nothing
  returning id
)
insert into tandem.integration_records (id)
select id from made`;

/** The lane of each key, in the keys' order; keys of one lane give one id. */
export async function ensureLanes(
  tx: Queryable,
  keys: readonly LaneKey[],
): Promise<readonly LaneId[]> {
  if (keys.length === 0) return [];
  const rows = keys.map(toRow);
  const found = await find(tx, rows);
  const missing = rows.filter((row) => !found.has(row.position));
  if (missing.length > 0) {
    const [, made] = await allOf(tx.query(MAKE, [storableJson(missing)]), find(tx, missing));
    for (const [position, id] of made) found.set(position, id);
  }
  return keys.map((key, position) => {
    const id = found.get(position);
    if (id === undefined) throw new RecordTakenError(key);
    return id;
  });
}

/** How long a lane that somebody else makes is waited for, where nobody is to wait. */
const MAKING_MS = 20;

/**
 * Ensures the lanes as `ensureLanes` does. If another transaction is making one of them, each lane that
 * does not exist yet gives `null`.
 */
export async function ensureLanesFree(
  tx: Queryable,
  keys: readonly LaneKey[],
): Promise<readonly (LaneId | null)[]> {
  if (keys.length === 0) return [];
  try {
    return await attempt(tx, () => waitingAtMost(tx, MAKING_MS, () => ensureLanes(tx, keys)));
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    const found = await find(tx, keys.map(toRow));
    return keys.map((_, position) => found.get(position) ?? null);
  }
}

async function find(tx: Queryable, wanted: readonly KeyRow[]): Promise<Map<number, LaneId>> {
  const { rows } = await tx.query<{ position: number; id: string | null }>(FIND, [
    storableJson(wanted),
  ]);
  return new Map(
    rows.flatMap((row) => (row.id === null ? [] : [[row.position, laneId(row.id)] as const])),
  );
}

function toRow(key: LaneKey, position: number): KeyRow {
  if (key.externalId === null && key.recordId === null) {
    throw new Error("a lane is identified by a resource or a record");
  }
  return {
    position,
    connection_id: key.connectionId,
    resource_type: key.resourceType,
    record_type: key.recordType,
    external_id: key.externalId,
    record_id: key.recordId,
  };
}
