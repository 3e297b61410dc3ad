/** Locking lanes. With one transaction at a time every lock is free; a held lane may be saved. */
import { nextEvent, processing } from "../../../engine/lane/index.ts";
import type { TandemEvent } from "../../../model/event.ts";
import type { ConnectionId, LaneId } from "../../../model/ids.ts";
import type { Instant } from "../../../model/instant.ts";
import type { Lane } from "../../../model/lane.ts";
import type { MemoryState } from "../tables/index.ts";
import { byId } from "./lane-keys.ts";

/** The lanes that a transaction holds: those that are still to be made as they will be, others locked. */
export type MemoryHeldLanes = Map<LaneId, Lane | null>;

/** Locks lanes and returns them in the order of their ids; a lane that does not exist is absent. */
export function lockLanesInMemory(
  state: MemoryState,
  held: MemoryHeldLanes,
  ids: readonly LaneId[],
): readonly Lane[] {
  const wanted = [...new Set(ids)];
  const reserved = wanted.flatMap((id) => held.get(id) ?? []);
  const made = wanted.flatMap((id) => state.lanes.get(id) ?? []);
  return [...reserved, ...hold(held, made)].sort(byId);
}

/** Lanes with an event due and nobody working on them, those that wait longest first. */
export function lockDueLanesInMemory(
  state: MemoryState,
  held: MemoryHeldLanes,
  now: Instant,
  limit: number,
  leftOut: readonly ConnectionId[],
): readonly Lane[] {
  const due: { readonly lane: Lane; readonly event: TandemEvent }[] = [];
  for (const lane of state.lanes.by("busy", true)) {
    const event = nextEvent(lane, now);
    if (event !== null && !leftOut.includes(lane.connectionId)) due.push({ lane, event });
  }
  due.sort(({ event: a }, { event: b }) => a.runAt - b.runAt || (a.id < b.id ? -1 : 1));
  return hold(
    held,
    due.slice(0, limit).map(({ lane }) => lane),
  );
}

/** Lanes whose processing event has outlived its lease. */
export function lockExpiredLanesInMemory(
  state: MemoryState,
  held: MemoryHeldLanes,
  now: Instant,
  limit: number,
): readonly Lane[] {
  const expiry = (lane: Lane) => processing(lane)?.leaseExpiresAt ?? Infinity;
  const expired = state.lanes.by("busy", true).filter((lane) => expiry(lane) <= now);
  return hold(held, expired.sort((a, b) => expiry(a) - expiry(b) || byId(a, b)).slice(0, limit));
}

/** Lanes of a connection with events in a state, in the order of their ids, behind the one given. */
export function lockLanesInStateInMemory(
  state: MemoryState,
  held: MemoryHeldLanes,
  connection: ConnectionId,
  eventState: TandemEvent["state"],
  limit: number,
  after: LaneId | null,
): readonly Lane[] {
  const lanes = state.lanes
    .by("busy", true)
    .filter(
      (lane) =>
        lane.connectionId === connection &&
        Number(lane.id) > Number(after ?? 0) &&
        lane.live.some((event) => event.state === eventState),
    );
  return hold(held, lanes.sort(byId).slice(0, limit));
}

function hold(held: MemoryHeldLanes, lanes: readonly Lane[]): readonly Lane[] {
  for (const { id } of lanes) held.set(id, null);
  return lanes;
}
