/** Sets of strings merge by their elements: what each side added or removed. */
import { isStringArray, type Json } from "../model/content.ts";

/** A set before, with what we sent to it since, as far as the resource shows it: no edit of theirs. */
export function withOurChanges(base: Json, sent: Json | undefined, seen: Json): Json {
  if (!isStringArray(base) || !isStringArray(sent) || !isStringArray(seen)) return base;
  const still = base.filter((item) => sent.includes(item) || seen.includes(item));
  const arrived = sent.filter((item) => !base.includes(item) && seen.includes(item));
  return [...still, ...arrived].sort();
}

/** Both sides' additions and removals happen. */
export function mergeSet(base: Json, record: Json | undefined, seen: Json): Json {
  if (!isStringArray(base) || !isStringArray(record) || !isStringArray(seen)) return seen;
  const added = seen.filter((item) => !base.includes(item));
  const removed = new Set(base.filter((item) => !seen.includes(item)));
  return [...new Set([...record.filter((item) => !removed.has(item)), ...added])].sort();
}
