/**
 * What can happen in the small world, each move at any moment: the provider changes, wires
 * deliver in any order, the app writes, the worker takes its next step, requests go astray.
 *
 * The worker drives the real engine exactly as the runtime does. Reading the resource and ending
 * the event are two moves, as are sending, landing and taking in the answer.
 */
import type { EventId } from "../../src/model/ids.ts";
import { type Content, sameValue } from "../../src/model/content.ts";
import type { EventError, TandemEvent } from "../../src/model/event.ts";
import type { Lane, Transition } from "../../src/model/lane.ts";
import type { Context } from "../../src/engine/context.ts";
import type { Sight } from "../../src/engine/merge.ts";
import type { OutboundStep } from "../../src/engine/outbound.ts";
import { MAX_ATTEMPTS } from "../../src/engine/retry.ts";
import { aContext, anEventId, anObservation, at } from "./builders.ts";
import type { Engine } from "./engine-under-test.ts";
import {
  type Budget,
  isQuiet,
  mappingOf,
  NO_BUDGET,
  nowIn,
  type Options,
  type Seen,
  type Task,
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

const LEASE_MS = 60_000;
const RECORD_ID = "7";

/** Lists, for a world, every move that may come next. */
export function worldOf(engine: Engine, options: Options): (world: World) => Step[] {
  const mapping = mappingOf(options);

  /** Runs decisions under a context of the world's present, and keeps count of ids. */
  function deciding(world: World, decide: (context: Context) => World): World {
    let next = world.nextId;
    const context = aContext({
      mapping,
      now: nowIn(world),
      newId: () => anEventId(next++),
    });
    const after = decide(context);
    return { ...after, nextId: next };
  }

  function providerMoves(world: World): Step[] {
    const { left, resource } = world;
    const steps: Step[] = [];
    if (resource.exists && left.remoteEdits > 0) {
      for (const field of options.fields) {
        for (const value of ["0", "1"]) {
          if (resource.content[field] === value) continue;
          const edited = changed(world, { ...resource.content, [field]: value });
          steps.push({
            name: `remote edit ${field}=${value}`,
            world: watch(spend(edited, "remoteEdits"), field, (before) => ({
              remote: value,
              localPending: before.localPending && !before.localLanded && before.local !== value,
              localLanded: before.localLanded || before.local === value,
              remotePending: world.record?.[field] !== value && !isUndone(world, field, value),
            })),
          });
        }
      }
    }
    if (resource.exists && left.bumps > 0) {
      steps.push({ name: "bump", world: changed(spend(world, "bumps"), resource.content) });
    }
    if (resource.exists && left.remoteDeletes > 0) {
      const gone = { ...spend(world, "remoteDeletes"), resource: { ...resource, exists: false } };
      steps.push({ name: "remote delete", world: deleteWebhook(gone) });
    }
    if (left.ticks > 0) {
      steps.push({ name: "tick", world: { ...spend(world, "ticks"), tick: world.tick + 1 } });
    }
    if (world.orphan !== null) {
      const landed = resource.exists ? landing(world, world.orphan) : world;
      steps.push({ name: "orphan lands", world: { ...landed, orphan: null } });
    }
    if (resource.exists && left.pollReads > 0) {
      const page = onTheWire(spend(world, "pollReads"), { kind: "upsert", ...seen(world) });
      steps.push({ name: "poll read", world: page });
    }
    return steps;
  }

  function deliveries(world: World): Step[] {
    return world.wires.map((wire) => ({
      name: `deliver ${wireKey(wire)}`,
      world: admitted({ ...world, wires: world.wires.filter((other) => other !== wire) }, wire),
    }));
  }

  function admitted(world: World, wire: Wire, source: "webhook" | "poll" = "webhook"): World {
    return deciding(world, (context) =>
      settled(
        world,
        engine.admit(
          world.lane,
          {
            observation: anObservation(wire.kind === "delete" ? null : wire.content, wire.at),
            source,
            deliveryId: null,
            verifiedAt: null,
          },
          context,
        ),
      ),
    );
  }

  function appMoves(world: World): Step[] {
    const { left, record } = world;
    const steps: Step[] = [];
    if (record !== null && left.localEdits > 0) {
      for (const field of options.fields) {
        const fresh = String(world.localEdits + 2);
        for (const value of options.localReverts === true ? [fresh, "0"] : [fresh]) {
          if (record[field] === value) continue;
          steps.push({
            name: `local edit ${field}=${value}`,
            world: localEdit(world, field, value),
          });
        }
      }
    }
    if (record !== null && left.localDeletes > 0) {
      steps.push({
        name: "local delete",
        world: {
          ...spend(world, "localDeletes"),
          record: null,
          change: { changedAt: world.change?.changedAt ?? {}, deleted: record },
        },
      });
    }
    const { change } = world;
    if (change !== null) {
      const { changedAt, deleted } = change;
      const action = deleted === null ? "upsert" : "delete";
      steps.push({
        name: "drain",
        world: deciding({ ...world, change: null }, (context) =>
          settled(
            { ...world, change: null },
            engine.admitChange(world.lane, { action, changedAt, ours: false, deleted }, context),
          ),
        ),
      });
    }
    return steps;
  }

  function localEdit(world: World, field: string, value: string): World {
    const record = { ...world.record, [field]: value };
    const changedAt = { ...world.change?.changedAt, [field]: nowIn(world) };
    const edited: World = {
      ...spend(world, "localEdits"),
      localEdits: world.localEdits + 1,
      record,
      change: { changedAt, deleted: null },
    };
    const ours = Number(world.resource.content[field]) >= 2;
    const nothingNew =
      value === world.lane.base?.[field] && !(ours && world.resource.content[field] !== value);
    return shown(
      watch(edited, field, () => ({
        local: value,
        localLanded: world.resource.content[field] === value,
        localPending: !nothingNew,
      })),
    );
  }

  function workerMoves(world: World): Step[] {
    const { task } = world;
    if (task === null) return starts(world);
    const crash: Step[] =
      world.left.unknown > 0 && task.kind !== "sent"
        ? [{ name: `crash in ${task.kind}`, world: crashed(spend(world, "unknown")) }]
        : [];
    switch (task.kind) {
      case "read":
        return [
          { name: "commit re-read", world: endOfRead(world, task.event, task.seen) },
          ...crash,
        ];
      case "look":
        return [{ name: "commit look", world: endOfLook(world, task.event, task.seen) }, ...crash];
      case "sent":
        return requestMoves(world, task);
      case "answered":
        return [{ name: "commit answer", world: endOfAnswer(world, task) }, ...crash];
    }
  }

  function starts(world: World): Step[] {
    const next = engine.nextEvent(world.lane, nowIn(world));
    if (next === null) return restarts(world);
    const steps: Step[] = [
      { name: `start ${next.direction} ${next.action}`, world: started(world) },
    ];
    const readsPayload = next.direction === "inbound" && !next.reread;
    if (world.left.errors > 0 && readsPayload && next.action === "upsert") {
      const { lane, event } = claimed(world);
      const failed = failedFor(spend({ ...world, lane }, "errors"), event, "no", exhausted(event));
      steps.push({ name: "inbound errored", world: failed });
    }
    return [...steps, ...restarts(world)];
  }

  function restarts(world: World): Step[] {
    if (world.phase !== "faults") return [];
    return world.lane.live
      .filter((event) => event.state === "errored")
      .map((event) => ({
        name: `restart ${event.direction}`,
        world: settled(world, engine.restart({ lane: world.lane, ended: [] }, event, nowIn(world))),
      }));
  }

  function claimed(world: World): { readonly lane: Lane; readonly event: TandemEvent } {
    const next = engine.nextEvent(world.lane, nowIn(world));
    if (next === null) throw new Error("nothing to claim");
    const { lane } = engine.claim(world.lane, next, "w1", nowIn(world), LEASE_MS);
    return { lane, event: eventOf(lane, next.id) };
  }

  function started(before: World): World {
    return deciding(before, (context) => {
      const { lane, event } = claimed(before);
      const world = { ...before, lane };
      if (event.direction === "outbound") return outboundStep(world, event, false, context);
      if (event.action === "delete") return removed(world, event, context);
      const recheck = engine.recheckInbound({ lane, ended: [] }, event, context.now);
      if (recheck.verdict === "ended") return settled(world, recheck.transition);
      if (recheck.verdict === "reread") {
        const snapshot = world.resource.exists ? seen(world) : null;
        return { ...world, task: { kind: "read", event: event.id, seen: snapshot } };
      }
      const content = event.content ?? {};
      const at = event.updatedAt ?? context.now;
      return merged(world, event, { content, copy: content, at, from: "payload" }, context);
    });
  }

  /** One transaction: the record's own changes are taken in, the sight is merged, the event ends. */
  function merged(before: World, event: TandemEvent, sight: Sight, context: Context): World {
    const world = withOwnChanges(before);
    const { record } = world;
    const start = { lane: world.lane, ended: [] };
    if (engine.countsAsDeleted(world.lane, record)) {
      return settled({ ...world, task: null }, engine.endForMissingRecord(start, event, context));
    }
    const plan = engine.planMerge(world.lane, sight, record, context);
    const after = { ...record, ...plan.toRecord };
    return shown(
      settled(
        { ...world, record: after, task: null },
        engine.concludeInbound(
          start,
          event,
          sight,
          plan,
          { before: record, after: { id: RECORD_ID, content: after } },
          context,
        ),
      ),
    );
  }

  function removed(before: World, event: TandemEvent, context: Context): World {
    const world = withOwnChanges(before);
    const plan = engine.planRemoval(world.lane, world.record, context);
    const after = engine.concludeRemoval({ lane: world.lane, ended: [] }, event, plan, context);
    const record = plan.removal.kind === "delete" ? null : world.record;
    const detached = plan.removal.kind === "detach";
    return settled({ ...world, record, detached, task: null }, after);
  }

  function endOfRead(world: World, id: EventId, snapshot: Seen | null): World {
    return deciding(world, (context) => {
      const event = eventOf(world.lane, id);
      if (snapshot === null) return notFound(world, event, context);
      const observation = anObservation(snapshot.content, snapshot.at);
      const sight = engine.sightOf(world.lane, observation, "reread", context);
      return merged(world, event, sight, context);
    });
  }

  function endOfLook(before: World, id: EventId, snapshot: Seen | null): World {
    return deciding(before, (context) => {
      const event = eventOf(before.lane, id);
      if (snapshot === null) return notFound(before, event, context);
      const { clock } = before.lane;
      if (clock !== null && at(snapshot.at) < clock.at) {
        return failedFor(before, event, "unknown", timeout);
      }
      const { world, sight, plan, record } = observed(before, snapshot, "reread", context);
      const looked = shown(
        settled(
          { ...world, task: null },
          engine.concludeLook({ lane: world.lane, ended: [] }, event, sight, plan, record, context),
        ),
      );
      return outboundStep(looked, eventOf(looked.lane, id), true, context);
    });
  }

  function observed(before: World, snapshot: Seen, from: "reread" | "answer", context: Context) {
    const world = withOwnChanges(before);
    const observation = anObservation(snapshot.content, snapshot.at);
    const sight = engine.sightOf(world.lane, observation, from, context);
    const plan = engine.planMerge(world.lane, sight, world.record, context);
    const after = world.record === null ? null : { ...world.record, ...plan.toRecord };
    return {
      world: { ...world, record: after },
      sight,
      plan,
      record: {
        before: world.record,
        after: after === null ? null : { id: RECORD_ID, content: after },
      },
    };
  }

  function outboundStep(
    world: World,
    event: TandemEvent,
    looked: boolean,
    context: Context,
  ): World {
    const step: OutboundStep = engine.stepOutbound(
      { lane: world.lane, ended: [] },
      event,
      { record: world.record, parent: "none", token: "t", looked },
      context,
    );
    switch (step.kind) {
      case "settled":
        return settled({ ...world, task: null }, step.transition);
      case "reread": {
        const snapshot = world.resource.exists ? seen(world) : null;
        return { ...world, task: { kind: "look", event: event.id, seen: snapshot } };
      }
      case "find":
        throw new Error("the resource exists: there is nothing to find");
      case "request": {
        const requests = world.phase === "faults" ? 0 : world.calmRequests + 1;
        const sent = settled({ ...world, calmRequests: requests }, step.transition);
        return { ...sent, task: { kind: "sent", event: event.id, request: step.request } };
      }
    }
  }

  function requestMoves(world: World, task: Task & { readonly kind: "sent" }): Step[] {
    const { request } = task;
    const event = eventOf(world.lane, task.event);
    const steps: Step[] = [{ name: `${request.kind} arrives`, world: arrived(world, task) }];
    if (world.left.unknown > 0) {
      const lost = failedFor(spend(world, "unknown"), event, "unknown", timeout);
      steps.push({ name: `${request.kind} lost`, world: lost });
      if (world.left.orphans > 0 && "values" in request) {
        const orphan = { ...spend(lost, "orphans"), orphan: request.values };
        steps.push({ name: `${request.kind} orphaned`, world: orphan });
      }
    }
    if (world.left.errors > 0 && request.kind === "patch") {
      const refused = failedFor(spend(world, "errors"), event, "no", exhausted(event));
      steps.push({ name: `${request.kind} refused`, world: refused });
    }
    return steps;
  }

  function arrived(world: World, task: Task & { readonly kind: "sent" }): World {
    const { request, event } = task;
    const { resource } = world;
    const answered = (after: World, snapshot: Seen | null): World => ({
      ...after,
      task: { kind: "answered", event, request, seen: snapshot },
    });
    if (!resource.exists) return answered(world, null);
    if (request.kind === "patch" || request.kind === "create") {
      const after = landing(world, request.values);
      return answered(after, seen(after));
    }
    return answered(deleteWebhook({ ...world, resource: { ...resource, exists: false } }), null);
  }

  function endOfAnswer(before: World, task: Task & { readonly kind: "answered" }): World {
    return deciding(before, (context) => {
      const event = eventOf(before.lane, task.event);
      if (task.request.kind === "delete" || task.request.kind === "close") {
        const after = engine.concludeResourceRemoval(
          { lane: before.lane, ended: [] },
          event,
          context,
        );
        return settled({ ...before, task: null }, after);
      }
      if (task.seen === null) return notFound(before, event, context);
      const { world, sight, plan, record } = observed(before, task.seen, "answer", context);
      return shown(
        settled(
          { ...world, task: null },
          engine.concludeAnswer(
            { lane: world.lane, ended: [] },
            event,
            sight,
            plan,
            record,
            context,
          ),
        ),
      );
    });
  }

  /** 404 may be missing rights, and is left to the sweep; 410 is a deletion. */
  function notFound(before: World, event: TandemEvent, context: Context): World {
    if (options.missing !== "410") return failedFor(before, event, "no", { event, error: gone });
    const known = admitted(before, { kind: "delete", at: before.resource.at, content: {} });
    const start = { lane: known.lane, ended: [] };
    if (event.direction === "outbound") {
      return outboundStep({ ...known, task: null }, eventOf(known.lane, event.id), true, context);
    }
    const recheck = engine.recheckInbound(start, eventOf(known.lane, event.id), context.now);
    if (recheck.verdict !== "ended") throw new Error("a deleted resource has nothing to read");
    return settled({ ...known, task: null }, recheck.transition);
  }

  function failedFor(
    world: World,
    event: TandemEvent,
    applied: "no" | "unknown",
    failure: { readonly event: TandemEvent; readonly error: EventError } | EventError,
  ): World {
    const { event: asEvent, error } = "error" in failure ? failure : { event, error: failure };
    return settled(
      { ...world, task: null },
      engine.fail(
        { lane: world.lane, ended: [] },
        asEvent,
        { error, applied, pausedUntil: null },
        nowIn(world),
        0,
      ),
    );
  }

  /** The worker dies; its lease runs out. */
  function crashed(world: World): World {
    const expired = engine.expireLeases(world.lane, at(world.tick + 10 * LEASE_MS));
    const live = expired.lane.live.map((event) => ({ ...event, runAt: nowIn(world) }));
    return settled(
      { ...world, task: null },
      { lane: { ...expired.lane, live }, ended: expired.ended },
    );
  }

  function withOwnChanges(world: World): World {
    if (world.change === null) return world;
    return { ...world, lane: engine.takeTimes(world.lane, world.change, mapping) };
  }

  function endMoves(world: World): Step[] {
    if (world.phase === "faults") {
      if (world.orphan !== null) return [];
      return [
        { name: "faults stop", world: { ...world, phase: "calm", left: NO_BUDGET, localEdits: 0 } },
      ];
    }
    const steps: Step[] = [];
    if (world.wires.length > 0 && options.webhooks === "may be lost") {
      steps.push({ name: "webhooks lost", world: { ...world, wires: [] } });
    }
    if (world.phase === "calm" && (options.strict === true || isQuiet(world))) {
      const seenNow = world.resource.exists
        ? admitted(world, { kind: "upsert", ...seen(world) }, "poll")
        : world;
      const restarted = engine.restartRetryable(seenNow.lane, nowIn(world));
      steps.push({ name: "POLL", world: { ...settled(seenNow, restarted), phase: "polled" } });
    }
    if (world.phase === "polled" && options.sweep === true && isQuiet(world)) {
      steps.push({ name: "SWEEP", world: { ...swept(world), phase: "swept" } });
    }
    return steps;
  }

  function swept(world: World): World {
    const { resource, lane } = world;
    if (!resource.exists && lane.tombstone === null) {
      return admitted(world, { kind: "delete", at: resource.at, content: {} }, "poll");
    }
    if (!resource.exists || lane.tombstone === null) return world;
    return deciding(world, (context) => settled(world, engine.queueRemoval(lane, context)));
  }

  return (world) => [
    ...workerMoves(world),
    ...deliveries(world),
    ...appMoves(world),
    ...providerMoves(world),
    ...endMoves(world),
  ];
}

const timeout: EventError = {
  code: "timeout",
  message: "",
  hint: "",
  retryable: true,
  httpStatus: null,
  requestId: null,
};
const gone: EventError = { ...timeout, code: "not_found", retryable: false, httpStatus: 404 };

/** A failure of the last attempt: it ends the event as errored. */
function exhausted(event: TandemEvent) {
  return { event: { ...event, attempts: MAX_ATTEMPTS }, error: timeout };
}

function spend(world: World, what: keyof Budget): World {
  return { ...world, left: { ...world.left, [what]: world.left[what] - 1 } };
}

function seen(world: World): Seen {
  return { at: world.resource.at, content: world.resource.content };
}

/** The resource changes at the provider, which tells by webhook. */
function changed(world: World, content: Content): World {
  const resource = { at: world.tick, content, exists: true };
  return onTheWire({ ...world, resource }, { kind: "upsert", at: world.tick, content });
}

/** A deletion's webhook carries the time of the edit before it. */
function deleteWebhook(world: World): World {
  return onTheWire(world, { kind: "delete", at: world.resource.at, content: {} });
}

function onTheWire(world: World, wire: Wire): World {
  const keys = new Set(world.wires.map(wireKey));
  if (keys.has(wireKey(wire))) return world;
  const wires = [...world.wires, wire].sort((a, b) => (wireKey(a) < wireKey(b) ? -1 : 1));
  return { ...world, wires };
}

/** A write of ours takes effect at the provider. */
function landing(world: World, values: Content): World {
  const before = world.resource.content;
  const landed = changed(world, { ...before, ...values });
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

/** Whether a remote edit only takes back another that nobody had merged: then nothing is lost. */
function isUndone(world: World, field: string, value: string): boolean {
  const before = world.resource.content[field];
  return value === world.lane.base?.[field] && Number(before) < 2;
}

/** The record shows what it shows: a remote edit that it shows has arrived. */
function shown(world: World): World {
  return Object.keys(world.watched).reduce(
    (after, field) =>
      watch(after, field, (w) => ({
        remotePending: w.remotePending && !sameValue(world.record?.[field], w.remote),
      })),
    world,
  );
}

function watch(world: World, field: string, look: (before: Watched) => Partial<Watched>): World {
  const before = world.watched[field];
  if (before === undefined) return world;
  return { ...world, watched: { ...world.watched, [field]: { ...before, ...look(before) } } };
}

/** Takes a transition into the world; conflicts of what ended are on record. */
function settled(world: World, { lane, ended }: Transition): World {
  const recorded = ended.flatMap((event) => event.conflicts.map((conflict) => conflict.field));
  return recorded.reduce((after, field) => watch(after, field, () => ({ conflict: true })), {
    ...world,
    lane,
  });
}

function eventOf(lane: Lane, id: EventId): TandemEvent {
  const event = lane.live.find((candidate) => candidate.id === id);
  if (event === undefined) throw new Error(`event ${id} is not live`);
  return event;
}
