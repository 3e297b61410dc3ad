/**
 * Creates whose resource carries no token, for it has no room for one, or a person edited it away (S59):
 * what an open one made is told by its answer, or else by its content.
 *
 *   an unknown resource that may be ours, while such a create is open   waits in a lane of its own
 *   an answer or a look names it                                        the create's lane takes it over
 *   no such create is open any more                                     an ordinary new resource
 *   the deadline passes, or nothing settles those that are open         the create that sent its content
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

/** How long a resource waits for open creates, and one that failed is waited for. */
export const INTENT_DEADLINE_MS = 5 * 60_000;
/** How often it looks again meanwhile; a create that is settled wakes it. */
const LOOK_AGAIN_MS = 30_000;

/** Whether a create of the lane may have made a resource that nothing has shown yet. */
export function mayHaveMade({ intent, externalId }: Lane): boolean {
  return externalId === null && (intent?.tokenless === true || intent?.posted !== undefined);
}

/** What the lane's creates sent, as far as they may have landed. */
export function sentByCreates({ attempt, unanswered }: Lane): readonly Content[] {
  return [...(attempt === null ? [] : [attempt]), ...unanswered]
    .filter(({ kind }) => kind === "create")
    .map(({ values }) => values);
}

/**
 * Whether a resource without a token may have had one, which somebody edited away: what is older than the
 * creates that are waited for has not. Its time of change says nothing, for an edit may be of the same second.
 */
export function mayHaveLostToken(observation: Observation, now: Instant): boolean {
  const since = addMillis(now, -(INTENT_DEADLINE_MS + CLOCK_ALLOWANCE_MS));
  return observation.token === null && isMadeSince(observation, since);
}

/** How a resource resembles what was sent: it says the same, or some of its text does. */
export type Likeness = "same" | "derived";

/** How a resource resembles what a create sent; `null` where nothing tells that it came of it. */
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

/** Fewer characters in common than these prove nothing. */
const LEAST_IN_COMMON = 12;

/** Whether one text is the other with something changed at one place: half of the longer one is kept. */
function isEditOf(seen: string, sent: string): boolean {
  const shorter = Math.min(seen.length, sent.length);
  let start = 0;
  while (start < shorter && seen[start] === sent[start]) start += 1;
  let end = 0;
  while (end < shorter - start && seen.at(-1 - end) === sent.at(-1 - end)) end += 1;
  const kept = start + end;
  return kept >= LEAST_IN_COMMON && 2 * kept >= Math.max(seen.length, sent.length);
}

/** Of what resembles what a create sent, the first that says the same; else the only one that is an edit of it. */
export function mostAlike<T>(
  found: readonly { readonly one: T; readonly likeness: Likeness }[],
): T | null {
  const same = found.find(({ likeness }) => likeness === "same");
  const [only, ...others] = found;
  if (same !== undefined) return same.one;
  return others.length === 0 ? (only?.one ?? null) : null;
}

/** Whether a resource says what was sent. Sets do not count: a provider drops what it cannot take. */
export function saysWhatWasSent(content: Content, sent: Content, { resource }: Mapping): boolean {
  const compared = Object.entries(sent).filter(([field]) => resource.fields[field]?.kind !== "set");
  return (
    compared.length > 0 && compared.every(([field, value]) => sameValue(content[field], value))
  );
}

/** Whether nothing was ever heard of the lane's resource. */
export function isUnseen({ recordId, clock, tombstone, live }: Lane): boolean {
  return recordId === null && clock === null && tombstone === null && live.length === 0;
}

/**
 * Holds a lane's inbound events back, from the first sight of its resource on. Where all creates
 * that are open have `stalled`, nothing will be known later: the content decides at once.
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

/** Sends a started event back to wait for the creates that are still open; no attempt is burnt. */
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

/** It is nobody's create: an ordinary new resource. The event goes on. */
export function letGo(start: Transition, event: TandemEvent, now: Instant): Transition {
  const free = withLane(start, { awaitingIntent: null });
  return move(free, event.id, "processing", now, { deadline: null });
}

/** The waiting lane's resource is what this lane's create made: it takes over all that is known. */
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

/** What waited is looked at again: until now nobody knew whose it is. */
function dueAgain(event: TandemEvent, now: Instant): TandemEvent {
  if (event.state !== "queued") return event;
  const reread = event.action === "upsert";
  const reason = reread ? "reread_needed" : "admitted";
  return { ...event, reason, reread, runAt: now, deadline: null };
}

/** Ends the waiting for a create that certainly made nothing. */
export function closeIntent(lane: Lane): Lane {
  const { intent } = lane;
  if (intent?.tokenless !== true) return lane;
  return { ...lane, intent: { ...intent, tokenless: false } };
}

/** Whether a decision ended the waiting for a lane's create that made nothing. */
export function closesIntent(before: Lane, after: Lane): boolean {
  return before.intent?.tokenless === true && after.intent?.tokenless === false;
}

export type Owner =
  | { readonly kind: "lane"; readonly lane: Lane }
  /** A worker is looking into the create that may have made it. */
  | { readonly kind: "wait" }
  | { readonly kind: "nobody" };

/** Whose create a waiting resource is, told by its content now that its deadline has passed. */
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
  // What was edited is told by one create only, or by none.
  const told = same.length > 0 ? same : alike.length === 1 ? alike : [];
  const candidates = told.map(({ lane }) => lane);
  const idle = candidates.find((lane) => processing(lane) === null);
  if (idle !== undefined) return { kind: "lane", lane: idle };
  return { kind: candidates.length === 0 ? "nobody" : "wait" };
}
