/** The standings of records with their counterparts, for many records in one call. */
import { formatInstant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { Ledger, LedgerEvent, Standing } from "../../ledger.ts";
import type { MemoryState } from "../tables/index.ts";
import { lanesOfRecords } from "./lane-keys.ts";

/** Only a lane's last events are looked at for conflicts, so that a long history costs nothing. */
const LOOKED_AT = 20;

export function memoryStandings(
  state: MemoryState,
  recordType: string,
  recordIds: readonly string[],
): Awaited<ReturnType<Ledger["standings"]>> {
  const undrained = state.changes
    .of(recordType, recordIds)
    .filter(({ origin }) => origin === null)
    .map(({ recordId }) => recordId);
  const pairings = lanesOfRecords(state, recordType, recordIds).map((lane) =>
    standingOf(state, lane),
  );
  return { pairings, undrained: new Set(undrained) };
}

function standingOf(state: MemoryState, lane: Lane & { readonly recordId: string }): Standing {
  const ended = state.ended.by("lane", lane.id);
  const last = ended.toSorted(newestFirst).slice(0, LOOKED_AT);
  const lastEnded = last.toSorted(byEnd).at(-1);
  return {
    recordId: lane.recordId,
    integration: state.connections.get(lane.connectionId)?.integration ?? "",
    resourceType: lane.resourceType,
    externalId: lane.externalId,
    url: lane.display.url ?? null,
    tombstoned: lane.tombstone !== null,
    unknownOutcome: lane.attempt !== null,
    lastReason: lastEnded?.reason ?? null,
    live: [...lane.live]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, state: eventState, reason, direction, error }) => ({
        id,
        state: eventState,
        reason,
        direction,
        error,
      })),
    conflicts: last.flatMap(({ id, conflicts, finishedAt, createdAt }) =>
      conflicts.map((conflict) => ({
        ...conflict,
        event: id,
        at: formatInstant(finishedAt ?? createdAt),
      })),
    ),
  };
}

/** Those that ended at one time, in the order of their birth. */
function byEnd(a: LedgerEvent, b: LedgerEvent): number {
  return (a.finishedAt ?? 0) - (b.finishedAt ?? 0) || (a.id < b.id ? -1 : 1);
}

export function newestFirst(a: Pick<LedgerEvent, "id">, b: Pick<LedgerEvent, "id">): number {
  return a.id > b.id ? -1 : 1;
}
