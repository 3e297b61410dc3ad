/** Records of a connection that have no counterpart there and never had one, in steps. */
import { takingBack } from "../../engine/lifecycle/index.ts";
import { laneId } from "../../model/ids.ts";
import { isSoftDeleted, type Mapping, type Row } from "../../model/mapping.ts";
import type { LaneKey, StoreTransaction } from "../../store/store.ts";
import { type Contact, groupBy, type Services } from "../services/index.ts";
import { mappingOfResource } from "../settings/index.ts";

export interface UnpairedRecord {
  readonly key: LaneKey & { readonly recordId: string };
  readonly row: Row;
  /** For a child, the parent record's key. */
  readonly parentId: string | null;
}

/** `or_unsent`: also records whose lane has no resource yet, because only a write to them was captured. */
export type Which = "without_lane" | "or_unsent";

export interface UnpairedStep {
  readonly records: readonly UnpairedRecord[];
  /** The cursor of the next step; `null` if this was the last. */
  readonly next: string | null;
}

/**
 * Finds the next unpaired records: in the connection's scope, or below its paired parents. A record whose pairing has
 * ended is not among them, because it was deleted or detached.
 *
 * @param after The cursor that the previous step returned.
 * @param limit The number of rows, or of parents whose rows are read. Fewer records may be found, or none.
 */
export async function unpairedRecords(
  services: Pick<Services, "mappings">,
  tx: StoreTransaction,
  contact: Contact,
  mapping: Mapping,
  after: string | null,
  limit: number,
  which: Which = "without_lane",
): Promise<UnpairedStep> {
  const { connection } = contact;
  const parent = parentOf(services, mapping);
  if (parent === null) {
    const rows = await tx.records.page(mapping, connection.scope, after, limit);
    const found = rows.map(({ id, row }) => ({ id, row, parentId: null }));
    const last = rows.at(-1);
    return {
      records: await withoutResource(tx, connection, mapping, found, which),
      next: rows.length < limit || last === undefined ? null : last.id,
    };
  }
  // The cursor is a lane's id.
  const cursor = after === null ? null : laneId(after);
  const lanes = await tx.findLanes({
    kind: "with_resource",
    connectionId: connection.id,
    resourceType: parent.resource.type,
    after: cursor,
    limit,
  });
  const parentIds = lanes.flatMap(({ recordId }) => recordId ?? []);
  const last = lanes.at(-1);
  return {
    records: await unpairedBelow(services, tx, contact, mapping, parentIds, which),
    next: lanes.length < limit || last === undefined ? null : last.id,
  };
}

/** Finds the unpaired records below the given parents. */
export async function unpairedBelow(
  services: Pick<Services, "mappings">,
  tx: StoreTransaction,
  { connection }: Contact,
  mapping: Mapping,
  parentIds: readonly string[],
  which: Which = "without_lane",
): Promise<readonly UnpairedRecord[]> {
  const parent = parentOf(services, mapping);
  if (parent === null) return [];
  const ids = await tx.records.childrenOf(mapping, parent, parentIds);
  const rows = await tx.records.read(mapping, ids);
  const column = mapping.parent?.column ?? "";
  const found = [...rows].map(([id, row]) => ({ id, row, parentId: String(row[column]) }));
  return withoutResource(tx, connection, mapping, found, which);
}

/** The mapping of the parent's table, or `null` if the scope selects the connection. */
export function parentOf(services: Pick<Services, "mappings">, mapping: Mapping): Mapping | null {
  const { parent, resource, integration } = mapping;
  if (parent === null || resource.parent === null) return null;
  return mappingOfResource(services, integration, resource.parent);
}

async function withoutResource(
  tx: StoreTransaction,
  connection: Contact["connection"],
  mapping: Mapping,
  rows: readonly { readonly id: string; readonly row: Row; readonly parentId: string | null }[],
  which: Which,
): Promise<readonly UnpairedRecord[]> {
  const living = rows.filter(({ row }) => !isSoftDeleted(mapping, row));
  const ids = living.map(({ id }) => id);
  if (ids.length === 0) return [];
  const ofType = ({ resourceType }: { readonly resourceType: string }) =>
    resourceType === mapping.resource.type;
  const alive = (
    await tx.findLanes({ kind: "of_records", recordType: mapping.recordType, recordIds: ids })
  ).filter(ofType);
  const ended = (
    await tx.findLanes({ kind: "ended_of_records", recordType: mapping.recordType, recordIds: ids })
  ).filter(ofType);
  const taken = new Set([
    ...alive
      .filter(({ externalId }) => which === "without_lane" || externalId !== null)
      // Until a record has followed its moved resource, it belongs to the old connection.
      .filter(({ connectionId, moved }) =>
        [connectionId, moved?.connection].includes(connection.id),
      )
      .map(({ recordId }) => recordId),
    ...groupBy(ended, ({ recordId }) => recordId).flatMap((lanes) => {
      const isPaired = alive.some(({ recordId }) => recordId === lanes[0]?.recordId);
      return takingBack(lanes, isPaired, connection.id)?.recordId ?? [];
    }),
  ]);
  return living
    .filter(({ id }) => !taken.has(id))
    .map(({ id, row, parentId }) => ({
      key: {
        connectionId: connection.id,
        resourceType: mapping.resource.type,
        recordType: mapping.recordType,
        externalId: null,
        recordId: id,
      },
      row,
      parentId,
    }));
}
