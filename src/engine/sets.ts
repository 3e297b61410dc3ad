/** Sets of strings merge by their elements: what each side added or removed. */
import { isStringArray, type Json } from "../model/content.ts";

/** A set before, with what we sent to it since, as far as the resource shows it: no edit of theirs. */
export function withOurChanges(base: Json, sent: Json | undefined, seen: Json): Json {
  if (!isStringArray(base) || !isStringArray(sent) || !isStringArray(seen)) return base;
  const [was, shown] = [new Set(base), new Set(seen)];
  const left = new Set(sent);
  const still = base.filter((item) => left.has(item) || shown.has(item));
  const arrived = sent.filter((item) => !was.has(item) && shown.has(item));
  return [...still, ...arrived].sort();
}

/** Both sides' additions and removals happen. */
export function mergeSet(base: Json, record: Json | undefined, seen: Json): Json {
  if (!isStringArray(base) || !isStringArray(record) || !isStringArray(seen)) return seen;
  const [was, shown] = [new Set(base), new Set(seen)];
  const added = seen.filter((item) => !was.has(item));
  const removed = new Set(base.filter((item) => !shown.has(item)));
  return [...new Set([...record.filter((item) => !removed.has(item)), ...added])].sort();
}
