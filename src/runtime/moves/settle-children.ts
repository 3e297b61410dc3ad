/**
 * The children of a moved resource follow it to their new ids. Lanes that were created for them at the new place
 * before the move was known take the old addresses, and their records are duplicates.
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
import { isEndedByRecord } from "../../model/tombstone.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import type { DirectorySnapshot, ClaimedLane } from "../services/index.ts";

/** The children of a moved resource by one mapping. */
export interface Family {
  readonly mapping: Mapping;
  readonly matches: ReturnType<typeof matchChildren>;
  /** Children that were not seen at the new place yet. */
  readonly missing: readonly Lane[];
  /** Lanes that were created at the new place before the move was known, by external id. */
  readonly strangers: ReadonlyMap<string, Lane>;
  /** Such lanes at addresses that the resource has left again: their resources are no longer there. */
  readonly passed: readonly Lane[];
  /** Lanes created for surplus resources. A surplus resource must not have a lane, so these are removed. */
  readonly seconds: readonly Lane[];
  /** For records with several lanes: which lane keeps the record. */
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
      tombstone?.resource !== "deleted",
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
      there === null && child.externalId !== null && !isEndedByRecord(child.tombstone)
        ? [child]
        : [],
    ),
    strangers: new Map(strangers.map((one) => [one.externalId ?? "", one])),
  };
}

/** The decisions on the lanes of children. */
export interface Following {
  readonly decided: Decided[];
  /** Lanes that are removed first, because another lane keeps their record or their resource is surplus. */
  readonly yielding: readonly Decided[];
}

/** Whether a child lives after it has followed: it was seen there, or has no resource yet. */
function mayLive({ tombstone, externalId }: Lane, seen: Observation | null): boolean {
  const isAlive = tombstone === null || backInReach(tombstone) === null;
  return isAlive && (seen !== null || externalId === null);
}

/** Moves children to their new addresses. A lane that already is at such an address takes the child's old one. */
export function followAll(
  { lane, event }: ClaimedLane,
  { matches, missing, strangers, passed, seconds, duplicates }: Family,
  book: DirectorySnapshot,
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
    const isGone = isEndedByRecord(child.tombstone) && seen === null;
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

/** Removes lanes that must not keep a record: unsent ones of records with several lanes, and those of surplus. */
export async function yieldPlaces(
  tx: StoreTransaction,
  yielding: readonly Decided[],
): Promise<void> {
  await tx.saveLanes(yielding);
  for (const { before } of yielding) await tx.removeLane(before.id);
}

/**
 * Moves a child after its parent, and queues the work that was impossible while its resource was out of reach. If the
 * record was deleted or moved away, its resource is removed; if there is no resource yet, it is created; otherwise
 * record and base are compared. A child that left with its parent stays below the resource, so that its record finds
 * it there on its return.
 */
function goAlong(
  child: Lane,
  to: Parameters<typeof followParent>[1],
  context: Context,
): Transition {
  const followed = followParent(child, to, context);
  if (followed.lane.tombstone?.record === "with_parent") return followed;
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

/** Lanes whose record is a duplicate: the child that it was created from has a record already. */
export function doublesOf({ matches, strangers, passed }: Family): readonly Lane[] {
  const here = matches.flatMap(({ child, seen }) => {
    const stranger = seen === null ? undefined : strangers.get(seen.externalId);
    return stranger === undefined || child.recordId === null ? [] : [stranger];
  });
  return [...here, ...passed];
}

/**
 * Notes for the drain the rows below the record whose counterparts are in other connections, and followers that
 * belong to another record by now: the drain moves each to its connection.
 */
export async function noteStrays(
  tx: StoreTransaction,
  { lane, event, others }: ClaimedLane & { readonly others: readonly Lane[] },
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
      isEndedByRecord(tombstone) ? [] : (recordId ?? []),
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
