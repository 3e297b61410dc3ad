/** Writing what was decided on lanes, under the constraints that Postgres holds by its indexes. */
import { isTerminal, type TandemEvent } from "../../../model/event.ts";
import type { ConnectionId } from "../../../model/ids.ts";
import type { Lane } from "../../../model/lane.ts";
import { storableValue } from "../../database/index.ts";
import type { ResourceRelations } from "../../rules/index.ts";
import { switchedOffIn, SwitchedOnMeanwhileError } from "../../rules/index.ts";
import type { Decided } from "../../store.ts";
import { ConstraintError, type MemoryState } from "../tables/index.ts";
import type { MemoryHeldLanes } from "./lane-locks.ts";
import { toLedger } from "./ledger-events.ts";

/** Writes decisions on lanes that are locked; announces work if events wait. */
export function saveLanesInMemory(
  state: MemoryState,
  held: MemoryHeldLanes,
  relations: ResourceRelations,
  decided: readonly Decided[],
): void {
  const seen = new Set<Lane["id"]>();
  for (const off of switchedOffIn(decided)) {
    if (state.connections.get(off.connectionId)?.[off.direction] === true) {
      throw new SwitchedOnMeanwhileError(off);
    }
  }
  const saved = decided.flatMap(({ before, after }) => {
    const { id } = after.lane;
    if (!held.has(id) || id !== before.id) {
      throw new Error(`lane ${id} is saved without being locked in this transaction`);
    }
    if (seen.has(id)) throw new Error(`lane ${id} is saved twice at once`);
    seen.add(id);
    return savedLane(state, held, before, after.lane) ?? [];
  });
  // Together, for lanes may trade places: an address leads to one lane at every moment.
  state.lanes.put(...saved);
  for (const { id } of saved) held.set(id, null);
  for (const { after } of decided) {
    for (const event of after.ended) {
      if (!isTerminal(event.state)) throw new Error(`event ${event.id} has not ended`);
      if (event.finishedAt === null) {
        throw new ConstraintError("23502", `event ${event.id} ended at no time`);
      }
      state.ended.insert(toLedger(state, relations, after.lane, storableEvent(event)));
    }
  }
}

/** The lane as it is written; `null` if it has not changed. */
function savedLane(
  state: MemoryState,
  held: MemoryHeldLanes,
  before: Lane,
  after: Lane,
): Lane | null {
  const reserved = held.get(before.id) ?? null;
  if (before === after && reserved === null) return null;
  if ((reserved ?? state.lanes.get(before.id)) !== before) {
    throw new Error(`lane ${before.id} has moved on since it was read in this transaction`);
  }
  const lane = storableLane(before, after);
  refuseCrowd(lane);
  const waits = (event: TandemEvent) => event.state === "queued" && !before.live.includes(event);
  if (lane.live.some(waits)) state.announceWork("events");
  return lane;
}

/** At most one event of a lane is queued in a direction, and at most one is processing. */
function refuseCrowd({ id, live }: Lane): void {
  const places = new Set<string>();
  for (const { id: event, state, direction } of live) {
    if (isTerminal(state)) throw new ConstraintError("23514", `event ${event} has ended`);
    if (state !== "queued" && state !== "processing") continue;
    const place = state === "queued" ? `queued ${direction}` : state;
    if (places.has(place)) {
      throw new ConstraintError("23505", `two events of lane ${id} are ${place}`);
    }
    places.add(place);
  }
}

/** The parts of a lane that hold texts of other people's making. */
const TEXTS = ["copy", "display", "base", "known", "attempt", "unanswered", "lastSent"] as const;

/** Texts become such as Postgres keeps; the very same objects are not looked into. */
function storableLane(before: Lane, after: Lane): Lane {
  let lane = after;
  for (const part of TEXTS) {
    if (before[part] === after[part]) continue;
    const value = storableValue(after[part]);
    if (value !== after[part]) lane = { ...lane, [part]: value };
  }
  const live = after.live.map((event) =>
    before.live.includes(event) ? event : storableEvent(event),
  );
  return live.every((event, index) => event === after.live[index]) ? lane : { ...lane, live };
}

function storableEvent(event: TandemEvent): TandemEvent {
  const [content, changes, conflicts, error] = [
    storableValue(event.content),
    storableValue(event.changes),
    storableValue(event.conflicts),
    storableValue(event.error),
  ];
  const same =
    content === event.content &&
    changes === event.changes &&
    conflicts === event.conflicts &&
    error === event.error;
  return same ? event : { ...event, content, changes, conflicts, error };
}

/** Makes the children of a lane that wait for it, or for an unknown parent, due at once. */
export function wakeChildren(state: MemoryState, parent: Lane): void {
  const waits = (lane: Lane) =>
    lane.parent === null ||
    (lane.parent.type === parent.resourceType && lane.parent.externalId === parent.externalId);
  wake(state, parent.connectionId, "awaiting_parent", waits);
}

/** Makes events that wait for a create without a token due at once. */
export function wakeAwaitingIntent(
  state: MemoryState,
  connection: ConnectionId,
  resourceType: string,
): void {
  const waits = (lane: Lane) => lane.resourceType === resourceType;
  wake(state, connection, "awaiting_intent", waits);
}

/** Makes events that wait for pairing to end due at once. */
export function wakeAwaitingPairing(
  state: MemoryState,
  connection: ConnectionId,
  resourceType: string,
): void {
  const waits = (lane: Lane) => lane.resourceType === resourceType;
  wake(state, connection, "awaiting_pairing", waits);
}

function wake(
  state: MemoryState,
  connection: ConnectionId,
  reason: TandemEvent["reason"],
  waits: (lane: Lane) => boolean,
): void {
  const isAsleep = (event: TandemEvent) => event.state === "queued" && event.reason === reason;
  const runAt = state.now();
  for (const lane of state.lanes.by("busy", true)) {
    if (lane.connectionId !== connection || !waits(lane) || !lane.live.some(isAsleep)) continue;
    const live = lane.live.map((event) => (isAsleep(event) ? { ...event, runAt } : event));
    state.lanes.put({ ...lane, live });
    state.announceWork("events");
  }
}
