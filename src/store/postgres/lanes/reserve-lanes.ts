/**
 * Lanes that are still to be made: an id each, and nothing in the database until they are saved, whole
 * and once.
 *
 * A transaction that makes the same lane meanwhile is noticed only at the save, and all work is done again.
 * The second time the lanes are made before any other work, so the other transaction is noticed early.
 */
import { type LaneId, laneId } from "../../../model/ids.ts";
import { newLane, resourceKey } from "../../../model/lane.ts";
import type { Queryable } from "../../database/index.ts";
import type { ResourceRelations } from "../../rules/index.ts";
import type { LaneKey } from "../../store.ts";
import type { HeldLanes } from "./lane-locks.ts";

// Numbered behind the sort: ids count up in the order of the keys, as they would where the lanes are made.
const NUMBER = `
select nextval('tandem.lanes_id_seq') as id, place, integration
from (
  select wanted.place, connections.integration
  from unnest($1::bigint[]) with ordinality as wanted (connection_id, place)
  join tandem.connections on connections.id = wanted.connection_id
  order by wanted.place
) as wanted`;

/** Reserves a lane for each key of a resource that has none; keys of one resource give one id. */
export async function reserveLanes(
  tx: Queryable,
  held: HeldLanes,
  relations: ResourceRelations,
  keys: readonly LaneKey[],
): Promise<readonly LaneId[]> {
  const ids = new Map<string, LaneId>();
  for (const [id, { reserved }] of held) if (reserved !== null) ids.set(nameOf(reserved), id);
  const fresh = new Map(
    keys.filter((key) => !ids.has(nameOf(key))).map((key) => [nameOf(key), key]),
  );
  for (const { key, id, integration } of await number(tx, [...fresh.values()])) {
    const { resourceType } = key;
    const relation = relations.relationOf(integration, resourceType);
    held.set(id, { resourceType, relation, reserved: newLane(id, key) });
    ids.set(nameOf(key), id);
  }
  return keys.map((key) => {
    const id = ids.get(nameOf(key));
    if (id === undefined) throw new Error(`connection ${key.connectionId} is gone`);
    return id;
  });
}

async function number(tx: Queryable, keys: readonly LaneKey[]) {
  if (keys.length === 0) return [];
  const { rows } = await tx.query<{ id: string; place: string; integration: string }>(NUMBER, [
    keys.map((key) => key.connectionId),
  ]);
  return rows.flatMap(({ id, place, integration }) => {
    const key = keys[Number(place) - 1];
    return key === undefined ? [] : [{ key, id: laneId(id), integration }];
  });
}

function nameOf({ connectionId: connection, resourceType, externalId }: Named): string {
  if (externalId === null) throw new Error("a lane is reserved for a resource");
  return resourceKey(connection, resourceType, externalId);
}

type Named = Pick<LaneKey, "connectionId" | "resourceType" | "externalId">;
