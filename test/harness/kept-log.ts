/** A log that keeps what it is told. */
import type { Log } from "../../src/runtime/services/log.ts";

/** A message with the fields that an operator searches by. */
export interface Line {
  readonly message: string;
}

export function keptLog(): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = [];
  const keep = (details: object, message: string) => {
    lines.push({ ...details, message });
  };
  return { lines, log: { debug: keep, info: keep, warn: keep, error: keep } };
}
