/**
 * Moves of events within a lane. Every other decision is built from these, so this is the one
 * place where a state changes, and the one that refuses an illegal move.
 */
import {
  type Conflict,
  type EventState,
  isLegalMove,
  isTerminal,
  type Reason,
  type TandemEvent,
} from "../../model/event.ts";
import type { EventId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Context } from "./context.ts";

/** An illegal move: a fault of ours, never of the data. */
export class IllegalMoveError extends Error {
  override readonly name = "IllegalMoveError";
}

/** Fields that a move may set beside the state. */
export type MoveDetails = Partial<
  Omit<TandemEvent, "id" | "laneId" | "connectionId" | "direction" | "state" | "createdAt">
>;

/** A lane as it is, with nothing ended. */
export function unchanged(lane: Lane): Transition {
  return { lane, ended: [] };
}

/** Changes what the lane knows; events stay as they are. */
export function withLane(
  transition: Transition,
  changes: Partial<Omit<Lane, "id" | "live">>,
): Transition {
  return { lane: { ...transition.lane, ...changes }, ended: transition.ended };
}

/** Adds a new event, live or already ended. */
export function bear(transition: Transition, event: TandemEvent): Transition {
  return isTerminal(event.state)
    ? { lane: transition.lane, ended: [...transition.ended, event] }
    : {
        lane: { ...transition.lane, live: [...transition.lane.live, event] },
        ended: transition.ended,
      };
}

/** Moves a live event to another state, or leaves it there with other details. */
export function move(
  transition: Transition,
  id: EventId,
  to: EventState,
  now: Instant,
  details: MoveDetails,
): Transition {
  const event = transition.lane.live.find((candidate) => candidate.id === id);
  if (event === undefined) {
    throw new IllegalMoveError(`event ${id} is not live in lane ${transition.lane.id}`);
  }
  if (event.state !== to && !isLegalMove(event.state, to)) {
    throw new IllegalMoveError(`event ${id} cannot go from ${event.state} to ${to}`);
  }
  const leased = to === "processing";
  const moved: TandemEvent = {
    ...event,
    ...(leased ? {} : { leaseExpiresAt: null }),
    ...details,
    state: to,
    finishedAt: isTerminal(to) ? now : null,
  };
  const others = transition.lane.live.filter((candidate) => candidate.id !== id);
  return bear({ lane: { ...transition.lane, live: others }, ended: transition.ended }, moved);
}

/** Why a pairing is switched off, as a reason; `null` where it is on. */
export function pairingOff({ disabled }: Lane): Reason | null {
  if (disabled === null) return null;
  return disabled.cause === "quarantined" ? "quarantined" : "pairing_disabled";
}

/** Why what goes out is held back, or `null`. */
export function outboundOff(lane: Lane, { switchedOff }: Context): Reason | null {
  return switchedOff.outbound ?? pairingOff(lane);
}

/** Why what comes in is held back, or `null`. */
export function inboundOff(lane: Lane, { switchedOff }: Context): Reason | null {
  return switchedOff.inbound ?? pairingOff(lane);
}

/** Conflicts of an event that may have some already: none is ever dropped. */
export function withConflicts(
  event: TandemEvent,
  conflicts: readonly Conflict[],
): readonly Conflict[] {
  return conflicts.length === 0 ? event.conflicts : [...event.conflicts, ...conflicts];
}

/** The lane's live events in a state and direction. */
export function liveEvents(
  lane: Lane,
  state: EventState,
  direction?: TandemEvent["direction"],
): readonly TandemEvent[] {
  return lane.live.filter(
    (event) => event.state === state && (direction === undefined || event.direction === direction),
  );
}

/** The event being processed, if there is one. */
export function processing(lane: Lane): TandemEvent | null {
  return liveEvents(lane, "processing")[0] ?? null;
}

/**
 * Whether what the lane knows of its resource may be wrong: an event is processing, a request's
 * outcome is unknown, or the newest content's bearer will not be merged by itself.
 */
export function inDoubt(lane: Lane): boolean {
  if (processing(lane) !== null || lane.attempt !== null) return true;
  if (lane.known === null) return false;
  const bearer = lane.live.find((event) => event.id === lane.known?.event);
  return lane.known.lost || bearer?.state === "errored" || bearer?.state === "disabled";
}

/** Whether a request's outcome is unknown: sent, not settled, and nobody is waiting for it. */
export function outcomeUnknown(lane: Lane): boolean {
  return lane.attempt !== null && processing(lane)?.id !== lane.attempt.event;
}
