/** One clock for all processes of a comparison and for the database beside them: the machine's own. */

/** Milliseconds since 1970, with fractions. */
export function wallMillis(): number {
  return performance.timeOrigin + performance.now();
}

/** The same in SQL, of a column of type `timestamptz`. */
export function millisOf(column: string): string {
  return `extract(epoch from ${column})::float8 * 1000`;
}
