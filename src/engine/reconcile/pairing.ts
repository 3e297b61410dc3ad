/** Pairing what exists on both sides: by a declared key, before anything is created. */
import { canonical, type Content, digest, type Json } from "../../model/content.ts";
import type { EventError } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Mapping, PairingKey, Row } from "../../model/mapping.ts";
import {
  liveEvents,
  move,
  processing,
  restart,
  supersede,
  unchanged,
  withLane,
} from "../lane/index.ts";

/** A key by which a record and a resource are paired. Equal digests mean equal keys. */
export interface KeyOfOne {
  readonly key: string;
  readonly label: string;
}

/**
 * The key of a resource.
 *
 * @param parentId For a child, the parent record's key: children of different parents never share a key.
 * @returns `null` if there is none: a part of the key is empty, or the parent is not paired.
 */
export function resourcePairingKey(
  mapping: Mapping,
  externalId: string,
  content: Content | null,
  parentId: string | null,
): KeyOfOne | null {
  const { pairBy } = mapping;
  if (pairBy === null || (mapping.parent !== null && parentId === null)) return null;
  if (pairBy.kind === "external_id") return pairingKeyOf(pairBy, [externalId], parentId);
  if (content === null) return null;
  const said = canonical(content, mapping.resource.fields);
  return pairingKeyOf(
    pairBy,
    pairBy.fields.map((field) => said[field] ?? null),
    parentId,
  );
}

/** The key of a record, in the resource's terms. @param content The record's translated content. */
export function recordPairingKey(
  mapping: Mapping,
  row: Row,
  content: Content,
  parentId: string | null,
): KeyOfOne | null {
  const { pairBy } = mapping;
  if (pairBy === null || (mapping.parent !== null && parentId === null)) return null;
  if (pairBy.kind === "fields") {
    return pairingKeyOf(
      pairBy,
      pairBy.fields.map((field) => content[field] ?? null),
      parentId,
    );
  }
  const value = row[pairBy.column];
  const text = typeof value === "string" || typeof value === "number" ? String(value) : null;
  return pairingKeyOf(pairBy, [text], parentId);
}

function pairingKeyOf(
  pairBy: PairingKey,
  values: readonly Json[],
  parentId: string | null,
): KeyOfOne | null {
  if (values.some((value) => value === null || value === "")) return null;
  const names = pairBy.kind === "fields" ? pairBy.fields : ["external id"];
  const shown = values.map((value, index) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${names[index] ?? ""} ${JSON.stringify(text.slice(0, 80))}`;
  });
  return { key: digest({ parentId, values }), label: shown.join(", ") };
}

/** Delays the upserts of an unpaired lane: nothing may be created while the backfill pairs what exists. */
export function awaitPairing(lane: Lane, now: Instant): Transition {
  if (lane.externalId !== null && lane.recordId !== null) return unchanged(lane);
  return liveEvents(lane, "queued")
    .filter(({ action, runAt }) => action === "upsert" && runAt <= now)
    .reduce(
      (transition, event) =>
        move(transition, event.id, "queued", now, {
          reason: "awaiting_pairing",
          // The end of pairing wakes it. This time is for the case that the wake-up is lost.
          runAt: addMillis(now, 5 * 60_000),
        }),
      unchanged(lane),
    );
}

export interface Bound {
  /** The resource's lane, to which the record belongs from now on. */
  readonly resource: Transition;
  /** The record's own lane with its events ended; the lane is removed afterwards. */
  readonly record: Transition | null;
}

/**
 * Pairs a record with a resource's lane. The waiting event of that lane then plans the first merge.
 *
 * @param own The record's own lane, if writes to the record were captured meanwhile.
 * @param changedAt When the record was last changed, if its table tells.
 * @returns `null` if they cannot be paired: one of them is paired or ended, or is being created or processed.
 */
export function bindPair(
  lane: Lane,
  own: Lane | null,
  recordId: string,
  changedAt: Instant | null,
  mapping: Mapping,
  now: Instant,
): Bound | null {
  const start = restartAmbiguous(lane, now);
  const [carrier] = liveEvents(start.lane, "queued", "inbound");
  if (lane.recordId !== null || lane.tombstone !== null || carrier?.action !== "upsert")
    return null;
  const left = own !== null && (own.intent !== null || processing(own) !== null);
  if (left || (own !== null && (own.externalId !== null || own.tombstone !== null))) return null;
  const known =
    changedAt === null
      ? {}
      : Object.fromEntries(mapping.fields.map(({ field }) => [field, changedAt]));
  const bound = withLane(start, {
    recordId,
    recordChangedAt: { ...known, ...own?.recordChangedAt },
  });
  const record =
    own === null
      ? null
      : own.live.reduce<Transition>(
          (transition, event) => supersede(transition, event, carrier, now),
          unchanged(own),
        );
  return { resource: dueNow(bound, now), record };
}

/** Errors the waiting event of a resource that shares its key with others: a person must decide. */
export function refuseAmbiguous(lane: Lane, error: EventError, now: Instant): Transition {
  if (lane.recordId !== null) return unchanged(lane);
  return liveEvents(lane, "queued", "inbound")
    .filter(({ action }) => action === "upsert")
    .reduce((transition, { id }) => {
      const begun = move(transition, id, "processing", now, {});
      return move(begun, id, "errored", now, { reason: "failed", error });
    }, unchanged(lane));
}

/** The error code of an event whose resource shares its key with others. */
export const AMBIGUOUS = "ambiguous_key";

function restartAmbiguous(lane: Lane, now: Instant): Transition {
  return liveEvents(lane, "errored", "inbound")
    .filter(({ error }) => error?.code === AMBIGUOUS)
    .reduce((transition, event) => restart(transition, event, now), unchanged(lane));
}

function dueNow(start: Transition, now: Instant): Transition {
  return liveEvents(start.lane, "queued", "inbound").reduce(
    (transition, { id }) =>
      move(transition, id, "queued", now, {
        reason: "admitted",
        runAt: now,
        recordId: start.lane.recordId,
      }),
    start,
  );
}
