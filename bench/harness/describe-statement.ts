/** Describes a statement in one line. */
import type { Statement } from "./statements.ts";

export function describeStatement({ text, calls, rows, millis, walBytes }: Statement): string {
  return [
    `${millis.toFixed(0)} ms`.padStart(12),
    `${(walBytes / 1_024).toFixed(0)} KiB`.padStart(12),
    `${String(calls)} calls`.padStart(14),
    `${String(rows)} rows`.padStart(14),
    ` ${text.replaceAll(/\s+/g, " ").slice(0, 120)}`,
  ].join("");
}
