/** Places that only one transaction may take, and how many lanes are paired. */
import type { ConnectionId } from "../../../model/ids.ts";
import type { Queryable } from "../../database/index.ts";

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
