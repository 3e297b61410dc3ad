/**
 * What belongs to a resource that was moved follows it to its new ids. What was made of it at its new place
 * before anybody knew goes to the old addresses, and its records are doubles.
 */
import { admit } from "../../engine/admission/index.ts";
import { backInReach, type Context } from "../../engine/lane/index.ts";
import {
  followParent,
  releaseEvents,
  letRecordGo,
  matchChildren,
  type DuplicateResolution,
  resolveDuplicateLanes,
  takeEditTimes,
  tradePlaces,
} from "../../engine/lifecycle/index.ts";
import { admitDrift, admitUnsent, queueRemoval, refOf } from "../../engine/processing/index.ts";
import { secondsBelow } from "../../engine/creates/index.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import type { AddressBook, Held } from "../services/index.ts";

/** The children of a moved resource by one mapping. */
export interface Family {
  readonly mapping: Mapping;
  readonly matches: ReturnType<typeof matchChildren>;
  /** Children that are not at the new place, or not yet. */
  readonly missing: readonly Lane[];
  /** Lanes that were made at the new place before the move was known, by external id. */
  readonly strangers: ReadonlyMap<string, Lane>;
  /** The same at places that the resource has left again: nothing of them is there any more. */
  readonly passed: readonly Lane[];
  /** Lanes that were made of what is surplus: it has none of its own. */
  readonly seconds: readonly Lane[];
  /** Of records that have several lanes, those that keep it and those that do not. */
  readonly duplicates: DuplicateResolution;
}

export function familyBelow(
  lane: Lane,
  behind: readonly Lane[],
  { others }: { readonly others: readonly Lane[] },
  mapping: Mapping,
  seen: readonly Observation[],
  identity: Context["identity"],
): Family {
  const { moved } = lane;
  const ofType = others.filter((one) => one.resourceType === mapping.resource.type);
  const children = ofType.filter(
    ({ connectionId, parent, tombstone }) =>
      connectionId === moved?.connection &&
      (parent === null || parent.externalId === moved.externalId) &&
      (tombstone === null || tombstone.movedTo !== undefined || tombstone.side === "record"),
  );
  const matches = matchChildren(children, seen, mapping.resource.fields);
  const rest = ofType.filter((one) => !children.includes(one));
  const present = rest.filter((one) => one.connectionId === lane.connectionId);
  const strangers = present.filter((one) => one.parent?.externalId === lane.externalId);
  const passed = rest.filter((one) =>
    behind.some(
      (left) =>
        one.connectionId === left.connectionId &&
        one.parent?.externalId === left.externalId &&
        one.externalId !== null &&
        one.tombstone === null,
    ),
  );
  const surplus = secondsBelow(matches, seen, { mapping, identity });
  return {
    mapping,
    passed,
    matches,
    seconds: strangers.filter(
      ({ recordId, externalId }) => recordId === null && surplus.includes(externalId ?? ""),
    ),
    duplicates: resolveDuplicateLanes(
      matches.flatMap(({ child, seen: there }) => (mayLive(child, there) ? [child] : [])),
      present.filter(({ tombstone }) => tombstone === null),
    ),
    missing: matches.flatMap(({ child, seen: there }) =>
      there === null && child.externalId !== null && child.tombstone?.side !== "record"
        ? [child]
        : [],
    ),
    strangers: new Map(strangers.map((one) => [one.externalId ?? "", one])),
  };
}

/** What becomes of the lanes of children. */
export interface Following {
  readonly decided: Decided[];
  /** Lanes that give way to one of these, or to none, and go before. */
  readonly yielding: readonly Decided[];
}

/** Whether a child lives once it has followed: it is there, or has no resource yet. */
function mayLive({ tombstone, externalId }: Lane, seen: Observation | null): boolean {
  const isAlive = tombstone === null || backInReach(tombstone) === null;
  return isAlive && (seen !== null || externalId === null);
}

/** Children take their new addresses; what a stranger knew of one goes to the old address. */
export function followAll(
  { lane, event }: Held,
  { matches, missing, strangers, passed, seconds, duplicates }: Family,
  book: AddressBook,
  now: Context["now"],
): Following {
  const parent = refOf(lane, lane.externalId ?? "");
  const ended = passed.map((one) => ({ before: one, after: tradePlaces(one, one, event, now) }));
  const yielding = [...duplicates.yields.values()].flat();
  const followed = matches.flatMap(({ child, seen }): Decided[] => {
    if (yielding.includes(child)) return [];
    if (missing.includes(child)) {
      const arrival = {
        observation: goneWith(child, now),
        source: "reread",
        deliveryId: null,
        verifiedAt: null,
      } as const;
      const known = { ...child, tombstone: null };
      return [{ before: child, after: admit(known, arrival, book.context(child, now)) }];
    }
    const isGone = child.tombstone?.side === "record" && seen === null;
    if (isGone) return [];
    const externalId = seen?.externalId ?? null;
    const to = { connectionId: lane.connectionId, externalId, parent, event: event.id };
    const context = book.context({ ...child, connectionId: lane.connectionId }, now);
    const taken = (duplicates.yields.get(child.id) ?? []).reduce(takeEditTimes, child);
    const there = goAlong(taken, to, context);
    const isLeft = duplicates.leaves.has(child.id);
    const followed = { before: child, after: isLeft ? letRecordGo(there, context) : there };
    const stranger = externalId === null ? undefined : strangers.get(externalId);
    if (stranger === undefined) return [followed];
    return [followed, { before: stranger, after: tradePlaces(stranger, child, event, now) }];
  });
  return {
    decided: [...followed, ...ended],
    yielding: [...yielding, ...seconds].map((one) => ({
      before: one,
      after: releaseEvents(one, event, now),
    })),
  };
}

/**
 * Lanes that a record got while its own was out of reach, and that have sent nothing, give it back; those of
 * what is surplus have nothing to give.
 */
export async function yieldPlaces(
  tx: StoreTransaction,
  yielding: readonly Decided[],
): Promise<void> {
  await tx.saveLanes(yielding);
  for (const { before } of yielding) await tx.removeLane(before.id);
}

/**
 * Nobody heard what the app said of a child while its resource was out of reach. One that is there though
 * its record was deleted, or put elsewhere, was not found where it was; one that is nowhere is still to be made.
 * One that was left together with its parent stays where it was said: its record, which comes back to that,
 * finds it there.
 */
function goAlong(
  child: Lane,
  to: Parameters<typeof followParent>[1],
  context: Context,
): Transition {
  const followed = followParent(child, to, context);
  if (followed.lane.tombstone?.recordMoved === "with_parent") return followed;
  const isBack = followed.lane.tombstone === null;
  const whatElse = child.tombstone === null ? admitUnsent : admitDrift;
  const { lane, ended } = (isBack ? whatElse : queueRemoval)(followed.lane, context);
  return { lane, ended: [...followed.ended, ...ended] };
}

function goneWith(child: Lane, now: Context["now"]): Observation {
  return {
    ...refOf(child, child.externalId ?? ""),
    action: "delete",
    updatedAt: child.clock?.at ?? now,
    content: null,
    display: {},
    parent: child.parent,
    token: null,
    author: null,
  };
}

/** Lanes whose record was made anew of a child that has one already, or will be at the new place. */
export function doublesOf({ matches, strangers, passed }: Family): readonly Lane[] {
  const here = matches.flatMap(({ child, seen }) => {
    const stranger = seen === null ? undefined : strangers.get(seen.externalId);
    return stranger === undefined || child.recordId === null ? [] : [stranger];
  });
  return [...here, ...passed];
}

/**
 * Rows below the record whose counterparts are elsewhere, and followers that belong to another record by
 * now: the drain puts each where it belongs.
 */
export async function noteStrays(
  tx: StoreTransaction,
  { lane, event, others }: Held & { readonly others: readonly Lane[] },
  families: readonly Family[],
  above: Mapping,
): Promise<void> {
  if (lane.recordId === null) return;
  for (const { mapping, matches } of families) {
    if (mapping.parent === null) continue;
    const { recordType } = mapping;
    const columns = [mapping.parent.column];
    const rows = await tx.records.childrenOf(mapping, above, [lane.recordId]);
    const followers = matches.flatMap(({ child: { recordId, tombstone } }) =>
      tombstone?.side === "record" ? [] : (recordId ?? []),
    );
    const elsewhere = others.flatMap(({ recordType: type, recordId, connectionId, tombstone }) =>
      type === recordType && tombstone === null && connectionId !== lane.connectionId
        ? (recordId ?? [])
        : [],
    );
    const strays = [
      ...followers.filter((id) => !rows.includes(id)),
      ...elsewhere.filter((id) => rows.includes(id) && !followers.includes(id)),
    ];
    if (strays.length === 0) continue;
    await tx.changes.note(
      strays.map((recordId) => ({ recordType, recordId, columns, origin: event.id })),
    );
  }
}
