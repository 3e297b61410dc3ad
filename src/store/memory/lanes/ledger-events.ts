/** Events as the ledger shows them, and the ones that have ended as it keeps them. */
import { eventOfEntry, type JournalEntry, type TandemEvent } from "../../../model/event.ts";
import type { LaneId } from "../../../model/ids.ts";
import type { Lane } from "../../../model/lane.ts";
import { storableValue } from "../../database/index.ts";
import type { LedgerEvent } from "../../ledger.ts";
import type { ResourceRelations } from "../../rules/index.ts";
import type { MemoryState } from "../tables/index.ts";
import { UndoableList } from "../tables/index.ts";

/** Under which key the ended events of a lane are found. */
export function laneKeyOf(id: LaneId): string {
  return `lane\n${id}`;
}

/** Under which key a record's own writes are found. */
export function journalKeyOf(recordType: string, recordId: string): string {
  return `record\n${recordType}\n${recordId}`;
}

export function endedOf(state: MemoryState, key: string): readonly LedgerEvent[] {
  return state.endedOf.get(key)?.items ?? [];
}

export function appendEnded(state: MemoryState, key: string, event: LedgerEvent): void {
  state.ended.append(event);
  const known = state.endedOf.get(key);
  const own = known ?? new UndoableList<LedgerEvent>(state.undoLog);
  if (known === undefined) state.endedOf.set(key, own);
  own.append(event);
}

/** An event of a lane with the type and relation of its resource. */
export function toLedger(
  state: MemoryState,
  relations: ResourceRelations,
  lane: Lane,
  event: TandemEvent,
): LedgerEvent {
  const integration = state.connections.get(lane.connectionId)?.integration ?? "";
  const relation = relations.relationOf(integration, lane.resourceType);
  return { ...event, resourceType: lane.resourceType, relation };
}

/** Adds records' own writes: events that ended at once and belong to no lane. */
export function appendJournalInMemory(state: MemoryState, entries: readonly JournalEntry[]): void {
  for (const entry of entries) {
    appendEnded(state, journalKeyOf(entry.recordType, entry.recordId), {
      ...eventOfEntry(entry),
      changes: storableValue(entry.changes),
      resourceType: null,
      relation: null,
    });
  }
}
