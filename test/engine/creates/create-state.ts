/** The state of the small world of one create, and the conditions that must hold of it in the end. */
import type { TandemEvent } from "../../../src/model/event.ts";
import type { EventId } from "../../../src/model/ids.ts";
import type { Lane, Transition } from "../../../src/model/lane.ts";
import {
  aContext,
  ada,
  aMapping,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  bot,
  issueType,
  withEvent,
} from "../builders.ts";

/** The user who wrote the record, whose token the app may have. */
export const mona = { id: "100", login: "mona" };

export const RECORD = { title: "T", body: "b" };

/** The sender of a create: the account, or the author under a token of their own. */
export type By = "us" | "author";

/** A resource by its number, which is its place in the list, from 1. */
export interface Landed {
  /** `hand`: its writer's own, who copied it: the author, or a person who acts as the account. */
  readonly author: By | "person" | "hand";
  /** Made so long after the last create left that it can be none of them. */
  readonly late: boolean;
  /** It says something else than what was sent. */
  readonly reworded: boolean;
  readonly open: boolean;
  /** Its webhook has not been delivered. */
  readonly wire: boolean;
  /** It got a record of its own. */
  readonly own: boolean;
  /** The lane of its own in which it waits for the create. */
  readonly waits: Lane | null;
}

export interface CreateWorld {
  readonly resources: readonly Landed[];
  readonly lane: Lane;
  /** Whether the resource has room for a token. */
  readonly room: boolean;
  /** The senders of creates: the account, the author, or the author first and then the account. */
  readonly writers: "account" | "author" | "both";
  /** Whether its writer's copy by hand says something else. */
  readonly reworded: boolean;
  /** Requests of workers that gave up on them; each may still land. */
  readonly adrift: readonly By[];
  readonly task:
    | { readonly kind: "sent"; readonly event: EventId; readonly by: By }
    | { readonly kind: "answered" | "listed"; readonly event: EventId; readonly number: number }
    | null;
  readonly faults: number;
  readonly copies: number;
  readonly phase: "faults" | "calm" | "polled" | "swept";
  readonly nextId: number;
}

const withoutRoom = aMapping({ resource: { ...issueType, carriesToken: () => false } });

export function firstCreateWorld(
  faults: number,
  copies: number,
  room = true,
  writers: CreateWorld["writers"] = "account",
  reworded = false,
): CreateWorld {
  const { lane } = withEvent(anUnseenLane({ recordId: "7" }), 1, {
    direction: "outbound",
    runAt: at(0),
  });
  const start = { resources: [], adrift: [], task: null, phase: "faults", nextId: 10 } as const;
  return { ...start, lane, faults, copies, room, writers, reworded };
}

export const context = (world: CreateWorld) => {
  let next = world.nextId;
  const newId = () => anEventId(next++);
  return aContext(world.room ? { newId } : { newId, mapping: withoutRoom });
};

/** The condition that does not hold in the end, or `null`. */
export function createViolation(world: CreateWorld): string | null {
  const { lane, resources } = world;
  const bound = resources[Number(lane.externalId) - 1];
  if (bound?.open !== true) return "the record's resource is closed, or there is none";
  if (!isOurs(bound)) return "the record was paired with a person's copy";
  const ours = resources.filter((resource) => resource.open && isOurs(resource));
  if (ours.length > 1) return "two resources of ours for one record";
  for (const resource of resources) {
    const { open, own } = resource;
    if (own && isOurs(resource)) return "a second record for our own resource";
    if (!isOurs(resource) && !open) return "a person's resource was closed";
    if (!isOurs(resource) && !own) return "a person's copy has no record";
  }
  return null;
}

/** Whether a create of ours made it. */
export function isOurs({ author }: Pick<Landed, "author">): boolean {
  return author === "us" || author === "author";
}

export function createFingerprint({ nextId: _, lane, resources, ...world }: CreateWorld): string {
  const waits = resources.map((resource) => ({
    ...resource,
    waits: resource.waits?.live.map(({ state }) => state),
  }));
  const live = lane.live.map((e) => [e.direction, e.state, e.reread, e.id === world.task?.event]);
  const { externalId, attempt, unanswered, base, intent } = lane;
  const sent = [attempt?.kind, attempt?.event === world.task?.event, unanswered.map((a) => a.kind)];
  const { authors, byAuthor, account } = intent?.posted ?? {};
  const posted = [authors?.map(({ times, made }) => [times, made]), byAuthor, account];
  const known = [externalId, base, intent?.token, lane.known?.content, lane.clock?.at, posted];
  return JSON.stringify([world, waits, live.sort(), sent, known, world.task === null]);
}

export function withResource(
  world: CreateWorld,
  number: number,
  changes: Partial<Landed>,
): CreateWorld {
  const resources = world.resources.map((resource, index) =>
    index + 1 === number ? { ...resource, ...changes } : resource,
  );
  return { ...world, resources };
}

export function landed(world: CreateWorld, author: Landed["author"]): CreateWorld {
  const reworded = author === "hand" && world.reworded;
  // If one of the author's creates was not seen yet, only the time tells a copy with the same words.
  const late = author === "hand" && !reworded && isUnaccounted(world);
  const resource = { author, late, reworded, open: true, wire: true, own: false, waits: null };
  return { ...world, resources: [...world.resources, resource] };
}

/** Whether not all of what its writer's creates may have made was seen. */
function isUnaccounted({ lane: { intent }, writers }: CreateWorld): boolean {
  const { account, authors = [] } = intent?.posted ?? {};
  const sent = writers !== "account" ? authors : account === undefined ? [] : [account];
  return sent.some(({ times, made }) => times > made.length);
}

export function observation({ resources, room, writers }: CreateWorld, number: number) {
  const { author: by = "person", late = false, reworded = false } = resources[number - 1] ?? {};
  const hand = writers === "account" ? bot : mona;
  const author = { us: bot, author: mona, hand, person: ada }[by];
  const token = room ? "t" : null;
  const createdAt = at(late ? 3_600 : 1);
  const content = reworded ? { ...RECORD, title: "Copy" } : RECORD;
  return anObservation(content, number, { externalId: String(number), token, author, createdAt });
}

export function saved(world: CreateWorld, { lane, ended }: Transition): CreateWorld {
  return { ...world, lane, nextId: world.nextId + ended.length + lane.live.length + 1 };
}

export function liveEvent(lane: Lane, id: EventId): TandemEvent {
  const event = lane.live.find((candidate) => candidate.id === id);
  if (event === undefined) throw new Error(`event ${id} is not live`);
  return event;
}
