/**
 * The state of the small world that the schedule explorer walks through: one resource at a
 * provider, one record in the app, the lane between them, and one worker.
 *
 * Worlds are values. Two worlds with the same fingerprint have the same future.
 */
import type { Content, Json, SetChanges } from "../../../src/model/content.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import type { EventId } from "../../../src/model/ids.ts";
import { type Instant, SECOND } from "../../../src/model/instant.ts";
import type { Attempt, Lane } from "../../../src/model/lane.ts";
import type { Mapping } from "../../../src/model/mapping.ts";
import { endedSide } from "../../../src/model/tombstone.ts";
import type { OutboundRequest } from "../../../src/engine/processing/outbound.ts";
import { aKnown, aLane, aMapping, anEventId, at, issueType, plainField } from "../builders.ts";

/** How much of everything may still happen. */
export interface Budget {
  readonly remoteEdits: number;
  readonly bumps: number;
  readonly localEdits: number;
  readonly ticks: number;
  /** Poll reads during the run, admitted at any later moment. */
  readonly pollReads: number;
  /** Requests whose outcome nobody learns: lost on the way, or answered into the void. */
  readonly unknown: number;
  /** Requests of dead workers that land later. */
  readonly orphans: number;
  readonly errors: number;
  readonly remoteDeletes: number;
  readonly localDeletes: number;
  /** Reads that show the version before. */
  readonly lags: number;
  /** Deleted resources that are there again. */
  readonly recreations: number;
  /** Inbound merges that the app refuses, since its record is newer. */
  readonly refusals: number;
  /** Reads that find nothing although the resource is there: access was lost for a while. */
  readonly hidden: number;
  /** Times that the inbound direction is switched off, and on again. */
  readonly switches: number;
}

export const NO_BUDGET: Budget = {
  remoteEdits: 0,
  bumps: 0,
  localEdits: 0,
  ticks: 0,
  pollReads: 0,
  unknown: 0,
  orphans: 0,
  errors: 0,
  remoteDeletes: 0,
  localDeletes: 0,
  lags: 0,
  recreations: 0,
  refusals: 0,
  hidden: 0,
  switches: 0,
};

export interface Options {
  readonly conflict: Mapping["conflict"];
  readonly fields: readonly string[];
  /** Whether the fields are sets, of "x" and "y"; in steps a set is told by its bits, 1 and 2. */
  readonly sets?: boolean;
  readonly budget?: Partial<Budget>;
  /** Whether local edits may also go back to the first value. */
  readonly localReverts?: boolean;
  /** The poll after the faults comes at any moment, not only at rest. */
  readonly strict?: boolean;
  /** Whether webhooks may be lost once the faults stop. */
  readonly webhooks: "may be lost" | "arrive";
  /** The edits that are checked in the end, besides convergence. */
  readonly watch?: "local edits" | "remote edits";
  /** Whether an id sweep follows the poll. */
  readonly sweep?: boolean;
  /** The answer to a read of a deleted resource. */
  readonly missing?: "404" | "410";
  /** Whether the resource is read by id once, which is admitted later; the sweep reads by id too. */
  readonly reads?: boolean;
  /** Whether writes leave without the read before them, as in models that do without. */
  readonly unread?: boolean;
}

/** A webhook, or a page of a poll, on its way. */
export interface Wire {
  readonly kind: "upsert" | "delete";
  readonly at: number;
  readonly content: Content;
}

/** The unfinished task of the one worker. */
export type Task =
  | { readonly kind: "read" | "look"; readonly event: EventId; readonly seen: Seen | null }
  | { readonly kind: "sent"; readonly event: EventId; readonly request: OutboundRequest }
  | {
      readonly kind: "answered";
      readonly event: EventId;
      readonly request: OutboundRequest;
      readonly seen: Seen | null;
    };

/** The effect of a request of ours on the resource, whenever it lands. */
export interface Landing {
  readonly values: Content;
  readonly sets: SetChanges;
}

/** A snapshot of the resource. */
export interface Seen {
  readonly at: number;
  readonly content: Content;
}

/** An onlooker's memory of a field, which tells an edit that was lost. */
export interface Watched {
  readonly local: string;
  readonly remote: string;
  /** The last local edit has not reached the resource yet, or was pushed out by an older write. */
  readonly localPending: boolean;
  /** The last local edit has been on the resource. */
  readonly localLanded: boolean;
  /** The record has not shown the last remote edit yet. */
  readonly remotePending: boolean;
  readonly conflict: boolean;
}

export interface World {
  readonly resource: Seen & { readonly exists: boolean };
  readonly tick: number;
  readonly wires: readonly Wire[];
  readonly orphan: Landing | null;
  /** The version before, which a read that lags still shows. */
  readonly before: Seen | null;
  /** A read by id that is to be admitted, and whether it began after the tombstone. */
  readonly byId: (Seen & { readonly verifies: boolean }) | "to come" | "admitted";
  readonly record: Content | null;
  /** Captured and not drained: columns with the time of their change; a deleted row's content. */
  readonly change: {
    readonly changedAt: Readonly<Record<string, Instant>>;
    readonly deleted: Content | null;
  } | null;
  readonly lane: Lane;
  readonly task: Task | null;
  readonly left: Budget;
  readonly localEdits: number;
  readonly phase: "faults" | "calm" | "polled" | "swept";
  /** Requests since the faults stopped: a world at peace does not go on writing. */
  readonly calmRequests: number;
  readonly watched: Readonly<Record<string, Watched>>;
  /** The record was kept on purpose when its resource was deleted. */
  readonly detached: boolean;
  /** The resource was re-created at the provider, which alone brings a deleted record back. */
  readonly recreated: boolean;
  /** The app will refuse the next inbound merge. */
  readonly refuses: boolean;
  /** The inbound direction is switched off. */
  readonly off: boolean;
  /** For ids only; not part of what a world is. */
  readonly nextId: number;
}

/** The mapping of a world: its fields, plain, in columns of the same name. */
export function mappingOf(options: Options): Mapping {
  return aMapping({
    resource: {
      ...issueType,
      fields: Object.fromEntries(
        options.fields.map((field) => [
          field,
          { kind: options.sets === true ? "set" : "value", writable: true },
        ]),
      ),
      removal: ["delete"],
    },
    fields: options.fields.map((field) => plainField(field)),
    conflict: options.conflict,
    onResourceDeleted: "delete",
    onRecordDeleted: "delete",
  });
}

/** Everything says "0", and is known and paired. */
export function firstWorld(options: Options): World {
  const first = options.sets === true ? [] : "0";
  const content = Object.fromEntries(options.fields.map((field) => [field, first]));
  const watched: Watched = {
    local: "0",
    remote: "0",
    localPending: false,
    localLanded: false,
    remotePending: false,
    conflict: false,
  };
  return {
    resource: { at: 0, content, exists: true },
    tick: 0,
    wires: [],
    orphan: null,
    before: null,
    byId: options.reads === true ? "to come" : "admitted",
    record: content,
    change: null,
    lane: aLane({
      copy: content,
      base: content,
      clock: { at: at(0), event: anEventId(1) },
      known: aKnown(content, 0),
    }),
    task: null,
    left: { ...NO_BUDGET, ...options.budget },
    localEdits: 0,
    phase: "faults",
    calmRequests: 0,
    watched: Object.fromEntries(
      options.sets === true ? [] : options.fields.map((field) => [field, watched]),
    ),
    detached: false,
    recreated: false,
    refuses: false,
    off: false,
    nextId: 100,
  };
}

/** The present time of a world: half a second into its tick, so that local times are finer. */
export function nowIn(world: Pick<World, "tick">): Instant {
  return at(world.tick + 0.5);
}

/** Whether nothing is under way. */
export function isQuiet(world: World): boolean {
  return (
    world.task === null &&
    world.wires.length === 0 &&
    typeof world.byId === "string" &&
    world.change === null &&
    world.lane.live.every((event) => event.state === "errored")
  );
}

/** A number that two worlds share only if their futures are the same (but for rare chance). */
export function fingerprint(world: World): number {
  const { task, lane } = world;
  const parts = [
    `${world.phase}${world.tick}.${world.calmRequests}.${world.localEdits}`,
    ...Object.values(world.left),
    `${String(world.resource.exists)}${String(world.detached)}${String(world.recreated)}${String(world.refuses)}${String(world.off)}${values(world.resource.content)}@${world.resource.at}`,
    ...world.wires.map(wireKey),
    world.orphan === null ? "-" : landingText(world.orphan),
    world.left.lags === 0 || world.before === null ? "" : seenText(world.before),
    typeof world.byId === "string"
      ? world.byId
      : seenText(world.byId) + String(world.byId.verifies),
    values(world.record),
    world.change === null ? "-" : times(world.change.changedAt) + values(world.change.deleted),
    ...Object.values(world.watched).map(watchedText),
    laneText(lane),
  ];
  if (task !== null) {
    parts.push(`${task.kind}${seatsOf(lane).get(task.event) ?? "x"}`);
    if ("seen" in task && task.seen !== null) {
      parts.push(seenText(task.seen));
    }
    if ("request" in task) {
      const { request } = task;
      parts.push(request.kind, "values" in request ? values(request.values) : "");
      if (request.kind === "patch") parts.push(setsText(request.sets));
    }
  }
  return hash(parts.join("|"));
}

const laneTexts = new WeakMap<Lane, string>();
const contentTexts = new WeakMap<Content, string>();

/** A lane in short: ids only as far as they say which event is meant. */
function laneText(lane: Lane): string {
  const cached = laneTexts.get(lane);
  if (cached !== undefined) return cached;
  const seats = seatsOf(lane);
  const seat = (id: EventId | undefined) => (id === undefined ? "-" : (seats.get(id) ?? "x"));
  const attempt = (sent: Attempt | null) =>
    sent === null
      ? "-"
      : `${sent.kind}${seat(sent.event)}${values(sent.values)}/${values(sent.base)}` +
        `@${tickOf(sent.clockAt)}-${tickOf(sent.settledAt)}`;
  const event = (live: TandemEvent) =>
    `${seat(live.id)}${live.direction[0] ?? ""}${live.action[0] ?? ""}${live.state[0] ?? ""}` +
    `${String(live.reread)}${values(live.content)}@${tickOf(live.updatedAt)}` +
    `${String(live.error?.retryable)}${live.conflicts.map(({ field }) => field).join("")}`;
  const { clock, known, tombstone, lastSent } = lane;
  const text = [
    `${tickOf(clock?.at)}${seat(clock?.event)}`,
    known === null ? "-" : `${values(known.content)}${seat(known.event)}${String(known.lost)}`,
    tombstone === null ? "-" : `${endedSide(tombstone)}${seat(tombstone.event)}`,
    values(lane.copy),
    values(lane.base),
    times(lane.recordChangedAt),
    lane.recordId ?? "-",
    attempt(lane.attempt),
    lane.unanswered.map(attempt).join(" "),
    attempt(lastSent),
    (lastSent?.earlier ?? []).map(attempt).join(" "),
    lane.live.map(event).sort().join(" "),
  ].join("|");
  laneTexts.set(lane, text);
  return text;
}

/** The place of each live event among the others, in the order of birth. */
function seatsOf({ live }: Lane): ReadonlyMap<EventId, number> {
  const ids = live.map(({ id }) => id).sort();
  return new Map(ids.map((id, index) => [id, index]));
}

function tickOf(time: Instant | null | undefined): string {
  return time === null || time === undefined ? "-" : String((time - at(0)) / SECOND);
}

function times(changedAt: Readonly<Record<string, Instant>>): string {
  return Object.keys(changedAt)
    .sort()
    .map((column) => `${column}${tickOf(changedAt[column])}`)
    .join(" ");
}

function watchedText(seen: Watched): string {
  const flags = [seen.localPending, seen.localLanded, seen.remotePending, seen.conflict];
  return `${seen.local},${seen.remote},${flags.map(Number).join("")}`;
}

function seenText({ at, content }: Seen): string {
  return `${values(content)}@${at}`;
}

function landingText(landing: Landing): string {
  return values(landing.values) + setsText(landing.sets);
}

function setsText(sets: SetChanges): string {
  return Object.entries(sets)
    .map(([field, { added, removed }]) => `${field}+${added.join()}-${removed.join()}`)
    .join(" ");
}

export function wireKey(wire: Wire): string {
  return `${wire.kind[0] ?? ""}${values(wire.content)}@${wire.at}`;
}

/** Content in short, its fields in order; every value of a world is a text. */
export function values(content: Content | null): string {
  if (content === null) return "-";
  const cached = contentTexts.get(content);
  if (cached !== undefined) return cached;
  const text = Object.keys(content)
    .sort()
    .map((field) => `${field}${textOf(content[field])}`)
    .join("");
  contentTexts.set(content, text);
  return text;
}

/** The sets that are one element away. */
export function setsBeside(set: Json | undefined): readonly Json[] {
  const now = bitsOf(set);
  return [now ^ 1, now ^ 2].map((bits) => ["x", "y"].filter((_, bit) => (bits & (1 << bit)) !== 0));
}

function bitsOf(set: Json | undefined): number {
  const has = (element: string) => Array.isArray(set) && set.includes(element);
  return Number(has("x")) + 2 * Number(has("y"));
}

export function textOf(value: Json | undefined): string {
  if (Array.isArray(value)) return String(bitsOf(value));
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** cyrb53: 53 bits, so that a million worlds collide about never. */
function hash(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
