/**
 * The children of a moved resource follow it to their new ids. Lanes that were created for them at the new place
 * before the move was known take the old addresses, and their records are duplicates.
 *
 *   1  the children of one mapping, sorted by what becomes of each   `childrenOfMove`
 *   2  the decisions on their lanes                                  `moveChildren`
 *   3  the lanes whose records are duplicates                        `duplicatesAmong`
 *   4  the rows that the drain must place                            `misplacedRows`
 */
import { admit } from "../admission/index.ts";
import { secondsBelow } from "../creates/index.ts";
import { backInReach, type Context } from "../lane/index.ts";
import { admitDrift, admitUnsent, queueRemoval, refOf } from "../processing/index.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { Decided, Lane, Transition } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import { isEndedByRecord, isResourceGone } from "../../model/tombstone.ts";
import { type DuplicateResolution, resolveDuplicateLanes } from "./duplicate-lanes.ts";
import { matchChildren } from "./match-children.ts";
import { followParent, letRecordGo, tradePlaces } from "./resource-move.ts";
import { releaseEvents, takeEditTimes } from "./resource-return.ts";

/** The children of a moved resource by one mapping. */
export interface MovedChildren {
  readonly mapping: Mapping;
  readonly matches: ReturnType<typeof matchChildren>;
  /** Children that were not seen at the new place yet. */
  readonly missing: readonly Lane[];
  /** Lanes that were created at the new place before the move was known, by external id. */
  readonly atDestination: ReadonlyMap<string, Lane>;
  /** Such lanes at addresses that the resource has left again: their resources are no longer there. */
  readonly passed: readonly Lane[];
  /** Lanes created for surplus resources. A surplus resource must not have a lane, so these are removed. */
  readonly seconds: readonly Lane[];
  /** For records with several lanes: which lane keeps the record. */
  readonly duplicates: DuplicateResolution;
}

/**
 * @param behind The lanes at the resource's former addresses.
 * @param others Lanes that may be children or have their records, locked with the lane.
 * @param seen The children that the new place shows.
 */
export function childrenOfMove(
  lane: Lane,
  behind: readonly Lane[],
  others: readonly Lane[],
  seen: readonly Observation[],
  { mapping, identity }: Pick<Context, "mapping" | "identity">,
): MovedChildren {
  const { moved } = lane;
  const ofType = others.filter((one) => one.resourceType === mapping.resource.type);
  const children = ofType.filter(
    ({ connectionId, parent, tombstone }) =>
      connectionId === moved?.connection &&
      (parent === null || parent.externalId === moved.externalId) &&
      !isResourceGone(tombstone),
  );
  const matches = matchChildren(children, seen, mapping.resource.fields);
  const rest = ofType.filter((one) => !children.includes(one));
  const present = rest.filter((one) => one.connectionId === lane.connectionId);
  const created = present.filter((one) => one.parent?.externalId === lane.externalId);
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
    seconds: created.filter(
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
    atDestination: new Map(created.map((one) => [one.externalId ?? "", one])),
  };
}

/** The decisions on the lanes of children. */
export interface FollowedChildren {
  readonly decided: readonly Decided[];
  /** Lanes that are removed first, because another lane keeps their record or their resource is surplus. */
  readonly yielding: readonly Decided[];
}

/** Whether a child lives after it has followed: it was seen there, or has no resource yet. */
function mayLive({ tombstone, externalId }: Lane, seen: Observation | null): boolean {
  const isAlive = tombstone === null || backInReach(tombstone) === null;
  return isAlive && (seen !== null || externalId === null);
}

/** Moves children to their new addresses. A lane that already is at such an address takes the child's old one. */
export function moveChildren(
  { lane, event }: { readonly lane: Lane; readonly event: TandemEvent },
  { matches, missing, atDestination, passed, seconds, duplicates }: MovedChildren,
  contextOf: (lane: Lane) => Context,
): FollowedChildren {
  const { now } = contextOf(lane);
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
      return [{ before: child, after: admit(known, arrival, contextOf(child)) }];
    }
    const isGone = isEndedByRecord(child.tombstone) && seen === null;
    if (isGone) return [];
    const externalId = seen?.externalId ?? null;
    const to = { connectionId: lane.connectionId, externalId, parent, event: event.id };
    const context = contextOf({ ...child, connectionId: lane.connectionId });
    const taken = (duplicates.yields.get(child.id) ?? []).reduce(takeEditTimes, child);
    const there = goAlong(taken, to, context);
    const isLeft = duplicates.leaves.has(child.id);
    const followed = { before: child, after: isLeft ? letRecordGo(there, context) : there };
    const occupant = externalId === null ? undefined : atDestination.get(externalId);
    if (occupant === undefined) return [followed];
    return [followed, { before: occupant, after: tradePlaces(occupant, child, event, now) }];
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
  const catchUp = child.tombstone === null ? admitUnsent : admitDrift;
  const { lane, ended } = (isBack ? catchUp : queueRemoval)(followed.lane, context);
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
export function duplicatesAmong({
  matches,
  atDestination,
  passed,
}: MovedChildren): readonly Lane[] {
  const here = matches.flatMap(({ child, seen }) => {
    const occupant = seen === null ? undefined : atDestination.get(seen.externalId);
    return occupant === undefined || child.recordId === null ? [] : [occupant];
  });
  return [...here, ...passed];
}

/**
 * Records that the drain must place: followers that belong to another record by now, and rows below the record whose
 * counterparts are in other connections.
 *
 * @param rows The ids of the records below the moved resource's record.
 */
export function misplacedRows(
  { lane, others }: { readonly lane: Lane; readonly others: readonly Lane[] },
  { mapping, matches }: Pick<MovedChildren, "mapping" | "matches">,
  rows: readonly string[],
): readonly string[] {
  const followers = matches.flatMap(({ child: { recordId, tombstone } }) =>
    isEndedByRecord(tombstone) ? [] : (recordId ?? []),
  );
  const elsewhere = others.flatMap(({ recordType, recordId, connectionId, tombstone }) =>
    recordType === mapping.recordType && tombstone === null && connectionId !== lane.connectionId
      ? (recordId ?? [])
      : [],
  );
  return [
    ...followers.filter((id) => !rows.includes(id)),
    ...elsewhere.filter((id) => rows.includes(id) && !followers.includes(id)),
  ];
}
