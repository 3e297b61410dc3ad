/** Builders over fixtures: each test names only what it is about. */
import type { Admission, Arrival } from "../../src/engine/lane/arrival.ts";
import type { Context } from "../../src/engine/lane/context.ts";
import { newEvent } from "../../src/engine/lane/new-event.ts";
import { NOTHING_SENT, type PlanInput, type PlannedField } from "../../src/engine/merge/plan.ts";
import { versionsBefore } from "../../src/engine/lane/versions.ts";
import type { Content, Json } from "../../src/model/content.ts";
import { digest } from "../../src/model/content.ts";
import type { TandemEvent } from "../../src/model/event.ts";
import { connectionId, deliveryId, type EventId, eventId, laneId } from "../../src/model/ids.ts";
import { type Instant, instantFromMicros, parseInstant, SECOND } from "../../src/model/instant.ts";
import type { Attempt, Known, Lane } from "../../src/model/lane.ts";
import type { FieldMapping, Mapping, Row } from "../../src/model/mapping.ts";
import type { Observation, ResourceType } from "../../src/model/observation.ts";

const START = parseInstant("2026-03-02T09:00:00Z");

/** The time `seconds` after the story begins. */
export function at(seconds: number): Instant {
  return instantFromMicros(START + Math.round(seconds * SECOND));
}

export function anEventId(number: number): EventId {
  return eventId(`0196-7000-${String(number).padStart(6, "0")}`);
}

export const bot = { id: "900", login: "tandem[bot]" };
export const ada = { id: "1", login: "ada" };

export const issueType: ResourceType = {
  type: "issue",
  relation: "github_issues",
  fields: {
    title: { kind: "line", writable: true },
    body: { kind: "text", writable: true },
    state: { kind: "value", writable: true, settableOnCreate: false },
    labels: { kind: "set", writable: true },
    author: { kind: "actor", writable: false },
  },
  parent: null,
  carriesToken: () => true,
  removal: ["close"],
  closedBy: { state: "closed" },
  versions: "seconds",
  resolution: SECOND,
};

/** A column that holds its field's value as it is. */
export function plainField(column: string, field: string = column): FieldMapping {
  return {
    column,
    field,
    toResource: (row: Row) => row[column] as Json,
    toRecord: (value: Json) => value,
    references: null,
  };
}

export function aMapping(changes: Partial<Mapping> = {}): Mapping {
  return {
    recordType: "tasks",
    key: "id",
    integration: "github",
    resource: issueType,
    scopeColumn: "project_id",
    parent: null,
    fields: [
      plainField("title"),
      plainField("markdown", "body"),
      plainField("state"),
      plainField("labels"),
    ],
    conflict: "field",
    initial: "resource",
    pairBy: null,
    onResourceDeleted: "archive",
    onRecordDeleted: "close",
    softDelete: null,
    modifiedAt: null,
    author: null,
    ...changes,
  };
}

/** A context whose ids count up from `firstId`. */
export function aContext(changes: Partial<Context> & { readonly firstId?: number } = {}): Context {
  const { firstId = 100, ...context } = changes;
  let next = firstId;
  return {
    mapping: aMapping(),
    now: at(100),
    newId: () => anEventId(next++),
    switchedOff: { inbound: null, outbound: null },
    identity: bot,
    clockOffset: 0,
    quarantine: null,
    writePause: 0,
    readFreshness: 1_000,
    ...context,
  };
}

/** A paired lane at rest: title A everywhere, known since second 10 by event 1. */
export function aLane(changes: Partial<Lane> = {}): Lane {
  const content = { title: "A", body: "text" };
  return {
    id: laneId("1"),
    connectionId: connectionId("1"),
    resourceType: "issue",
    recordType: "tasks",
    externalId: "42",
    recordId: "7",
    parent: null,
    clock: { at: at(10), event: anEventId(1) },
    known: aKnown(content, 10),
    tombstone: null,
    copy: content,
    display: {},
    base: content,
    recordChangedAt: {},
    attempt: null,
    unanswered: [],
    lastSent: null,
    intent: null,
    awaitingIntent: null,
    flips: {},
    moved: null,
    cameFrom: null,
    archivedAs: null,
    returned: null,
    disabled: null,
    epoch: 0,
    live: [],
    ...changes,
  };
}

/** A lane nobody has seen anything of. */
export function anUnseenLane(changes: Partial<Lane> = {}): Lane {
  return aLane({
    externalId: null,
    recordId: null,
    clock: null,
    known: null,
    copy: null,
    base: null,
    ...changes,
  });
}

export function aKnown(content: Content, seconds: number, event: EventId = anEventId(1)): Known {
  return { content, digest: digest(content), at: at(seconds), event, lost: false };
}

export function anAttempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    event: anEventId(2),
    kind: "patch",
    values: { title: "L" },
    base: { title: "A" },
    clockAt: at(10),
    sentAt: at(20),
    epoch: 1,
    ...changes,
  };
}

export function anObservation(
  content: Content | null,
  seconds: number,
  changes: Partial<Observation> = {},
): Observation {
  return {
    type: "issue",
    externalId: "42",
    action: content === null ? "delete" : "upsert",
    updatedAt: at(seconds),
    content,
    display: {},
    parent: null,
    token: null,
    author: ada,
    ...changes,
  };
}

/** A webhook's arrival: whole content at a time, or a deletion where content is `null`. */
export function anArrival(
  content: Content | null,
  seconds: number,
  changes: Partial<Arrival> = {},
): Arrival {
  return {
    observation: anObservation(content === null ? null : { body: "text", ...content }, seconds),
    source: "webhook",
    deliveryId: deliveryId("1"),
    verifiedAt: null,
    ...changes,
  };
}

/** A live event of a lane. */
export function anEvent(
  lane: Lane,
  number: number,
  changes: Partial<TandemEvent> = {},
): TandemEvent {
  const context = aContext({ firstId: number, now: at(number) });
  const { direction = "inbound", action = "upsert", source = "webhook", content = null } = changes;
  return {
    ...newEvent(lane, context, { direction, action, source }),
    digest: content === null ? null : digest(content),
    ...changes,
  };
}

/** The lane with a live event in it, and the event. */
export function withEvent(
  lane: Lane,
  number: number,
  changes: Partial<TandemEvent> = {},
): { readonly lane: Lane; readonly event: TandemEvent } {
  const event = anEvent(lane, number, changes);
  return { lane: { ...lane, live: [...lane.live, event] }, event };
}

/** The event an admission brought; it must have brought one. */
export function bornOf(admission: Admission): TandemEvent {
  if (admission.event === null) throw new Error("the admission brought no event");
  return admission.event;
}

/** An event of a transition, ended or live, as it is afterwards. */
export function eventIn(
  transition: { readonly lane: Lane; readonly ended: readonly TandemEvent[] },
  id: EventId,
): TandemEvent {
  const found = [...transition.ended, ...transition.lane.live].find((event) => event.id === id);
  if (found === undefined) throw new Error(`no event ${id}`);
  return found;
}

export const line = (name: string): PlannedField => ({ name, kind: "line", writable: true });
export const set = (name: string): PlannedField => ({ name, kind: "set", writable: true });

/** The plan of one `title`, base A on both sides, unless told otherwise. */
export function aPlanInput(changes: Partial<PlanInput> = {}): PlanInput {
  return {
    fields: [line("title")],
    base: { title: "A" },
    record: { title: "A" },
    resource: { title: "A" },
    resourceAt: at(10),
    sent: NOTHING_SENT,
    identity: null,
    recordChangedAt: {},
    clockOffset: 0,
    resolution: SECOND,
    conflict: "field",
    initial: "resource",
    ...changes,
  };
}

/** A lane that knows a content and knew another title before. */
export function knowingAfter(
  title: string,
  seconds: number,
  content: Content,
  now: number,
  event: EventId,
): Lane {
  const before = versionsBefore(aKnown({ title, body: "text" }, seconds));
  return aLane({
    clock: { at: at(now), event },
    known: { ...aKnown(content, now, event), before },
  });
}
