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

/** The fields of the lines with one message. */
export function toldOf(lines: readonly Line[], of: string): readonly object[] {
  return lines.filter(({ message }) => message === of).map(({ message: _, ...fields }) => fields);
}
