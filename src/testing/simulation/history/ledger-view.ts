/** The ledger of a history, read through the store, for every kind of database. */
import { formatInstant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { Store } from "../../../store/store.ts";
import type { LedgerEvent } from "../../../store/ledger.ts";

export interface LedgerView {
  readonly lanes: readonly Lane[];
  readonly events: readonly (LedgerEvent & { readonly line: string })[];
  /** Captures that were not drained. */
  readonly undrained: number;
  /** The number of stored webhooks, and of those that were not translated. */
  readonly deliveries: { readonly stored: number; readonly untranslated: number };
}

const EVERYTHING = 100_000;

export async function readLedger(store: Store): Promise<LedgerView> {
  const events = [...(await store.ledger.events({ limit: EVERYTHING }))].reverse();
  const ids = [...new Set(events.flatMap(({ laneId }) => laneId ?? []))];
  const lanes = await store.transaction((tx) => tx.lockLanes(ids));
  const counts = await store.deliveries.counts();
  const { undrained } = await store.ledger.counts();
  return {
    lanes,
    events: events.map((event) => ({ ...event, line: lineOf(event) })),
    undrained,
    deliveries: {
      stored: counts.received + counts.translated + counts.irrelevant + counts.failed,
      untranslated: counts.received + counts.failed,
    },
  };
}

function lineOf(event: LedgerEvent): string {
  const { id, direction, action, state, reason, recordType, recordId, externalId } = event;
  const about = `${recordType} ${recordId ?? "?"} and ${externalId ?? "?"}`;
  const code = event.error === null ? "" : ` (${event.error.code})`;
  const at = event.updatedAt === null ? "" : ` at ${formatInstant(event.updatedAt).slice(11, 19)}`;
  const says = event.content === null ? "" : ` says ${JSON.stringify(event.content)}`;
  const lost = event.conflicts.map((conflict) => ` lost ${JSON.stringify(conflict.lost)}`).join();
  return `${id} ${direction} ${action} of ${about}: ${state} ${reason}${code}${at}${says}${lost}`;
}
