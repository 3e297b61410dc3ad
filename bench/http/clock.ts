/** One clock for all processes of a comparison and for the database beside them: the machine's own. */

/** `performance` counts evenly, and the machine's clock is corrected meanwhile: by 0.1 ms a second and more. */
const TRUSTED_MS = 100;

let offset = 0;
let readAt = -Infinity;

/** Milliseconds since 1970, with fractions. Now and then it takes up to a millisecond to look at the clock. */
export function wallMillis(): number {
  if (performance.now() - readAt > TRUSTED_MS) readClock();
  return performance.now() + offset;
}

/** The clock tells whole milliseconds, so it is read as it comes to the next. */
function readClock(): void {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  readAt = performance.now();
  offset = now - readAt;
}

/** The same in SQL, of a column of type `timestamptz`. */
export function millisOf(column: string): string {
  return `extract(epoch from ${column})::float8 * 1000`;
}
