/** Events as the ledger shows them, and the ones that have ended as it keeps them. */
import { eventOfEntry, type JournalEntry, type TandemEvent } from "../../../model/event.ts";
import type { Lane } from "../../../model/lane.ts";
import { storableValue } from "../../database/index.ts";
import type { LedgerEvent } from "../../ledger.ts";
import type { ResourceRelations } from "../../rules/index.ts";
import type { MemoryState } from "../tables/index.ts";

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
    state.ended.insert({
      ...eventOfEntry(entry),
      changes: storableValue(entry.changes),
      resourceType: null,
      relation: null,
    });
  }
}
