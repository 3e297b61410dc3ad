/** The log on standard error: one JSON object per line, or on a terminal one readable line. */
import { pino } from "pino";
import type { Log } from "../../runtime/services/index.ts";
import type { Output } from "./io.ts";
import { localTime } from "./local-time.ts";
import type { Paint } from "./paint.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function createLogger(
  level: LogLevel,
  output: Output,
  paint: Paint,
  timeZone?: string,
): Log {
  const write =
    output.isTTY === true
      ? (line: string) => output.write(`${readable(line, paint, timeZone)}\n`)
      : (line: string) => output.write(line);
  return pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    { write },
  );
}

/** Formats one JSON line for people. */
function readable(line: string, paint: Paint, timeZone: string | undefined): string {
  // The cast is safe: pino wrote this line.
  const { level, time, msg, ...details } = JSON.parse(line) as {
    level: string;
    time: number;
    msg: string;
    [detail: string]: unknown;
  };
  const at = localTime(new Date(time).toISOString(), {
    now: new Date(time),
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  const rest = Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  const tone = level === "error" ? paint.red : level === "warn" ? paint.yellow : paint.dim;
  return `${paint.dim(at)} ${tone(level.padEnd(5))} ${msg}${rest === "" ? "" : ` ${paint.dim(rest)}`}`;
}
