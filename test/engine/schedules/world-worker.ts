/**
 * The one worker of the small world. It drives the real engine exactly as the runtime does: reading
 * the resource and ending the event are two moves, as are sending, landing and taking in the answer.
 */
import type { Content } from "../../../src/model/content.ts";
import type { EventError, TandemEvent } from "../../../src/model/event.ts";
import type { EventId } from "../../../src/model/ids.ts";
import { SECOND } from "../../../src/model/instant.ts";
import type { Lane } from "../../../src/model/lane.ts";
import type { Context } from "../../../src/engine/lane/context.ts";
import type { ObservedState } from "../../../src/engine/merge/merge.ts";
import type { OutboundRequest, OutboundStep } from "../../../src/engine/processing/outbound.ts";
import { READS_LAG_MS } from "../../../src/engine/merge/read-lag.ts";
import { anObservation, at } from "../builders.ts";
import type { Engine } from "./engine-under-test.ts";
import {
  admittedIn,
  deciding,
  deleteWebhook,
  eventOf,
  exhausted,
  gone,
  landing,
  seen,
  settled,
  shown,
  spend,
  type Step,
  switchedOff,
  timeout,
} from "./world-facts.ts";
import {
  type Landing,
  mappingOf,
  nowIn,
  type Options,
  type Seen,
  type Task,
  type World,
} from "./world-state.ts";

const LEASE_MS = 60_000;
const RECORD_ID = "7";

/** Lists, for a world, what the worker may do next and what may befall it. */
export function workerOf(engine: Engine, options: Options): (world: World) => Step[] {
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
          ...lagging(world, task),
          ...hidden(world, task),
          ...crash,
        ];
      case "look":
        return [
          { name: "commit look", world: endOfLook(world, task.event, task.seen) },
          ...lagging(world, task),
          ...hidden(world, task),
          ...crash,
        ];
      case "sent":
        return requestMoves(world, task);
      case "answered":
        return [{ name: "commit answer", world: endOfAnswer(world, task) }, ...crash];
    }
  }

  function lagging(world: World, task: Task & { readonly kind: "read" | "look" }): Step[] {
    const { before, left, resource, tick } = world;
    if (left.lags === 0 || before === null || task.seen === null) return [];
    if (tick >= resource.at + READS_LAG_MS / 1_000) return [];
    return [
      { name: "read lags", world: { ...spend(world, "lags"), task: { ...task, seen: before } } },
    ];
  }

  function hidden(world: World, task: Task & { readonly kind: "read" | "look" }): Step[] {
    if (world.left.hidden === 0 || task.seen === null) return [];
    const answered = { ...spend(world, "hidden"), task: { ...task, seen: null } };
    return [{ name: "read is answered 404", world: answered }];
  }

  function starts(world: World): Step[] {
    const next = engine.nextEvent(world.lane, nowIn(world));
    if (next === null) return [...restarts(world), ...waits(world)];
    if (world.off && next.direction === "inbound") {
      const idle = engine.disableWaiting(world.lane, switchedOff(world), nowIn(world));
      return [{ name: "disable what waits", world: settled(world, idle) }, ...restarts(world)];
    }
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

  /** Time passes if every remaining event waits for its time. */
  function waits(world: World): Step[] {
    const due = world.lane.live
      .filter(({ state, runAt }) => state === "queued" && runAt > nowIn(world))
      .map(({ runAt }) => Math.ceil((runAt - at(0)) / SECOND));
    if (due.length === 0) return [];
    return [{ name: "time passes", world: { ...world, tick: Math.min(...due) } }];
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
    return deciding(options, before, (context) => {
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

  /** One transaction: the record's own changes are drained, the observed state is merged, the event ends. */
  function merged(before: World, event: TandemEvent, seen: ObservedState, context: Context): World {
    const world = withOwnChanges(before);
    const { record } = world;
    const start = { lane: world.lane, ended: [] };
    if (engine.countsAsDeleted(world.lane, record)) {
      return settled({ ...world, task: null }, engine.endForMissingRecord(start, event, context));
    }
    const planned = engine.planMerge(world.lane, seen, record, context);
    const plan = world.refuses ? engine.keepRecord(planned, record) : planned;
    const after = { ...record, ...plan.toRecord };
    return shown(
      settled(
        { ...world, record: after, refuses: false, task: null },
        engine.concludeInbound(
          start,
          event,
          seen,
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
    return deciding(options, world, (context) => {
      const event = eventOf(world.lane, id);
      if (snapshot === null) return notFound(world, event, context);
      if (engine.isStale(world.lane, at(snapshot.at)))
        return failedFor(world, event, "no", timeout);
      const observation = anObservation(snapshot.content, snapshot.at);
      const seen = engine.observedState(world.lane, observation, "reread", context);
      return merged(world, event, seen, context);
    });
  }

  function endOfLook(before: World, id: EventId, snapshot: Seen | null): World {
    return deciding(options, before, (context) => {
      const event = eventOf(before.lane, id);
      const isRemoval = event.action === "delete";
      if (snapshot === null && isRemoval) return outboundStep(before, event, true, context);
      if (snapshot === null) return notFound(before, event, context);
      if (engine.isStale(before.lane, at(snapshot.at))) {
        return failedFor(before, event, before.lane.attempt === null ? "no" : "unknown", timeout);
      }
      if (isRemoval) {
        const start = { lane: before.lane, ended: [] };
        const seenNow = anObservation(snapshot.content, snapshot.at);
        const after = engine.concludeRemovalLook(start, event, seenNow, context);
        const looked = settled({ ...before, task: null }, after);
        return outboundStep(looked, eventOf(looked.lane, id), true, context);
      }
      const { world, seen, plan, record } = observed(before, snapshot, "reread", context);
      const looked = shown(
        settled(
          { ...world, task: null },
          engine.concludeLook({ lane: world.lane, ended: [] }, event, seen, plan, record, context),
        ),
      );
      return outboundStep(looked, eventOf(looked.lane, id), true, context);
    });
  }

  function observed(before: World, snapshot: Seen, from: "reread" | "answer", context: Context) {
    const world = withOwnChanges(before);
    const observation = anObservation(snapshot.content, snapshot.at);
    const seen = engine.observedState(world.lane, observation, from, context);
    const plan = engine.planMerge(world.lane, seen, world.record, context);
    const after = world.record === null ? null : { ...world.record, ...plan.toRecord };
    return {
      world: { ...world, record: after },
      seen,
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
      case "read":
      case "reread": {
        if (step.kind === "read" && options.unread === true) {
          return outboundStep(world, event, true, context);
        }
        const snapshot = world.resource.exists ? seen(world) : null;
        return { ...world, task: { kind: "look", event: event.id, seen: snapshot } };
      }
      case "find":
      case "ask_author":
        throw new Error("the resource exists: there is nothing to find or create");
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
        const orphan = { ...spend(lost, "orphans"), orphan: landingOf(request) };
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
      const after = landing(world, landingOf(request));
      return answered(after, seen(after));
    }
    return answered(deleteWebhook({ ...world, resource: { ...resource, exists: false } }), null);
  }

  function endOfAnswer(before: World, task: Task & { readonly kind: "answered" }): World {
    return deciding(options, before, (context) => {
      const event = eventOf(before.lane, task.event);
      if (task.request.kind === "delete" || task.request.kind === "close") {
        const after = engine.concludeResourceRemoval(
          { lane: before.lane, ended: [] },
          event,
          null,
          context,
        );
        return settled({ ...before, task: null }, after);
      }
      if (task.seen === null) return notFound(before, event, context);
      const { world, seen, plan, record } = observed(before, task.seen, "answer", context);
      return shown(
        settled(
          { ...world, task: null },
          engine.concludeAnswer(
            { lane: world.lane, ended: [] },
            event,
            seen,
            plan,
            record,
            context,
          ),
        ),
      );
    });
  }

  function landingOf(request: OutboundRequest & { readonly values: Content }): Landing {
    return { values: request.values, sets: request.kind === "patch" ? request.sets : {} };
  }

  /** 404 may be missing rights, and is left to the sweep; 410 is a deletion. */
  function notFound(before: World, event: TandemEvent, context: Context): World {
    if (options.missing !== "410") return failedFor(before, event, "no", { event, error: gone });
    const known = admittedIn(engine, context, before, {
      kind: "delete",
      at: before.resource.at,
      content: {},
    });
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
    return { ...world, lane: engine.takeTimes(world.lane, world.change, mappingOf(options)) };
  }

  return workerMoves;
}
