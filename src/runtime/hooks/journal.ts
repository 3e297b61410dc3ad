/** The journal: one event for each write of the app to a record, even if nothing is synced. */
import type { FieldChange, JournalEntry } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { CapturedChange } from "../../store/store.ts";
import type { Services } from "../services/index.ts";

/** The journal entries for a batch of captured writes. Tandem's own writes have events already. */
export function journalOf(
  services: Pick<Services, "journals" | "newEventId">,
  changes: readonly CapturedChange[],
  now: Instant,
): readonly JournalEntry[] {
  const journaled = new Set(services.journals.map(({ recordType }) => recordType));
  return changes
    .filter(({ recordType, origin }) => origin === null && journaled.has(recordType))
    .flatMap((change): JournalEntry[] => {
      const altered = fieldChanges(change);
      // The write may have changed only mapped columns that the journal does not keep.
      if (change.operation === "update" && altered.length === 0) return [];
      return [
        {
          id: services.newEventId(now),
          direction: "outbound",
          reason: "journaled",
          action: change.operation === "delete" ? "delete" : "upsert",
          recordType: change.recordType,
          recordId: change.recordId,
          changes: altered,
          writtenAt: change.changedAt,
          endedAt: now,
        },
      ];
    });
}

function fieldChanges({ journal }: CapturedChange): readonly FieldChange[] {
  return Object.entries(journal ?? {}).map(([field, { from, to }]) => ({
    side: "record",
    field,
    from,
    to,
  }));
}
