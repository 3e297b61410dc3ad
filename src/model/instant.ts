/**
 * Points in time, in microseconds since the Unix epoch.
 *
 * Postgres keeps microseconds and a JavaScript `Date` keeps milliseconds, so a `Date` would round
 * two different times to one. A safe integer holds microseconds until the year 2255.
 */
declare const instant: unique symbol;

/** Microseconds since 1970-01-01T00:00:00Z. Compare with `<`, subtract to get microseconds. */
export type Instant = number & { readonly [instant]: true };

/** Microseconds in one millisecond and in one second. */
export const MILLISECOND = 1_000;
export const SECOND = 1_000_000;

const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6})\d*)?\s*(Z|[+-]\d{2}(?::?\d{2})?(?::?\d{2})?)$/;

/** Reads a count of microseconds as an instant. */
export function instantFromMicros(micros: number): Instant {
  if (!Number.isSafeInteger(micros)) {
    throw new RangeError(`not a whole number of microseconds: ${String(micros)}`);
  }
  return micros as Instant;
}

/** Reads a JavaScript time (milliseconds since the epoch) as an instant. */
export function instantFromMillis(millis: number): Instant {
  return instantFromMicros(Math.round(millis * MILLISECOND));
}

/**
 * Parses ISO 8601 and Postgres' own text form, keeping up to six fractional digits.
 *
 * @example parseInstant("2026-03-01 12:00:00.123456+00") - parseInstant("2026-03-01T12:00:00Z") // 123456
 * @throws RangeError when the text is not a time with an offset.
 */
export function parseInstant(text: string): Instant {
  const match = PATTERN.exec(text);
  if (match === null) throw new RangeError(`not a time with an offset: ${JSON.stringify(text)}`);
  const [, year, month, day, hour, minute, second, fraction = "", offset = "Z"] = match;
  const [y, mo, d] = [Number(year), Number(month), Number(day)];
  const [h, mi, s] = [Number(hour), Number(minute), Number(second)];
  if (y < 100 || mo < 1 || mo > 12 || d < 1 || d > daysIn(y, mo) || h > 23 || mi > 59 || s > 59) {
    throw new RangeError(`no such time: ${JSON.stringify(text)}`);
  }
  const seconds = Date.UTC(y, mo - 1, d, h, mi, s) / 1000;
  const micros = fraction === "" ? 0 : Number(fraction.padEnd(6, "0"));
  return instantFromMicros((seconds - offsetSeconds(offset)) * SECOND + micros);
}

/** Writes an instant as ISO 8601 in UTC with all six fractional digits; Postgres reads it exactly. */
export function formatInstant(at: Instant): string {
  const micros = ((at % SECOND) + SECOND) % SECOND;
  const whole = new Date((at - micros) / MILLISECOND).toISOString().slice(0, 19);
  return `${whole}.${String(micros).padStart(6, "0")}Z`;
}

/** Cuts an instant down to a resolution, as a clock with coarser steps would show it. */
export function truncateInstant(at: Instant, resolution: number): Instant {
  return instantFromMicros(Math.floor(at / resolution) * resolution);
}

/** Moves an instant by a number of milliseconds. */
export function addMillis(at: Instant, millis: number): Instant {
  return instantFromMicros(at + Math.round(millis * MILLISECOND));
}

/** The later of two instants; `null` stands for "never". */
export function laterOf(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null) return b;
  if (b === null) return a;
  return a >= b ? a : b;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function offsetSeconds(offset: string): number {
  if (offset === "Z" || offset === "+00") return 0;
  const sign = offset.startsWith("-") ? -1 : 1;
  const digits = offset.slice(1).replaceAll(":", "");
  const [hours, minutes, seconds] = [0, 2, 4].map((at) => Number(digits.slice(at, at + 2) || 0));
  return sign * ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0));
}
