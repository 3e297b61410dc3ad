/** Times for people: in their zone, and no more precise than needed. Pure. */

export interface Reader {
  readonly now: Date;
  /** Default: the system's. */
  readonly timeZone?: string;
}

/** `14:03:07` today, `2026-03-02 14:03:07` on other days. */
export function localTime(time: string, { now, timeZone }: Reader): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat("en-CA", { dateStyle: "short", ...zone });
  const clock = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...zone,
  });
  const at = new Date(time);
  const date = day.format(at);
  return date === day.format(now) ? clock.format(at) : `${date} ${clock.format(at)}`;
}

const ISO_TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;

/** A sentence whose times are converted to local ones. */
export function withLocalTimes(sentence: string, reader: Reader): string {
  return sentence.replaceAll(ISO_TIME, (time) => localTime(time, reader));
}
