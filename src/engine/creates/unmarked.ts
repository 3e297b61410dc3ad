/**
 * Unmarked creates: their resource carries no idempotency token, because it has no room for one or a person edited
 * it away (S59). The answer identifies the resource of an open create, or else its content does.
 *
 *   an unknown resource that may be ours, while such a create is open   waits in a lane of its own
 *   an answer or a read-back names it                                   the create's lane takes it over
 *   no such create is open any more                                     it is an ordinary new resource
 *   the deadline passes, or nothing settles the open creates            the create that sent its content
 *                                                                       takes it over; else it is new
 */
import { type Content, sameValue } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import {
  type Context,
  liveEvents,
  move,
  postpone,
  processing,
  requeue,
  unchanged,
  withLane,
} from "../lane/index.ts";
import { CLOCK_ALLOWANCE_MS, isMadeSince } from "./identify.ts";

/** How long a resource waits for open creates, also for one whose event failed. */
export const INTENT_DEADLINE_MS = 5 * 60_000;
/** How often the waiting event checks again. The settlement of a create wakes it earlier. */
const LOOK_AGAIN_MS = 30_000;

/** Whether a create of the lane may have made a resource that was not observed yet. */
export function mayHaveMade({ intent, externalId }: Lane): boolean {
  return externalId === null && (intent?.tokenless === true || intent?.posted !== undefined);
}

/** The values of the lane's creates that may have taken effect. */
export function sentByCreates({ attempt, unanswered }: Lane): readonly Content[] {
  return [...(attempt === null ? [] : [attempt]), ...unanswered]
    .filter(({ kind }) => kind === "create")
    .map(({ values }) => values);
}

/**
 * Whether a resource without a token may have had one that a person edited away. A resource older than any create
 * that is still waited for had none. Its time of change does not tell: the edit may be of the same second.
 */
export function mayHaveLostToken(observation: Observation, now: Instant): boolean {
  const since = addMillis(now, -(INTENT_DEADLINE_MS + CLOCK_ALLOWANCE_MS));
  return observation.token === null && isMadeSince(observation, since);
}

/** How a resource resembles the values of a create: all of them are the same, or part of its text is. */
export type Likeness = "same" | "derived";

/** How a resource resembles the values of a create; `null` if nothing shows that the create made it. */
export function likenessOf(content: Content, sent: Content, mapping: Mapping): Likeness | null {
  if (saysWhatWasSent(content, sent, mapping)) return "same";
  const { fields } = mapping.resource;
  const isKept = Object.entries(sent).some(([field, value]) => {
    const seen = content[field];
    if (typeof value !== "string" || typeof seen !== "string") return false;
    if (fields[field]?.kind === "line") return value !== "" && value === seen;
    return fields[field]?.kind === "text" && isEditOf(seen, value);
  });
  return isKept ? "derived" : null;
}

/** A common part shorter than this number of characters proves nothing. */
const LEAST_IN_COMMON = 12;

/** Whether one text is the other after an edit in one place that kept at least half of the longer text. */
function isEditOf(seen: string, sent: string): boolean {
  const shorter = Math.min(seen.length, sent.length);
  let start = 0;
  while (start < shorter && seen[start] === sent[start]) start += 1;
  let end = 0;
  while (end < shorter - start && seen.at(-1 - end) === sent.at(-1 - end)) end += 1;
  const kept = start + end;
  return kept >= LEAST_IN_COMMON && 2 * kept >= Math.max(seen.length, sent.length);
}

/** The first candidate with the same values as the create; else the only candidate, if there is just one. */
export function mostAlike<T>(
  found: readonly { readonly one: T; readonly likeness: Likeness }[],
): T | null {
  const same = found.find(({ likeness }) => likeness === "same");
  const [only, ...others] = found;
  if (same !== undefined) return same.one;
  return others.length === 0 ? (only?.one ?? null) : null;
}

/** Whether a resource has the values that were sent. Sets do not count: a provider drops elements it cannot take. */
export function saysWhatWasSent(content: Content, sent: Content, { resource }: Mapping): boolean {
  const compared = Object.entries(sent).filter(([field]) => resource.fields[field]?.kind !== "set");
  return (
    compared.length > 0 && compared.every(([field, value]) => sameValue(content[field], value))
  );
}

/** Whether the lane's resource was never observed. */
export function isUnseen({ recordId, clock, tombstone, live }: Lane): boolean {
  return recordId === null && clock === null && tombstone === null && live.length === 0;
}

/**
 * Makes a lane's inbound events wait for open creates, counted from the resource's first observation. If all open
 * creates have `stalled`, waiting would tell nothing more, so the content decides immediately.
 */
export function awaitIntents(start: Transition, now: Instant, stalled = false): Transition {
  const deadline = stalled ? now : addMillis(now, INTENT_DEADLINE_MS);
  const until = start.lane.awaitingIntent ?? deadline;
  const details = waiting(until, now);
  const held = until > now ? details : { ...details, runAt: now };
  return liveEvents(start.lane, "queued", "inbound").reduce(
    (transition, event) => move(transition, event.id, "queued", now, held),
    withLane(start, { awaitingIntent: until }),
  );
}

/** Postpones a started event because creates are still open; the attempt is not counted. */
export function awaitStill(start: Transition, event: TandemEvent, now: Instant): Transition {
  return postpone(start, event, now, {
    ...waiting(start.lane.awaitingIntent ?? now, now),
  });
}

function waiting(until: Instant, now: Instant) {
  const next = addMillis(now, LOOK_AGAIN_MS);
  const runAt = until > now && until < next ? until : next;
  return { reason: "awaiting_intent", runAt, deadline: until } as const;
}

/** No create made the resource, so it is an ordinary new one. The event continues. */
export function letGo(start: Transition, event: TandemEvent, now: Instant): Transition {
  const free = withLane(start, { awaitingIntent: null });
  return move(free, event.id, "processing", now, { deadline: null });
}

/** This lane's create made the waiting lane's resource: the lane takes over that lane's knowledge and events. */
export function takeOver(start: Transition, waiting: Lane, now: Instant): Transition {
  const { lane } = start;
  const event = processing(waiting);
  const rest =
    event === null
      ? unchanged(waiting)
      : requeue(unchanged(waiting), event, now, { reason: "reread_needed", runAt: now });
  const moved = (one: TandemEvent) => ({ ...one, laneId: lane.id, recordId: lane.recordId });
  return {
    lane: {
      ...lane,
      externalId: waiting.externalId,
      parent: lane.parent ?? waiting.parent,
      display: { ...lane.display, ...waiting.display },
      clock: waiting.clock,
      known: waiting.known,
      tombstone: lane.tombstone ?? waiting.tombstone,
      live: [...lane.live, ...rest.lane.live.map((one) => dueAgain(moved(one), now))],
    },
    ended: [...start.ended, ...rest.ended.map(moved)],
  };
}

/** Makes an event that waited due, with a re-read: until now its lane was not known. */
function dueAgain(event: TandemEvent, now: Instant): TandemEvent {
  if (event.state !== "queued") return event;
  const reread = event.action === "upsert";
  const reason = reread ? "reread_needed" : "admitted";
  return { ...event, reason, reread, runAt: now, deadline: null };
}

/** Ends the wait for an unmarked create that certainly made nothing. */
export function closeIntent(lane: Lane): Lane {
  const { intent } = lane;
  if (intent?.tokenless !== true) return lane;
  return { ...lane, intent: { ...intent, tokenless: false } };
}

/** Whether a decision ended the wait for an unmarked create that made nothing. */
export function closesIntent(before: Lane, after: Lane): boolean {
  return before.intent?.tokenless === true && after.intent?.tokenless === false;
}

export type Owner =
  | { readonly kind: "lane"; readonly lane: Lane }
  /** A worker is settling the create that may have made it. */
  | { readonly kind: "wait" }
  | { readonly kind: "nobody" };

/** Decides by content which lane's create made a waiting resource, after its deadline has passed. */
export function ownerByContent(
  waiting: Lane,
  intents: readonly Lane[],
  { mapping }: Context,
): Owner {
  const content = waiting.known?.content;
  if (content === undefined) return { kind: "nobody" };
  const alike = intents.filter(mayHaveMade).flatMap((lane) => {
    const likenesses = sentByCreates(lane).map((sent) => likenessOf(content, sent, mapping));
    const likeness = likenesses.find((one) => one === "same") ?? likenesses.find(Boolean) ?? null;
    return likeness === null ? [] : [{ lane, likeness }];
  });
  const same = alike.filter(({ likeness }) => likeness === "same");
  // An edited resource that resembles several creates identifies none of them.
  const told = same.length > 0 ? same : alike.length === 1 ? alike : [];
  const candidates = told.map(({ lane }) => lane);
  const idle = candidates.find((lane) => processing(lane) === null);
  if (idle !== undefined) return { kind: "lane", lane: idle };
  return { kind: candidates.length === 0 ? "nobody" : "wait" };
}
