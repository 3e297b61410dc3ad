/**
 * Times without a zone, as a `timestamp without time zone` keeps them: the time that a wall clock shows in the app's
 * time zone.
 */
import {
  formatInstant,
  type Instant,
  instantFromMillis,
  instantFromMicros,
  MILLISECOND,
  parseInstant,
} from "./instant.ts";

export interface WallClock {
  readonly zone: string;
  /** The time that the clock shows at an instant, to the microsecond: `2026-03-01 17:30:00.000000`. */
  show(at: Instant): string;
  /** The instant at which the clock shows this time; `null` if the text is not such a time. */
  read(shown: string): Instant | null;
}

/**
 * A clock in a time zone, by its name in the IANA database.
 *
 * @throws RangeError if there is no such zone.
 */
export function wallClock(zone: string): WallClock {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "2-digit", day: "2-digit" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit" },
  });
  /** How far the clock is ahead of UTC, in microseconds. */
  function ahead(at: Instant): number {
    const whole = Math.floor(at / MILLISECOND / 1_000) * 1_000;
    const shown = new Map(
      parts.formatToParts(new Date(whole)).map(({ type, value }) => [type, Number(value)]),
    );
    const part = (type: Intl.DateTimeFormatPartTypes) => shown.get(type) ?? 0;
    const asUtc = Date.UTC(
      ...([part("year"), part("month") - 1, part("day")] as const),
      ...([part("hour"), part("minute"), part("second")] as const),
    );
    return instantFromMillis(asUtc) - instantFromMillis(whole);
  }
  return {
    zone,
    show: (at) =>
      formatInstant(instantFromMicros(at + ahead(at)))
        .slice(0, -1)
        .replace("T", " "),
    read(shown) {
      const asUtc = shownAsUtc(shown);
      if (asUtc === null) return null;
      // The zone's offset depends on the instant, which is not known yet. The second estimate is right for every time
      // that the clock shows at all.
      const near = instantFromMicros(asUtc - ahead(asUtc));
      return instantFromMicros(asUtc - ahead(near));
    },
  };
}

/** The time that a clock shows, read as UTC, so that two times of one clock can be compared. */
export function shownAsUtc(shown: string): Instant | null {
  return /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?$/.test(shown)
    ? tryParseInstant(`${shown}Z`)
    : null;
}

/** Reads a time with its offset; `null` if the text is not one. */
export function tryParseInstant(text: string): Instant | null {
  try {
    return parseInstant(text);
  } catch {
    return null;
  }
}
