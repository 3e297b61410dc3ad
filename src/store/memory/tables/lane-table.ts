/** The lanes in memory, and the indexes by which they are found. */
import type { Lane } from "../../../model/lane.ts";
import type { LaneKey } from "../../store.ts";
import { Table } from "./table.ts";
import type { UndoLog } from "./undo-log.ts";

export type LaneTable = ReturnType<typeof laneTable>;

export function laneTable(log: UndoLog) {
  return new Table(log, {
    key: ({ id }: Lane) => id,
    indexes: {
      resource: resourceKeyInMemory,
      livingRecord: livingRecordKey,
      token: ({ intent }: Lane) => intent?.token ?? null,
      /** The lanes that a record has or had, tombstones included. */
      record: recordKey,
      /** The lanes that have live events. */
      busy: ({ live }: Lane) => live.length > 0 || null,
    },
    unique: ["resource", "livingRecord", "token"],
  });
}

/** The key of a lane in the index by resource; `null` if the index does not hold the lane. */
export function resourceKeyInMemory(
  lane: Pick<LaneKey, "connectionId" | "resourceType" | "externalId">,
): string | null {
  if (lane.externalId === null) return null;
  return `${lane.connectionId}\n${lane.resourceType}\n${lane.externalId}`;
}

export function livingRecordKey(
  lane: Omit<LaneKey, "externalId"> & Partial<Pick<Lane, "tombstone">>,
): string | null {
  if (lane.recordId === null || (lane.tombstone ?? null) !== null) return null;
  return `${lane.connectionId}\n${lane.resourceType}\n${lane.recordType}\n${lane.recordId}`;
}

export function recordKey(lane: Pick<LaneKey, "recordType" | "recordId">): string | null {
  return lane.recordId === null ? null : `${lane.recordType}\n${lane.recordId}`;
}
