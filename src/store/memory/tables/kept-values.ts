/** Values of the app's columns, in the form in which Postgres would give them back. */

/**
 * A value as it is kept: big numbers and times are text, and what has parts is a copy of its own
 * that nobody can change.
 */
export function keptValue(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" && value !== null ? frozen(structuredClone(value)) : value;
}

/** Whether a column says the same before and after. */
export function sameKept(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const composed = typeof a === "object" && typeof b === "object";
  return composed && JSON.stringify(a) === JSON.stringify(b);
}

/** A key, or a value that refers to one, as text. */
export function keptKey(value: unknown): string {
  return typeof value === "string" ? value : String(value);
}

function frozen(value: object): object {
  // Bytes cannot be frozen.
  if (ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) frozen(part as object);
  }
  return Object.freeze(value);
}
