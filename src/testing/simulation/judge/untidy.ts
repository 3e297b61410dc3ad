/** The state that a lane or an event keeps of work which is over: a later decision would take it for true. */
import { isTerminal } from "../../../model/event.ts";
import type { Lane } from "../../../model/lane.ts";
import type { LedgerEvent } from "../../../store/ledger.ts";
import { isResourceGone, nextAddress } from "../../../model/tombstone.ts";
import type { LedgerView } from "../history/index.ts";

export function untidy({ lanes, events }: Pick<LedgerView, "lanes" | "events">): readonly string[] {
  return [
    ...lanes
      .filter(({ live }) => live.length === 0)
      .flatMap((lane) => keptAtRest(lane).map((what) => `lane ${lane.id} at rest keeps ${what}`)),
    ...events
      .filter(({ state }) => isTerminal(state))
      .flatMap((event) => keptByEnded(event).map((what) => `${event.line}: ${what}`)),
    ...events.flatMap(({ error, line }) =>
      error === null || (error.code !== "" && error.message !== "" && error.hint !== "")
        ? []
        : [`${line}: its error says too little`],
    ),
  ];
}

function keptAtRest(lane: Lane): readonly string[] {
  const { tombstone, attempt, recordId, externalId } = lane;
  const kept: Readonly<Record<string, boolean>> = {
    "a wait for creates of other lanes": lane.awaitingIntent !== null,
    "a return that is still to be merged": lane.returned !== null,
    "a former place, though it lives": lane.moved !== null && tombstone === null,
    "a former place and a next address": lane.moved !== null && nextAddress(tombstone) !== null,
    "a soft delete of ours, though it lives": lane.archivedAs !== null && tombstone === null,
    "a base without a record": lane.base !== null && recordId === null,
    "a copy without a resource": (lane.copy ?? lane.known) !== null && externalId === null,
    // A resource out of reach may come back, and show then what the request did.
    "a request to a resource that is gone": attempt !== null && isResourceGone(tombstone),
  };
  return Object.keys(kept).filter((what) => kept[what]);
}

function keptByEnded(event: LedgerEvent): readonly string[] {
  const { state } = event;
  const kept: Readonly<Record<string, boolean>> = {
    "it has ended and keeps a lease": event.leaseExpiresAt !== null,
    "it has ended at no time": event.finishedAt === null,
    "it is completed and keeps an error": state === "completed" && event.error !== null,
    "it is a duplicate of nothing": state === "duplicate" && event.duplicateOf === null,
    "it was canceled by nothing": state === "canceled" && event.canceledBy === null,
  };
  return Object.keys(kept).filter((what) => kept[what]);
}
