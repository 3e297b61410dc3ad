/** JSON that jsonb accepts: Postgres holds neither NUL nor lone surrogates. */

const REFUSED = /\\u(?:0000|d[89a-f])/i;

/** Writes a value as JSON; characters that cannot be stored become U+FFFD. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes("\\u") && REFUSED.test(json) ? JSON.stringify(storable(value)) : json;
}

/** Text without NUL, which Postgres refuses everywhere. */
export function withoutNul(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

/** A value as it can be stored; the very same one where nothing stands in the way. */
export function storableValue<T>(value: T): T {
  return isStorable(value) ? value : (storable(value) as T);
}

function isStorable(value: unknown): boolean {
  if (typeof value === "string") return !value.includes("\0") && value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, item]) => isStorable(key) && isStorable(item));
}

function storable(value: unknown): unknown {
  if (typeof value === "string") return withoutNul(value).toWellFormed();
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [withoutNul(key).toWellFormed(), storable(item)]),
  );
}
