/** Small facts of the world: what a change at the provider, a write or a decision leaves behind. */
import {
  type Content,
  isStringArray,
  sameValue,
  type SetChanges,
} from "../../../src/model/content.ts";
import type { EventError, TandemEvent } from "../../../src/model/event.ts";
import type { EventId } from "../../../src/model/ids.ts";
import type { Lane, Transition } from "../../../src/model/lane.ts";
import type { Context } from "../../../src/engine/lane/context.ts";
import { MAX_ATTEMPTS } from "../../../src/engine/lane/retry.ts";
import { aContext, anEventId, anObservation, at } from "../builders.ts";
import type { Engine } from "./engine-under-test.ts";
import {
  type Budget,
  type Landing,
  mappingOf,
  nowIn,
  type Options,
  type Seen,
  type Watched,
  type Wire,
  wireKey,
  type World,
} from "./world-state.ts";

/** A move and the world after it. */
export interface Step {
  readonly name: string;
  readonly world: World;
}

/** Runs decisions under a context of the world's present, and keeps count of ids. */
export function deciding(
  options: Options,
  world: World,
  decide: (context: Context) => World,
): World {
  let next = world.nextId;
  const context = aContext({
    mapping: mappingOf(options),
    now: nowIn(world),
    newId: () => anEventId(next++),
    // Each write reads first, however soon it follows another: there are more schedules of that.
    readFreshness: 0,
    switchedOff: switchedOff(world),
  });
  const after = decide(context);
  return { ...after, nextId: next };
}

export function switchedOff({ off }: World): Context["switchedOff"] {
  return { inbound: off ? "connection_paused" : null, outbound: null };
}

/** The source of an observation; a read by id that began after the tombstone verifies. */
export type Source = "webhook" | "poll" | "verified" | "unverified";

/** The world after the observation of a wire was admitted. */
export function admitted(
  engine: Engine,
  options: Options,
  world: World,
  wire: Wire,
  source: Source = "webhook",
): World {
  return deciding(options, world, (context) => admittedIn(engine, context, world, wire, source));
}

/** The same within a decision that is under way. */
export function admittedIn(
  engine: Engine,
  context: Context,
  world: World,
  wire: Wire,
  source: Source = "webhook",
): World {
  const observation = anObservation(wire.kind === "delete" ? null : wire.content, wire.at);
  const isRead = source === "verified" || source === "unverified";
  // A read by id began either before whatever tombstone there is, or after it.
  const began = source === "verified" ? at(world.tick + 1) : at(-1);
  const arrival = {
    observation,
    source: isRead ? "reread" : source,
    deliveryId: null,
    verifiedAt: isRead ? began : null,
  } as const;
  return settled(world, engine.admit(world.lane, arrival, context));
}

export const timeout: EventError = {
  code: "timeout",
  message: "",
  hint: "",
  retryable: true,
  httpStatus: null,
  requestId: null,
};
export const gone: EventError = {
  ...timeout,
  code: "not_found",
  retryable: false,
  httpStatus: 404,
};

/** A failure of the last attempt: it ends the event as errored. */
export function exhausted(event: TandemEvent) {
  return { event: { ...event, attempts: MAX_ATTEMPTS }, error: timeout };
}

export function spend(world: World, what: keyof Budget): World {
  return { ...world, left: { ...world.left, [what]: world.left[what] - 1 } };
}

export function seen(world: World): Seen {
  return { at: world.resource.at, content: world.resource.content };
}

/** The resource changes at the provider, which tells by webhook. */
export function changed(world: World, content: Content): World {
  const resource = { at: world.tick, content, exists: true };
  return onTheWire(
    { ...world, resource, before: seen(world) },
    { kind: "upsert", at: world.tick, content },
  );
}

/** A deletion's webhook carries the time of the edit before it. */
export function deleteWebhook(world: World): World {
  return onTheWire(world, { kind: "delete", at: world.resource.at, content: {} });
}

export function onTheWire(world: World, wire: Wire): World {
  const keys = new Set(world.wires.map(wireKey));
  if (keys.has(wireKey(wire))) return world;
  const wires = [...world.wires, wire].sort((a, b) => (wireKey(a) < wireKey(b) ? -1 : 1));
  return { ...world, wires };
}

/** A write of ours takes effect at the provider. */
export function landing(world: World, { values, sets }: Landing): World {
  const before = world.resource.content;
  const landed = changed(world, { ...before, ...values, ...changedSets(before, sets) });
  return Object.entries(values).reduce(
    (after, [field, value]) =>
      watch(after, field, (w) => {
        if (sameValue(value, w.local)) return { localPending: false, localLanded: true };
        const pushedOut = w.localLanded && sameValue(before[field], w.local);
        return { localPending: w.localPending || pushedOut };
      }),
    landed,
  );
}

function changedSets(before: Content, sets: SetChanges): Content {
  return Object.fromEntries(
    Object.entries(sets).map(([field, { added, removed }]) => {
      const set = before[field];
      const there = isStringArray(set) ? set : [];
      const kept = there.filter((item) => !removed.includes(item));
      return [field, [...new Set([...kept, ...added])].sort()];
    }),
  );
}

/** Whether a write has read already and has not landed: what nobody tells of then, nobody can keep. */
export function isInRoundTrip({ task }: World, { webhooks }: Options): boolean {
  return webhooks === "may be lost" && (task?.kind === "look" || task?.kind === "sent");
}

/** Whether a remote edit only takes back another that nobody had merged: then nothing is lost. */
export function isUndone(world: World, field: string, value: string): boolean {
  const before = world.resource.content[field];
  return value === world.lane.base?.[field] && Number(before) < 2;
}

/** The record shows what it shows: a remote edit that it shows has arrived. */
export function shown(world: World): World {
  return Object.keys(world.watched).reduce(
    (after, field) =>
      watch(after, field, (w) => ({
        remotePending: w.remotePending && !sameValue(world.record?.[field], w.remote),
      })),
    world,
  );
}

export function watch(
  world: World,
  field: string,
  look: (before: Watched) => Partial<Watched>,
): World {
  const before = world.watched[field];
  if (before === undefined) return world;
  return { ...world, watched: { ...world.watched, [field]: { ...before, ...look(before) } } };
}

/** Takes a transition into the world; conflicts of what ended are on record. */
export function settled(world: World, { lane, ended }: Transition): World {
  const recorded = ended.flatMap((event) => event.conflicts.map((conflict) => conflict.field));
  return recorded.reduce((after, field) => watch(after, field, () => ({ conflict: true })), {
    ...world,
    lane,
  });
}

export function eventOf(lane: Lane, id: EventId): TandemEvent {
  const event = lane.live.find((candidate) => candidate.id === id);
  if (event === undefined) throw new Error(`event ${id} is not live`);
  return event;
}
