/** Sets of strings merge by their elements: what each side added or removed. */
import {
  type Content,
  isStringArray,
  type Json,
  sameValue,
  type SetChange,
  type SetChanges,
} from "../../model/content.ts";

/**
 * Splits the values to send into sets, as elements added and removed, and other fields. A whole set would
 * remove the elements that others added since our read (situation 57).
 */
export function splitSets(
  base: Content | null,
  values: Content,
): { readonly sets: SetChanges; readonly others: Content } {
  const sets: Record<string, SetChange> = {};
  const others: Record<string, Json> = {};
  for (const [field, value] of Object.entries(values)) {
    if (isStringArray(value)) sets[field] = setChange(base?.[field], value);
    else others[field] = value;
  }
  return { sets, others };
}

function setChange(base: Json | undefined, value: readonly string[]): SetChange {
  const before = isStringArray(base) ? base : [];
  return {
    added: value.filter((item) => !before.includes(item)),
    removed: before.filter((item) => !value.includes(item)),
  };
}

/** Whether a resource shows our write of a field: for a set, each element that we added or removed. */
export function hasTaken(
  seen: Json | undefined,
  base: Json | undefined,
  sent: Json | undefined,
): boolean {
  if (!isStringArray(seen) || !isStringArray(sent)) return sameValue(seen, sent);
  const { added, removed } = setChange(base, sent);
  return added.every((item) => seen.includes(item)) && !removed.some((item) => seen.includes(item));
}

/** Base of a set, plus the changes we sent that the resource shows. The rest of the difference is a remote edit. */
export function withOurChanges(base: Json, sent: Json | undefined, seen: Json): Json {
  if (!isStringArray(base) || !isStringArray(sent) || !isStringArray(seen)) return base;
  const [was, shown] = [new Set(base), new Set(seen)];
  const left = new Set(sent);
  const still = base.filter((item) => left.has(item) || shown.has(item));
  const arrived = sent.filter((item) => !was.has(item) && shown.has(item));
  return [...still, ...arrived].sort();
}

/** Applies the additions and removals of both sides. */
export function mergeSet(base: Json, record: Json | undefined, seen: Json): Json {
  if (!isStringArray(base) || !isStringArray(record) || !isStringArray(seen)) return seen;
  const [was, shown] = [new Set(base), new Set(seen)];
  const added = seen.filter((item) => !was.has(item));
  const removed = new Set(base.filter((item) => !shown.has(item)));
  return [...new Set([...record.filter((item) => !removed.has(item)), ...added])].sort();
}

/**
 * Whether the answer to our change of a set also shows changes by others. We send single elements, so their
 * elements stay and are merged. An element of ours that the provider dropped counts as its change of our value.
 */
export function isBesideOurs(
  answered: Json,
  seen: Json,
  base: Json | undefined,
  untouched: boolean,
): boolean {
  if (base === undefined || sameValue(seen, answered)) return false;
  return !untouched || hasTaken(seen, base, answered);
}
