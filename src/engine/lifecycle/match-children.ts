/** Matching the children of a moved resource with the resources below it at its new place. */
import { type Content, digest, type FieldSpecs, sameValue } from "../../model/content.ts";
import type { LaneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import { isEndedByRecord } from "../../model/tombstone.ts";
import type { ChildMatch } from "../lane/index.ts";

/**
 * Finds the children of a moved resource among those at its new place. A provider may give them new ids there, so
 * they are matched by id, then by token, then by content, and last by author and order: a child whose content is not
 * found was edited meanwhile. A child whose record was deleted or moved away is never matched by author and order,
 * because a wrongly matched resource would be removed.
 */
export function matchChildren(
  children: readonly Lane[],
  seen: readonly Observation[],
  fields: FieldSpecs,
): readonly ChildMatch[] {
  const found = new Map<LaneId, Observation>();
  const free = new Set(seen);
  const ordered = [...children].sort((a, b) => byNumber(a.externalId, b.externalId));
  const match = (isSame: (child: Lane, one: Observation) => boolean) => {
    for (const child of ordered) {
      if (found.has(child.id)) continue;
      const one = [...free].find((candidate) => isSame(child, candidate));
      if (one === undefined) continue;
      found.set(child.id, one);
      free.delete(one);
    }
  };
  match((child, one) => child.externalId === one.externalId);
  match((child, one) => child.intent !== null && child.intent.token === one.token);
  const bound = (child: Lane) => child.externalId !== null && child.copy !== null;
  match((child, one) => bound(child) && saysTheSame(child.copy, one.content));
  const remains = (child: Lane) => bound(child) && !isEndedByRecord(child.tombstone);
  match((child, one) => remains(child) && ofOneAuthor(child.copy, one.content, fields));
  return ordered.map((child) => ({ child, seen: found.get(child.id) ?? null }));
}

function saysTheSame(copy: Content | null, content: Content | null): boolean {
  return copy !== null && content !== null && digest(copy) === digest(content);
}

function ofOneAuthor(copy: Content | null, content: Content | null, fields: FieldSpecs): boolean {
  const actors = Object.keys(fields).filter((field) => fields[field]?.kind === "actor");
  return actors.length > 0 && actors.every((field) => sameValue(copy?.[field], content?.[field]));
}

function byNumber(a: string | null, b: string | null): number {
  const [one, other] = [a ?? "", b ?? ""];
  return one.length - other.length || (one < other ? -1 : 1);
}
