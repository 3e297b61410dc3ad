/** Surplus: a second resource of ours for a record that has its counterpart. Noted in the ledger, never synced. */
import { canonical, type Content, pick, sameValue } from "../../model/content.ts";
import type { Conflict, TandemEvent } from "../../model/event.ts";
import type { ConnectionId } from "../../model/ids.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { mappedFields } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import { placeOutOfReach } from "../../model/tombstone.ts";
import {
  type Admission,
  type Arrival,
  addEvent,
  type ChildMatch,
  type Context,
  newEvent,
  unchanged,
} from "../lane/index.ts";
import { saidOf } from "./create.ts";
import { identify, madeAnew, withMade, withPosted } from "./identify.ts";

/**
 * The result of reading a lane's first resource at the address that the lane has, and wherever it was moved from
 * there: it is another resource than the second, it is the second itself, or it was not found.
 */
export type First = "another" | "the_second" | "absent";

/**
 * Whether the second of two resources of ours may be closed. It may be the first one after an unreported transfer,
 * unless the first was found elsewhere or is known to be deleted.
 */
export function isCertainlySurplus({ tombstone }: Pick<Lane, "tombstone">, first: First): boolean {
  if (first !== "absent") return first === "another";
  return tombstone !== null && placeOutOfReach(tombstone) === null;
}

/** The ids of observations below a moved resource that are surplus of a child which is there already. */
export function secondsBelow(
  matches: readonly ChildMatch[],
  seen: readonly Observation[],
  { mapping, identity }: Pick<Context, "mapping" | "identity">,
): readonly string[] {
  const firsts = matches.flatMap((match) => match.seen ?? []);
  return seen.flatMap((one) => {
    const { externalId, content } = one;
    const of = matches.find(
      ({ child }) => child.intent !== null && child.intent.token === one.token,
    );
    if (of === undefined || of.seen === null || firsts.includes(one)) return [];
    const { id, intent } = of.child;
    if (intent === null) return [];
    const bound = of.seen.externalId;
    const posted =
      intent.posted === undefined ? null : madeAnew(intent.posted, of.child.externalId, bound);
    const { since } = intent;
    const byToken = { id, externalId: bound, isElsewhere: false, since, posted };
    const said = content === null ? one : { ...one, said: saidOf(content, mapping) };
    return identify(said, null, byToken, identity).kind === "surplus" ? [externalId] : [];
  });
}

/**
 * Admits the arrival of a surplus resource. Only a webhook adds an event; lists and reads show it again each time.
 *
 * @param at The connection of the arrival; the lane may have been transferred from there.
 */
export function admitSurplus(
  lane: Lane,
  arrival: Arrival,
  at: ConnectionId,
  context: Context,
  which: "proven" | "perhaps" = "proven",
): Admission {
  const known = which === "proven" ? counted(lane, arrival) : lane;
  if (arrival.source === "webhook") return noteSurplus(known, arrival, at, context);
  return { ...unchanged(known), event: null };
}

/** The lane after noting that a create of the observation's author made the resource. */
function counted(lane: Lane, { observation }: Arrival): Lane {
  const posted = lane.intent?.posted;
  if (lane.intent === null || posted === undefined) return lane;
  const noted = withMade(posted, observation);
  return noted === posted
    ? lane
    : { ...lane, intent: withPosted(lane.intent, noted, lane.externalId) };
}

const WHY = "Created twice by an interrupted request; its counterpart is ";

/** The comment that Tandem writes below a resource that it closes as surplus. */
export function whySurplus(counterpart: string): string {
  return `${WHY}${counterpart}.`;
}

/** Whether a comment is the one of `whySurplus`. */
export function isWhySurplus(content: Content): boolean {
  return Object.values(content).some((value) => typeof value === "string" && value.startsWith(WHY));
}

/** Conflicts for every field of a resource that is dropped because its record has a counterpart. */
export function lostWith(content: Content): readonly Conflict[] {
  return Object.entries(content).map(([field, lost]): Conflict => {
    return { field, winner: "record", kept: null, lost, why: "created_twice" };
  });
}

/** Conflicts for the texts that a person changed in a surplus resource: it is closed, the ledger keeps them (S60). */
function editsOf(
  { known, base, intent }: Lane,
  { content }: Observation,
  { mapping }: Context,
): readonly Conflict[] {
  const said = intent?.posted?.account?.said ?? intent?.posted?.authors.flatMap((one) => one.said);
  if (content === null || said?.includes(saidOf(content, mapping)) === true) return [];
  const kept = known?.content ?? base ?? {};
  const { fields } = mapping.resource;
  const seen = pick(canonical(content, fields), mappedFields(mapping));
  const isText = (field: string) => ["line", "text"].includes(fields[field]?.kind ?? "");
  return Object.entries(seen).flatMap(([field, lost]): readonly Conflict[] => {
    if (!isText(field) || sameValue(kept[field], lost)) return [];
    return [{ field, winner: "record", kept: kept[field] ?? null, lost, why: "created_twice" }];
  });
}

/** Notes a surplus resource in the lane of the record that it was created for. */
export function noteSurplus(
  lane: Lane,
  arrival: Arrival,
  at: ConnectionId,
  context: Context,
): Transition & { readonly event: TandemEvent } {
  const { observation, source, deliveryId } = arrival;
  const event: TandemEvent = {
    ...newEvent(lane, context, {
      direction: "inbound",
      action: observation.action,
      source,
      updatedAt: observation.updatedAt,
      deliveryId,
      // A person may have edited it. The resource is closed, so its content is kept here.
      content: observation.content,
    }),
    connectionId: at,
    externalId: observation.externalId,
    state: "ignored",
    reason: "surplus",
    conflicts: editsOf(lane, observation, context),
    ignoredFor: { id: lane.recordId ?? lane.id, type: lane.recordType },
    finishedAt: context.now,
  };
  return { ...addEvent(unchanged(lane), event), event };
}
