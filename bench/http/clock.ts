/** One clock for all processes of a comparison and for the database: the machine's own. */

/** `performance` runs evenly, but the machine's clock is corrected by 0.1 ms a second and more. */
const TRUSTED_MS = 100;

let offset = 0;
let readAt = -Infinity;

/** Milliseconds since 1970, with fractions. Sometimes reading the clock takes up to a millisecond. */
export function wallMillis(): number {
  if (performance.now() - readAt > TRUSTED_MS) readClock();
  return performance.now() + offset;
}

/** The clock has whole milliseconds, so wait for the moment at which it changes. */
function readClock(): void {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  readAt = performance.now();
  offset = now - readAt;
}

/** The same in SQL, for a column of type `timestamptz`. */
export function millisOf(column: string): string {
  return `extract(epoch from ${column})::float8 * 1000`;
}
