/**
 * The small world of one create: requests that are lost, land late or are answered into the void, a
 * list that lags, webhooks in any order, and a person who copies the resource, token included.
 *
 * Without room for a token no rule can be exact about requests that land late and lists that lag. So
 * there are none in that world; everything else stays.
 */
import { laneId } from "../../../src/model/ids.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { admit } from "../../../src/engine/admission/admit.ts";
import { fail } from "../../../src/engine/processing/failure.ts";
import { BY_ACCOUNT, saidOf } from "../../../src/engine/creates/create.ts";
import {
  amongAuthors,
  identify,
  learnIdentity,
  writtenByUs,
} from "../../../src/engine/creates/identify.ts";
import { awaitRecord, concludeInbound } from "../../../src/engine/processing/inbound.ts";
import { type ObservedState, observedState, planMerge } from "../../../src/engine/merge/merge.ts";
import {
  concludeAnswer,
  concludeLook,
  stepOutbound,
} from "../../../src/engine/processing/outbound.ts";
import { claim, nextEvent, recheckInbound } from "../../../src/engine/lane/claim.ts";
import { admitSurplus } from "../../../src/engine/creates/surplus.ts";
import {
  awaitIntents,
  mayHaveMade,
  ownerByContent,
  takeOver,
} from "../../../src/engine/creates/unmarked.ts";
import { unchanged } from "../../../src/engine/lane/transition.ts";
import { anUnseenLane, at, bot } from "../builders.ts";
import {
  type By,
  context,
  type CreateWorld,
  type Landed,
  landed,
  liveEvent,
  mona,
  observation,
  RECORD,
  saved,
  withResource,
} from "./create-state.ts";

/** The parts of the protocol that a mutant may change. */
export interface CreateRules {
  readonly identify: typeof identify;
  /** Which resources the sweep closes. */
  readonly closes: (world: CreateWorld, number: number) => boolean;
  /** Whether an unknown resource waits for the create. */
  readonly waits: (lane: Lane, arrival: Parameters<typeof writtenByUs>[0]) => boolean;
  /** Whether the look for a lost create finds this resource. */
  readonly finds: (world: CreateWorld, resource: Landed) => boolean;
}

export const createRules: CreateRules = {
  identify,
  closes: (world, number) => identified(world, number, identify).kind === "surplus",
  waits: (lane, arrival) => mayHaveMade(lane) && writtenByUs(arrival, bot) !== false,
  finds: (world, { author, open, own }) => {
    if (!open || author === "person") return false;
    const posted = world.lane.intent?.posted ?? null;
    return author === "us" ? world.room || !own : amongAuthors(mona, posted) !== null;
  },
};

interface Step {
  readonly name: string;
  readonly world: CreateWorld;
}

/** Every move that may come next. */
export function createMoves(world: CreateWorld, rules: CreateRules): readonly Step[] {
  const steps: Step[] = [...workerSteps(world, rules), ...waitingSteps(world)];
  const add = (name: string, next: CreateWorld) => steps.push({ name, world: next });
  const [late, ...adrift] = world.adrift;
  if (late !== undefined) add("a late POST lands", landed({ ...world, adrift }, late));
  if (world.copies > 0 && world.resources.length > 0) {
    add("a person copies it", landed({ ...world, copies: world.copies - 1 }, "person"));
    // Until it is paired nothing tells their copy from what they were to write.
    if (world.room && world.lane.externalId !== null) {
      add("its writer copies it", landed({ ...world, copies: world.copies - 1 }, "hand"));
    }
  }
  world.resources.forEach((resource, index) => {
    if (resource.wire) add(`webhook ${index + 1}`, observed(world, index + 1, rules));
  });
  if (world.phase === "faults" && world.adrift.length === 0) {
    add("faults stop", { ...world, faults: 0, copies: 0, phase: "calm" });
  }
  const quiet =
    world.task === null &&
    world.lane.live.length === 0 &&
    world.resources.every(({ waits }) => waits === null);
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

/** A resource that waits for the create is admitted when the create is settled, or its deadline passes. */
function waitingSteps(world: CreateWorld): readonly Step[] {
  return world.resources.flatMap(({ waits }, index): Step[] => {
    if (waits === null) return [];
    const own = withResource(world, index + 1, { waits: null, own: true });
    if (!mayHaveMade(world.lane)) return [{ name: `${index + 1} is let go`, world: own }];
    const owner = ownerByContent(waits, [world.lane], context(world));
    if (owner.kind === "wait") return [];
    const after = owner.kind === "nobody" ? own : taken(world, index + 1);
    return [{ name: `deadline of ${index + 1}`, world: after }];
  });
}

/** The create's lane takes over the one in which its resource waited. */
function taken(world: CreateWorld, number: number): CreateWorld {
  const waits = world.resources[number - 1]?.waits ?? null;
  if (waits === null || world.lane.externalId !== null) return world;
  const after = takeOver(unchanged(world.lane), waits, context(world).now);
  return saved(withResource(world, number, { waits: null }), after);
}

function workerSteps(world: CreateWorld, rules: CreateRules): readonly Step[] {
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
      : outboundSteps(claimed, event, rules);
  }
  const event = liveEvent(lane, task.event);
  const steps: Step[] = [];
  switch (task.kind) {
    case "sent": {
      const arrived = landed(world, task.by);
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
    if (task.kind === "sent" && world.room) {
      steps.push({ name: "POST adrift", world: { ...lost, adrift: [...world.adrift, task.by] } });
    }
  }
  return steps;
}

function inboundStep(world: CreateWorld, event: TandemEvent): Step {
  const given = context(world);
  const recheck = recheckInbound(unchanged(world.lane), event, given.now);
  if (recheck.verdict === "ended")
    return { name: "inbound", world: saved(world, recheck.transition) };
  const seenState: ObservedState =
    recheck.verdict === "reread"
      ? observedState(
          world.lane,
          observation(world, Number(world.lane.externalId)),
          "reread",
          given,
        )
      : { content: event.content ?? {}, copy: {}, at: event.updatedAt ?? at(0), from: "payload" };
  const plan = planMerge(world.lane, seenState, RECORD, given);
  const record = { before: RECORD, after: { id: "7", content: { ...RECORD, ...plan.toRecord } } };
  const start = unchanged(world.lane);
  return {
    name: "inbound",
    world: saved(world, concludeInbound(start, event, seenState, plan, record, given)),
  };
}

function outboundSteps(
  world: CreateWorld,
  event: TandemEvent,
  rules: CreateRules,
): readonly Step[] {
  const step = outboundStep(world, event, false);
  if (step !== "find") return [{ name: "start outbound", world: step }];
  const found = world.resources.findIndex((resource) => rules.finds(world, resource)) + 1;
  const lags = world.room || found === 0;
  const steps: Step[] = lags
    ? [{ name: "list shows nothing", world: afterLook(world, event) }]
    : [];
  if (found === 0) return steps;
  const listed: CreateWorld = {
    ...world,
    task: { kind: "listed", event: event.id, number: found },
  };
  return [{ name: `list shows ${found}`, world: listed }, ...steps];
}

function adopted(before: CreateWorld, event: TandemEvent, number: number): CreateWorld {
  const world = { ...taken(before, number), task: null };
  const given = context(world);
  if (isBoundElsewhere(world.lane, number)) return waiting(world, event);
  const seen = observation(world, number);
  const lane = learnIdentity(world.lane, seen);
  const seenState = observedState(lane, seen, "reread", given);
  const plan = planMerge(lane, seenState, RECORD, given);
  const record = { before: RECORD, after: { id: "7", content: RECORD } };
  const looked = saved(world, concludeLook(unchanged(lane), event, seenState, plan, record, given));
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
  const by = writes(world);
  const writer = by === "us" ? BY_ACCOUNT : ({ kind: "author", actor: mona } as const);
  const view = { record: RECORD, parent: "none", token: "t", looked, writer } as const;
  const step = stepOutbound(unchanged(world.lane), event, view, context(world));
  if (step.kind === "find") return "find";
  if (step.kind === "ask_author") throw new Error("the writer was given");
  if (step.kind === "settled") return saved(world, step.transition);
  if (step.kind === "read") throw new Error("no edits are made in this world");
  if (step.kind === "reread") return adopted(world, event, Number(world.lane.externalId));
  const sent = saved(world, step.transition);
  if (step.request.kind !== "create") throw new Error("no edits are made in this world");
  return { ...sent, task: { kind: "sent", event: event.id, by } };
}

/** Who writes next. The author's token may be refused the second time. */
function writes({ writers, lane }: CreateWorld): By {
  if (writers === "both") return lane.intent?.posted === undefined ? "author" : "us";
  return writers === "author" ? "author" : "us";
}

function answered(before: CreateWorld, event: TandemEvent, number: number): CreateWorld {
  const world = { ...taken(before, number), task: null };
  const given = context(world);
  if (isBoundElsewhere(world.lane, number)) return waiting(world, event);
  const seen = observation(world, number);
  const lane = learnIdentity(world.lane, seen);
  const seenState = observedState(lane, seen, "answer", given);
  const plan = planMerge(lane, seenState, RECORD, given);
  const record = { before: RECORD, after: { id: "7", content: RECORD } };
  return saved(world, concludeAnswer(unchanged(lane), event, seenState, plan, record, given));
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

/** An arrival of a resource, as the store's admission takes it. */
function observed(before: CreateWorld, number: number, rules: CreateRules): CreateWorld {
  const world = withResource(before, number, { wire: false });
  const resource = world.resources[number - 1];
  if (resource === undefined || resource.own) return world;
  const given = context(world);
  const arrival = {
    observation: observation(world, number),
    source: "webhook",
    deliveryId: null,
    verifiedAt: null,
  } as const;
  const wait = (lane: Lane) => {
    const after = awaitIntents(admit(lane, arrival, given), given.now);
    const nextId = world.nextId + 2;
    return { ...withResource(world, number, { waits: after.lane }), nextId };
  };
  if (resource.waits !== null) return wait(resource.waits);
  switch (identified(world, number, rules.identify).kind) {
    case "lane":
    case "adopt":
      return saved(world, admit(world.lane, arrival, given));
    case "surplus":
      return saved(world, admitSurplus(world.lane, arrival, world.lane.connectionId, given));
    case "new":
      return rules.waits(world.lane, arrival.observation)
        ? wait(anUnseenLane({ id: laneId("2"), externalId: null, recordId: null }))
        : withResource(world, number, { own: true });
  }
}

/** The identity of a resource, by the rules of identity given. */
export function identified(world: CreateWorld, number: number, decide: typeof identify) {
  const { id, externalId, intent } = world.lane;
  const key = { id, externalId, isElsewhere: false, since: at(0), posted: intent?.posted ?? null };
  const seen = observation(world, number);
  const arrival = { ...seen, said: saidOf(seen.content ?? {}, context(world).mapping) };
  const known = externalId === arrival.externalId ? key : null;
  return decide(arrival, known, intent === null ? null : key, bot);
}
