/** Compiles the settings that are a limit, a delay or a zone. Refuses values out of bounds with their path and reason. */
import { type AnyConfig, ConfigError, type SafetyConfig } from "./config.ts";
import { wallClock } from "./model/wall-clock.ts";
import type { Safety } from "./runtime/settings/index.ts";

/** An hour: a longer pause would mean that writes are off. */
const LONGEST_PAUSE_MS = 3_600_000;
const LONGEST_FRESHNESS_MS = 10_000;

/** @throws ConfigError if a limit is out of its bounds. */
export function compileSafety(given: SafetyConfig): Safety {
  return {
    quarantine: compileQuarantine(given.quarantine ?? {}),
    blastRadius: compileBlastRadius(given.blastRadius ?? {}),
    writePause: compileWritePause(given.writePause ?? 2_000),
    readFreshness: compileReadFreshness(given.readFreshness ?? false),
  };
}

export function compileTimeZone(given: string | undefined): string | null {
  if (given === undefined) return null;
  try {
    return wallClock(given).zone;
  } catch {
    throw new ConfigError(
      "bad_time_zone",
      "timeZone",
      `there is no time zone ${given}`,
      'Use a name of the IANA database: "Asia/Kolkata", "UTC".',
    );
  }
}

export function compileRedelivery(given: NonNullable<AnyConfig["redelivery"]>): number | null {
  if (given === false) return null;
  const { minutes = 5 } = given;
  if (minutes >= 1 && Number.isFinite(minutes)) return minutes * 60_000;
  throw new ConfigError(
    "bad_redelivery",
    "redelivery",
    "minutes must be a number of at least 1",
    "Write { minutes: 5 }, or false to request no redelivery.",
  );
}

function compileBlastRadius(
  given: NonNullable<SafetyConfig["blastRadius"]>,
): Safety["blastRadius"] {
  if (given === false) return null;
  const { records = 10, share = 0.2 } = given;
  if (Number.isInteger(records) && records >= 0 && share >= 0 && share <= 1) {
    return { records, share };
  }
  throw new ConfigError(
    "bad_blast_radius",
    "safety.blastRadius",
    "records must be a whole number, and share must be between 0 and 1",
    "Write { records: 10, share: 0.2 }, or false to hold no run.",
  );
}

function compileWritePause(given: NonNullable<SafetyConfig["writePause"]>): number {
  if (given === false) return 0;
  if (given >= 0 && given <= LONGEST_PAUSE_MS) return given;
  throw new ConfigError(
    "bad_write_pause",
    "safety.writePause",
    `it must be a number of milliseconds, up to ${LONGEST_PAUSE_MS.toLocaleString("en")}`,
    "Write 2_000, or false to send each edit as soon as the request before it has its response.",
  );
}

function compileReadFreshness(given: NonNullable<SafetyConfig["readFreshness"]>): number {
  if (given === false) return 0;
  if (given >= 0 && given <= LONGEST_FRESHNESS_MS) return given;
  throw new ConfigError(
    "bad_read_freshness",
    "safety.readFreshness",
    `it must be a number of milliseconds, up to ${LONGEST_FRESHNESS_MS.toLocaleString("en")}`,
    "Write 1_000, or false to read the resource before every write.",
  );
}

function compileQuarantine(given: NonNullable<SafetyConfig["quarantine"]>): Safety["quarantine"] {
  if (given === false) return null;
  const { flips = 6, minutes = 10 } = given;
  if (Number.isInteger(flips) && flips >= 2 && minutes > 0 && Number.isFinite(minutes)) {
    return { flips, withinMillis: minutes * 60_000 };
  }
  throw new ConfigError(
    "bad_quarantine",
    "safety.quarantine",
    "flips must be a whole number of at least 2, and minutes must be more than 0",
    "Write { flips: 6, minutes: 10 }, or false to let two systems overwrite each other.",
  );
}
