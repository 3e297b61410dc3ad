/**
 * State transitions of a lane's events. Every other decision is built from these functions: no other code
 * changes a state, and an illegal transition is refused here.
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

/** An illegal state transition: a bug in Tandem, never a fault of the data. */
export class IllegalMoveError extends Error {
  override readonly name = "IllegalMoveError";
}

/** Fields that a transition may set besides the state. */
export type MoveDetails = Partial<
  Omit<TandemEvent, "id" | "laneId" | "connectionId" | "direction" | "state" | "createdAt">
>;

/** A transition that changes nothing. */
export function unchanged(lane: Lane): Transition {
  return { lane, ended: [] };
}

/** Changes fields of the lane; events stay as they are. */
export function withLane(
  transition: Transition,
  changes: Partial<Omit<Lane, "id" | "live">>,
): Transition {
  return { lane: { ...transition.lane, ...changes }, ended: transition.ended };
}

/** Adds a new event, live or already ended. */
export function addEvent(transition: Transition, event: TandemEvent): Transition {
  return isTerminal(event.state)
    ? { lane: transition.lane, ended: [...transition.ended, event] }
    : {
        lane: { ...transition.lane, live: [...transition.lane.live, event] },
        ended: transition.ended,
      };
}

/** Moves a live event to another state, or changes its details in the state that it has. */
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
  return addEvent({ lane: { ...transition.lane, live: others }, ended: transition.ended }, moved);
}

/** Why a pairing is switched off, as a reason; `null` if it is on. */
export function pairingOff({ disabled }: Lane): Reason | null {
  if (disabled === null) return null;
  return disabled.cause === "quarantined" ? "quarantined" : "pairing_disabled";
}

/** Why outbound events of the lane are disabled, or `null`. */
export function outboundOff(lane: Lane, { switchedOff }: Context): Reason | null {
  return switchedOff.outbound ?? pairingOff(lane);
}

/** Why inbound events of the lane are disabled, or `null`. */
export function inboundOff(lane: Lane, { switchedOff }: Context): Reason | null {
  return switchedOff.inbound ?? pairingOff(lane);
}

/** Appends to an event's conflicts. A recorded conflict is never dropped. */
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

/** The event that is processing, or `null`. */
export function processing(lane: Lane): TandemEvent | null {
  return liveEvents(lane, "processing")[0] ?? null;
}

/** Whether a request's outcome is unknown: it was sent, is not settled, and no worker waits for its answer. */
export function outcomeUnknown(lane: Lane): boolean {
  return lane.attempt !== null && processing(lane)?.id !== lane.attempt.event;
}
