/** A log that keeps what it is told. */
import type { Log } from "../../src/runtime/services/log.ts";

export function keptLog(): { readonly log: Log; readonly lines: object[] } {
  const lines: object[] = [];
  const keep = (details: object, message: string) => {
    lines.push({ message, ...details });
  };
  return { lines, log: { debug: keep, info: keep, warn: keep, error: keep } };
}
