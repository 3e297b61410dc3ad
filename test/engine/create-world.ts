/**
 * The small world of one create: requests that are lost, land late or are answered into the void, a
 * list that lags, webhooks in any order, and a person who copies the resource, token included.
 */
import type { EventId } from "../../src/model/ids.ts";
import type { TandemEvent } from "../../src/model/event.ts";
import type { Lane, Transition } from "../../src/model/lane.ts";
import { admit } from "../../src/engine/admit.ts";
import { fail } from "../../src/engine/fail.ts";
import { identify, learnIdentity } from "../../src/engine/identify.ts";
import { awaitRecord, concludeInbound } from "../../src/engine/inbound.ts";
import { planMerge, type Sight, sightOf } from "../../src/engine/merge.ts";
import { concludeAnswer, concludeLook, stepOutbound } from "../../src/engine/outbound.ts";
import { claim, nextEvent, recheckInbound } from "../../src/engine/start.ts";
import { noteSurplus } from "../../src/engine/surplus.ts";
import { unchanged } from "../../src/engine/transition.ts";
import {
  ada,
  aContext,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  bot,
  withEvent,
} from "./builders.ts";

const RECORD = { title: "T", body: "b" };

/** A resource by its number, which is its place in the list, from 1. */
interface Landed {
  readonly author: "us" | "person";
  readonly open: boolean;
  /** Its webhook has not been delivered. */
  readonly wire: boolean;
  /** It got a record of its own. */
  readonly own: boolean;
}

export interface CreateWorld {
  readonly resources: readonly Landed[];
  readonly lane: Lane;
  /** Requests of workers that gave up on them; each may still land. */
  readonly adrift: number;
  readonly task:
    | { readonly kind: "sent"; readonly event: EventId }
    | { readonly kind: "answered" | "listed"; readonly event: EventId; readonly number: number }
    | null;
  readonly faults: number;
  readonly copies: number;
  readonly phase: "faults" | "calm" | "polled" | "swept";
  readonly nextId: number;
}

/** The parts of the protocol that a mutant may change. */
export interface CreateRules {
  readonly identify: typeof identify;
  /** Which resources the sweep closes. */
  readonly closes: (world: CreateWorld, number: number) => boolean;
}

export const createRules: CreateRules = {
  identify,
  closes: (world, number) => identified(world, number, identify).kind === "surplus",
};

export function firstCreateWorld(faults: number, copies: number): CreateWorld {
  const { lane } = withEvent(anUnseenLane({ recordId: "7" }), 1, {
    direction: "outbound",
    runAt: at(0),
  });
  const start = { resources: [], adrift: 0, task: null, phase: "faults", nextId: 10 } as const;
  return { ...start, lane, faults, copies };
}

interface Step {
  readonly name: string;
  readonly world: CreateWorld;
}

const context = (world: CreateWorld) => {
  let next = world.nextId;
  return aContext({ newId: () => anEventId(next++) });
};

/** Every move that may come next. */
export function createMoves(world: CreateWorld, rules: CreateRules): readonly Step[] {
  const steps: Step[] = [...workerSteps(world)];
  const add = (name: string, next: CreateWorld) => steps.push({ name, world: next });
  if (world.adrift > 0)
    add("a late POST lands", landed({ ...world, adrift: world.adrift - 1 }, "us"));
  if (world.copies > 0 && world.resources.length > 0) {
    add("a person copies it", landed({ ...world, copies: world.copies - 1 }, "person"));
  }
  world.resources.forEach((resource, index) => {
    if (resource.wire) add(`webhook ${index + 1}`, observed(world, index + 1, rules));
  });
  if (world.phase === "faults" && world.adrift === 0) {
    add("faults stop", { ...world, faults: 0, copies: 0, phase: "calm" });
  }
  const quiet = world.task === null && world.lane.live.length === 0;
  if (world.phase === "calm" && world.resources.some(({ wire }) => wire)) {
    const resources = world.resources.map((resource) => ({ ...resource, wire: false }));
    add("webhooks lost", { ...world, resources });
  }
  if (world.phase === "calm" && quiet && world.resources.every(({ wire }) => !wire)) {
    const polled = world.resources.reduce(
      (after, { open }, index) => (open ? observed(after, index + 1, rules) : after),
      world,
    );
    add("POLL", { ...polled, phase: "polled" });
  }
  if (world.phase === "polled" && quiet) {
    const resources = world.resources.map((resource, index) => ({
      ...resource,
      open: resource.open && !rules.closes(world, index + 1),
    }));
    add("SWEEP", { ...world, resources, phase: "swept" });
  }
  return steps;
}

/** What is wrong in the end, or `null`. */
export function createViolation(world: CreateWorld): string | null {
  const { lane, resources } = world;
  const bound = resources[Number(lane.externalId) - 1];
  if (bound?.open !== true) return "the record's resource is closed, or there is none";
  if (bound.author === "person") return "the record was paired with a person's copy";
  const ours = resources.filter(({ open, author }) => open && author === "us");
  if (ours.length > 1) return "two resources of ours for one record";
  for (const { author, open, own } of resources) {
    if (own && author === "us") return "a second record for our own resource";
    if (author === "person" && !open) return "a person's resource was closed";
    if (author === "person" && !own) return "a person's copy has no record";
  }
  return null;
}

export function createFingerprint({ nextId: _, lane, ...world }: CreateWorld): string {
  const live = lane.live.map((e) => [e.direction, e.state, e.reread, e.id === world.task?.event]);
  const { externalId, attempt, unanswered, base, intent } = lane;
  const sent = [attempt?.kind, attempt?.event === world.task?.event, unanswered.map((a) => a.kind)];
  const known = [externalId, base, intent?.token, lane.known?.content, lane.clock?.at];
  return JSON.stringify([world, live.sort(), sent, known, world.task === null]);
}

function workerSteps(world: CreateWorld): readonly Step[] {
  const { task, lane } = world;
  const given = context(world);
  if (task === null) {
    const next = nextEvent(lane, given.now);
    if (next === null) return [];
    const taken = claim(lane, next, "w1", given.now, 60_000).lane;
    const event = liveEvent(taken, next.id);
    const claimed = { ...world, lane: taken };
    return event.direction === "inbound"
      ? [inboundStep(claimed, event)]
      : outboundSteps(claimed, event);
  }
  const event = liveEvent(lane, task.event);
  const steps: Step[] = [];
  switch (task.kind) {
    case "sent": {
      const arrived = landed(world, "us");
      const number = arrived.resources.length;
      const back: CreateWorld = { ...arrived, task: { kind: "answered", event: event.id, number } };
      steps.push({ name: "POST lands", world: back });
      break;
    }
    case "answered":
      steps.push({ name: "answer", world: answered(world, event, task.number) });
      break;
    case "listed":
      steps.push({ name: "look", world: adopted(world, event, task.number) });
      break;
  }
  if (world.faults > 0) {
    const lost = failed(world, event);
    steps.push({ name: "outcome lost", world: lost });
    if (task.kind === "sent") {
      steps.push({ name: "POST adrift", world: { ...lost, adrift: world.adrift + 1 } });
    }
  }
  return steps;
}

function inboundStep(world: CreateWorld, event: TandemEvent): Step {
  const given = context(world);
  const recheck = recheckInbound(unchanged(world.lane), event, given.now);
  if (recheck.verdict === "ended")
    return { name: "inbound", world: saved(world, recheck.transition) };
  const sight: Sight =
    recheck.verdict === "reread"
      ? sightOf(world.lane, observation(world, Number(world.lane.externalId)), "reread", given)
      : { content: event.content ?? {}, copy: {}, at: event.updatedAt ?? at(0), from: "payload" };
  const plan = planMerge(world.lane, sight, RECORD, given);
  const record = { before: RECORD, after: { id: "7", content: { ...RECORD, ...plan.toRecord } } };
  const start = unchanged(world.lane);
  return {
    name: "inbound",
    world: saved(world, concludeInbound(start, event, sight, plan, record, given)),
  };
}

function outboundSteps(world: CreateWorld, event: TandemEvent): readonly Step[] {
  const step = outboundStep(world, event, false);
  if (step !== "find") return [{ name: "start outbound", world: step }];
  const steps: Step[] = [{ name: "list shows nothing", world: afterLook(world, event) }];
  const found = world.resources.findIndex(({ author, open }) => open && author === "us") + 1;
  if (found === 0) return steps;
  const listed: CreateWorld = {
    ...world,
    task: { kind: "listed", event: event.id, number: found },
  };
  return [{ name: `list shows ${found}`, world: listed }, ...steps];
}

function adopted(before: CreateWorld, event: TandemEvent, number: number): CreateWorld {
  const world = { ...before, task: null };
  const given = context(world);
  if (isBoundElsewhere(world.lane, number)) return waiting(world, event);
  const seen = observation(world, number);
  const lane = learnIdentity(world.lane, seen);
  const sight = sightOf(lane, seen, "reread", given);
  const plan = planMerge(lane, sight, RECORD, given);
  const record = { before: RECORD, after: { id: "7", content: RECORD } };
  const looked = saved(world, concludeLook(unchanged(lane), event, sight, plan, record, given));
  return afterLook(looked, liveEvent(looked.lane, event.id));
}

function afterLook(world: CreateWorld, event: TandemEvent): CreateWorld {
  const step = outboundStep(world, event, true);
  if (step === "find") throw new Error("it was looked for already");
  return step;
}

function outboundStep(
  world: CreateWorld,
  event: TandemEvent,
  looked: boolean,
): CreateWorld | "find" {
  const view = { record: RECORD, parent: "none", token: "t", looked } as const;
  const step = stepOutbound(unchanged(world.lane), event, view, context(world));
  if (step.kind === "find") return "find";
  if (step.kind === "settled") return saved(world, step.transition);
  if (step.kind === "reread") return adopted(world, event, Number(world.lane.externalId));
  const sent = saved(world, step.transition);
  if (step.request.kind !== "create") throw new Error("nobody edits anything here");
  return { ...sent, task: { kind: "sent", event: event.id } };
}

function answered(before: CreateWorld, event: TandemEvent, number: number): CreateWorld {
  const world = { ...before, task: null };
  const given = context(world);
  if (isBoundElsewhere(world.lane, number)) return waiting(world, event);
  const seen = observation(world, number);
  const lane = learnIdentity(world.lane, seen);
  const sight = sightOf(lane, seen, "answer", given);
  const plan = planMerge(lane, sight, RECORD, given);
  const record = { before: RECORD, after: { id: "7", content: RECORD } };
  return saved(world, concludeAnswer(unchanged(lane), event, sight, plan, record, given));
}

/** Another resource was adopted meanwhile: this one is surplus. */
function isBoundElsewhere({ externalId }: Lane, number: number): boolean {
  return externalId !== null && externalId !== String(number);
}

function waiting(world: CreateWorld, event: TandemEvent): CreateWorld {
  const given = { ...context(world), now: at(0) };
  return saved(world, awaitRecord(unchanged(world.lane), event, given));
}

function failed(world: CreateWorld, event: TandemEvent): CreateWorld {
  const error = { code: "timeout", message: "", hint: "", retryable: true };
  const failure = {
    error: { ...error, httpStatus: null, requestId: null },
    applied: "unknown",
    pausedUntil: null,
  } as const;
  const lost = fail(unchanged(world.lane), event, failure, at(0), 0);
  return saved({ ...world, task: null, faults: world.faults - 1 }, lost);
}

function landed(world: CreateWorld, author: Landed["author"]): CreateWorld {
  const resource = { author, open: true, wire: true, own: false };
  return { ...world, resources: [...world.resources, resource] };
}

/** An arrival of a resource, as the store's admission takes it. */
function observed(before: CreateWorld, number: number, rules: CreateRules): CreateWorld {
  const resources = before.resources.map((resource, index) =>
    index + 1 === number ? { ...resource, wire: false } : resource,
  );
  const world = { ...before, resources };
  if (resources[number - 1]?.own === true) return world;
  const given = context(world);
  const arrival = {
    observation: observation(world, number),
    source: "webhook",
    deliveryId: null,
    verifiedAt: null,
  } as const;
  switch (identified(world, number, rules.identify).kind) {
    case "lane":
    case "adopt":
      return saved(world, admit(world.lane, arrival, given));
    case "surplus":
      return saved(world, noteSurplus(world.lane, arrival, given));
    case "new":
      return {
        ...world,
        resources: resources.map((resource, index) =>
          index + 1 === number ? { ...resource, own: true } : resource,
        ),
      };
  }
}

function identified(world: CreateWorld, number: number, decide: typeof identify) {
  const { id, externalId, intent } = world.lane;
  const key = { id, externalId };
  const arrival = observation(world, number);
  const known = externalId === arrival.externalId ? key : null;
  return decide(arrival, known, intent === null ? null : key, bot);
}

function observation({ resources }: CreateWorld, number: number) {
  const author = resources[number - 1]?.author === "us" ? bot : ada;
  return anObservation(RECORD, number, { externalId: String(number), token: "t", author });
}

function saved(world: CreateWorld, { lane, ended }: Transition): CreateWorld {
  return { ...world, lane, nextId: world.nextId + ended.length + lane.live.length + 1 };
}

function liveEvent(lane: Lane, id: EventId): TandemEvent {
  const event = lane.live.find((candidate) => candidate.id === id);
  if (event === undefined) throw new Error(`event ${id} is not live`);
  return event;
}
