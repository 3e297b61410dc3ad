/**
 * Events that are switched off because their connection is. The decision may rest on a stale read: a person
 * may have switched the connection on meanwhile, which resumed the waiting events. No later step would find
 * an event that is switched off after that.
 */
import type { Direction, TandemEvent } from "../../model/event.ts";
import type { ConnectionId } from "../../model/ids.ts";
import type { Decided } from "../store.ts";

/** A direction of a connection that was taken for switched off. */
export interface SwitchedOff {
  readonly connectionId: ConnectionId;
  readonly direction: Direction;
}

/** The directions that these decisions took for switched off. */
export function switchedOffIn(decided: readonly Decided[]): readonly SwitchedOff[] {
  return decided.flatMap(({ before, after }) =>
    after.lane.live.filter((event) => isOff(event) && !before.live.some(isSame(event))),
  );
}

function isOff({ state, reason }: TandemEvent): boolean {
  return state === "disabled" && reason === "connection_paused";
}

function isSame({ id, connectionId }: TandemEvent) {
  return (one: TandemEvent) => one.id === id && one.connectionId === connectionId && isOff(one);
}

/** The connection was switched on meanwhile: decided again, the event goes on. */
export class SwitchedOnMeanwhileError extends Error {
  override readonly name = "SwitchedOnMeanwhileError";
  /** Postgres' code of a serialization failure, which this is. */
  readonly code = "40001";

  constructor({ connectionId, direction }: SwitchedOff) {
    super(`${direction} of connection ${connectionId} was switched on meanwhile`);
  }
}
