/**
 * The engine with one rule taken away at a time, named as in `protocol/REPORT.md`. Each has bounds
 * in which the real engine holds and the mutant is found out: the proof that the rule matters.
 */
import type { TandemEvent } from "../../../src/model/event.ts";
import type { Lane, Transition } from "../../../src/model/lane.ts";
import { move, unchanged } from "../../../src/engine/lane/transition.ts";
import { type Engine, engine } from "./engine-under-test.ts";
import type { Options } from "./world-state.ts";

export interface Mutant {
  readonly rule: string;
  /** The engine that holds within the bounds. */
  readonly whole: Engine;
  /** The same with one rule taken away. */
  readonly engine: Engine;
  readonly options: Options;
}

const oneField: Options = { conflict: "field", fields: ["a"], webhooks: "may be lost" };
const strict: Options = { ...oneField, strict: true };
const whole: Options = { ...strict, conflict: "record", watch: "local edits" };
const covered: Options = { ...oneField, webhooks: "arrive", watch: "remote edits" };
const deletes: Options = { ...oneField, watch: "local edits", sweep: true, missing: "404" };

const inboundOnly = { remoteEdits: 3, ticks: 1, pollReads: 1 };

function mutant(
  rule: string,
  changes: Partial<Engine>,
  options: Options,
  given: Engine = engine,
): Mutant {
  return { rule, whole: given, engine: { ...given, ...changes }, options };
}

/** Without R10 an inbound event may wait behind our own write, which is what R3 is there for. */
const outboundFirst: Engine = {
  ...engine,
  nextEvent: (lane, now) => {
    const outbound = lane.live.find((e) => e.state === "queued" && e.direction === "outbound");
    const next = engine.nextEvent(lane, now);
    return next === null ? null : (outbound ?? next);
  },
  // Nor does the write give way to what came while it was reading.
  stepOutbound: (start, event, view, context) => {
    const waits = ({ state, direction }: (typeof start.lane.live)[number]) =>
      state === "queued" && direction === "inbound";
    const live = start.lane.live.filter((one) => !waits(one));
    const step = engine.stepOutbound(
      { ...start, lane: { ...start.lane, live } },
      event,
      view,
      context,
    );
    if (!("transition" in step)) return step;
    const { lane, ended } = step.transition;
    const all = [...lane.live, ...start.lane.live.filter(waits)];
    return { ...step, transition: { lane: { ...lane, live: all }, ended } };
  },
};

export const mutants: readonly Mutant[] = [
  mutant(
    "R1: a re-read moves what is known",
    {
      concludeInbound: (start, event, observed, ...rest) => {
        const after = engine.concludeInbound(start, event, observed, ...rest);
        const { known, clock } = start.lane;
        return observed.from === "reread" ? withLane(after, { known, clock }) : after;
      },
    },
    { ...strict, budget: inboundOnly },
  ),
  mutant(
    "R2: row 5 only without doubt",
    {
      admit: (lane, arrival, context) => {
        const trusting = lane.live.filter((event) => event.state === "queued");
        const after = engine.admit({ ...lane, attempt: null, live: trusting }, arrival, context);
        const others = lane.live.filter((event) => event.state !== "queued");
        const live = [...others, ...after.lane.live];
        return { ...after, lane: { ...after.lane, attempt: lane.attempt, live } };
      },
    },
    { ...strict, budget: inboundOnly },
  ),
  mutant(
    "R2: a duplicate's later time goes to the queued bearer",
    {
      admit: (lane, arrival, context) => {
        const after = engine.admit(lane, arrival, context);
        if (after.event?.state !== "duplicate") return after;
        return { ...after, lane: { ...after.lane, live: lane.live } };
      },
    },
    { ...strict, budget: { remoteEdits: 1, bumps: 1, ticks: 1 } },
  ),
  mutant(
    "R3: an answer ends older queued inbound events, and those are looked at again when started",
    {
      concludeAnswer: (start, ...rest) =>
        withQueued(start.lane, engine.concludeAnswer(start, ...rest)),
      recheckInbound: (_start, event) => ({ verdict: event.reread ? "reread" : "proceed" }),
    },
    {
      ...oneField,
      fields: ["a", "b"],
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1 },
      unread: true,
    },
    outboundFirst,
  ),
  mutant(
    "R4: clocks are compared only where the record has unsent changes",
    {
      planMerge: (lane, observed, record, context) => {
        const planned = engine.planMerge(lane, observed, record, context);
        const newer = Object.values(lane.recordChangedAt).some((at) => at > observed.at);
        if (!newer || observed.from === "answer") return planned;
        return { ...planned, toRecord: {}, base: lane.base ?? {}, outcome: "lost" };
      },
    },
    { ...whole, budget: { remoteEdits: 1, localEdits: 1, ticks: 1 } },
  ),
  mutant(
    "R5: newer events cancel only in their own direction",
    {
      admitChange: (lane, change, context) => {
        const after = engine.admitChange(lane, change, context);
        const event = after.event;
        const queued = after.lane.live.find(
          (e) => e.state === "queued" && e.direction === "inbound",
        );
        if (event === null || queued === undefined) return after;
        return { ...after, ...cancel(after, queued, event) };
      },
    },
    { ...whole, strict: false, localReverts: true, budget: { remoteEdits: 1, localEdits: 2 } },
  ),
  mutant(
    "R6: base is what was last merged, whoever won",
    {
      planMerge: (lane, observed, record, context) => {
        const planned = engine.planMerge(lane, observed, record, context);
        const kept = planned.conflicts.filter(({ winner }) => winner === "record");
        const fields = kept.map(({ field }) => [field, lane.base?.[field] ?? null]);
        return { ...planned, base: { ...planned.base, ...Object.fromEntries(fields) } };
      },
    },
    {
      ...whole,
      strict: false,
      localReverts: true,
      budget: { remoteEdits: 1, localEdits: 2, ticks: 1 },
    },
  ),
  mutant(
    "R7: an unknown outcome belongs to the lane, not to the event",
    {
      admitChange: (lane, change, context) => {
        const after = engine.admitChange(lane, change, context);
        const forgotten = after.ended.some((event) => event.id === lane.attempt?.event);
        return forgotten ? { ...after, ...withLane(after, { attempt: null }) } : after;
      },
    },
    {
      ...whole,
      strict: false,
      localReverts: true,
      budget: { localEdits: 2, unknown: 1 },
    },
  ),
  mutant(
    "R8: values of an unanswered attempt are remembered",
    {
      concludeInbound: (...given) => forgetful(engine.concludeInbound(...given)),
      concludeLook: (...given) => forgetful(engine.concludeLook(...given)),
      concludeAnswer: (...given) => forgetful(engine.concludeAnswer(...given)),
    },
    { ...whole, budget: { localEdits: 2, ticks: 1, unknown: 1, orphans: 1 } },
  ),
  mutant(
    "R8: whoever ends an event queues an outbound one if record and base differ",
    {
      concludeInbound: (start, ...rest) => without(start, engine.concludeInbound(start, ...rest)),
      concludeAnswer: (start, ...rest) => without(start, engine.concludeAnswer(start, ...rest)),
    },
    { ...whole, budget: { localEdits: 2, ticks: 1, unknown: 1, orphans: 1 } },
  ),
  mutant(
    "R9: a poll restarts errored events whose error may pass",
    { restartRetryable: (lane) => unchanged(lane) },
    { ...strict, budget: { localEdits: 1, ticks: 1, errors: 1 } },
  ),
  mutant(
    "R10: an edit that our write covered is on record",
    {
      admit: (...given) => {
        const after = engine.admit(...given);
        return { ...after, ...silent(after) };
      },
      concludeInbound: (...given) => silent(engine.concludeInbound(...given)),
      concludeAnswer: (...given) => silent(engine.concludeAnswer(...given)),
    },
    { ...covered, budget: { remoteEdits: 1, localEdits: 1, ticks: 1 } },
  ),
  mutant(
    "a value that the app refused is in base all the same",
    {
      keepRecord: (merged, record) => {
        const kept = engine.keepRecord(merged, record);
        const refused = Object.keys(merged.toRecord).map((field) => [
          field,
          record?.[field] ?? null,
        ]);
        return { ...kept, base: { ...kept.base, ...Object.fromEntries(refused) } };
      },
    },
    { ...strict, budget: { remoteEdits: 1, ticks: 1, refusals: 1 } },
  ),
  mutant(
    "an event that arrives while switched off is kept",
    {
      admit: (lane, arrival, context) =>
        context.switchedOff.inbound === null
          ? engine.admit(lane, arrival, context)
          : { ...unchanged(lane), event: null },
    },
    { ...covered, budget: { remoteEdits: 1, localEdits: 1, ticks: 1, switches: 1 } },
  ),
  mutant(
    "a re-enabled event is read again",
    {
      enableLane: (...given) => {
        const after = engine.enableLane(...given);
        const live = after.lane.live.map((event) => ({ ...event, reread: false }));
        return withLane(after, { live });
      },
    },
    { ...oneField, budget: { remoteEdits: 2, ticks: 1, switches: 1 } },
  ),
  mutant(
    "D1: a deletion obeys rows 1 to 3 only",
    {
      admit: (lane, arrival, context) => {
        const { action, updatedAt } = arrival.observation;
        const newer = Object.values(lane.recordChangedAt).some((at) => at > updatedAt);
        const older = lane.clock !== null && updatedAt < lane.clock.at;
        if (action === "upsert" || !(newer || older)) return engine.admit(lane, arrival, context);
        return { ...unchanged(lane), event: null };
      },
    },
    { ...deletes, budget: { localEdits: 1, ticks: 1, remoteDeletes: 1 } },
  ),
  mutant(
    "D2: the tombstone is set at admission, and an upsert never cancels a delete",
    {
      admit: (lane, arrival, context) => {
        const after = engine.admit(lane, arrival, context);
        const { event } = after;
        const doomed = after.lane.live.find((e) => e.state === "queued" && e.action === "delete");
        if (event?.action === "delete")
          return { ...after, ...withLane(after, { tombstone: null }) };
        if (event?.state !== "queued" || doomed === undefined) return after;
        return { ...after, ...cancel(after, doomed, event) };
      },
      concludeRemoval: (start, event, ...rest) => {
        const after = engine.concludeRemoval(start, event, ...rest);
        const at = event.createdAt;
        return withLane(after, {
          tombstone: { event: event.id, at, record: "present", resource: "deleted" },
        });
      },
    },
    { ...oneField, webhooks: "arrive", budget: { remoteEdits: 1, ticks: 1, remoteDeletes: 1 } },
  ),
  mutant(
    "D3: a paired record that is missing counts as deleted",
    {
      countsAsDeleted: () => false,
      planMerge: (lane, observed, record, context) =>
        engine.planMerge(
          record === null ? { ...lane, recordId: null } : lane,
          observed,
          record,
          context,
        ),
    },
    { ...deletes, budget: { remoteEdits: 1, ticks: 1, localDeletes: 1 } },
  ),
  mutant(
    "a patch leaves only after a read",
    {
      stepOutbound: (start, event, view, context) => {
        const step = engine.stepOutbound(start, event, view, context);
        if (step.kind !== "read") return step;
        return engine.stepOutbound(start, event, { ...view, looked: true }, context);
      },
    },
    { ...oneField, watch: "remote edits", budget: { remoteEdits: 1, localEdits: 1, ticks: 1 } },
  ),
  mutant(
    "D4: the unsent edits of a deleted record are on record",
    {
      admitChange: (lane, change, context) =>
        engine.admitChange(lane, { ...change, deleted: null }, context),
    },
    { ...deletes, budget: { localEdits: 1, ticks: 1, localDeletes: 1 } },
  ),
  mutant(
    "D4: an unsent edit turns a deletion into a detachment",
    {
      planRemoval: (...given) => {
        const planned = engine.planRemoval(...given);
        return given[1] === null ? planned : { removal: { kind: "delete" }, conflicts: [] };
      },
    },
    { ...deletes, budget: { localEdits: 1, ticks: 1, remoteDeletes: 1 } },
  ),
];

function withLane(after: Transition, changes: Partial<Lane>): Transition {
  return { ...after, lane: { ...after.lane, ...changes } };
}

function cancel(after: Transition, event: TandemEvent, by: TandemEvent): Transition {
  return move(after, event.id, "canceled", by.createdAt, { canceledBy: by.id });
}

/** The lane with the inbound events that waited, as they waited. */
function withQueued(before: Lane, after: Transition): Transition {
  const waited = before.live.filter((e) => e.state === "queued" && e.direction === "inbound");
  const ids = new Set(waited.map(({ id }) => id));
  const live = [...after.lane.live.filter(({ id }) => !ids.has(id)), ...waited];
  return { lane: { ...after.lane, live }, ended: after.ended.filter(({ id }) => !ids.has(id)) };
}

function forgetful(after: Transition): Transition {
  return withLane(after, { unanswered: [] });
}

/** The transition without the events it bore. */
function without(start: Transition, after: Transition): Transition {
  const ids = new Set(start.lane.live.map(({ id }) => id));
  return withLane(after, { live: after.lane.live.filter(({ id }) => ids.has(id)) });
}

function silent(after: Transition): Transition {
  return {
    lane: { ...after.lane, live: after.lane.live.map(silenced) },
    ended: after.ended.map(silenced),
  };
}

function silenced(event: TandemEvent): TandemEvent {
  return {
    ...event,
    conflicts: event.conflicts.filter(({ why }) => why !== "covered_by_our_write"),
  };
}
