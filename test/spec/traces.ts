/** The schedules in `spec/traces`: what refuted a mutant of a model, as steps of the small worlds. */
import { readFile } from "node:fs/promises";
import { flagsOf, matrix, type Row } from "../../spec/matrix.ts";
import { type CreateWorld, firstCreateWorld } from "../engine/creates/create-state.ts";
import type { Budget, Options } from "../engine/schedules/world-state.ts";

export interface Trace {
  readonly row: Row;
  readonly steps: readonly string[];
}

/** Reads the trace of a refuted row. */
export async function readTrace(row: Row): Promise<Trace> {
  const file = new URL(`../../spec/traces/${row.name}.txt`, import.meta.url);
  const text = await readFile(file, "utf8");
  const [head = "", body = ""] = text.split("\n\n");
  const expected = [`model: ${row.model} ${row.bounds}`, `without: ${row.without ?? ""}`];
  if (!expected.every((line) => head.split("\n").includes(line))) {
    throw new Error(`${file.pathname} is of another row: write it again, npm run spec -- --traces`);
  }
  return { row, steps: body.split("\n").filter((line) => line !== "") };
}

export const refutedRows = matrix.filter(({ expect }) => expect === "refuted");

const budgets: Readonly<Record<string, keyof Budget>> = {
  NE: "remoteEdits",
  NB: "bumps",
  NL: "localEdits",
  NT: "ticks",
  NP: "pollReads",
  NX: "unknown",
  NO: "orphans",
  NR: "errors",
  NDR: "remoteDeletes",
  NDL: "localDeletes",
  NG: "lags",
  NC: "recreations",
  NK: "refusals",
  NU: "hidden",
  NS: "switches",
};

/** The small world of one create, of a row's bounds. */
export function createWorldOf({ bounds, ...row }: Row): CreateWorld {
  const flags = flagValues({ ...row, bounds });
  const copies = (flags.get("NH") ?? 0) + (flags.get("NA") ?? 0);
  return firstCreateWorld(flags.get("NX") ?? 0, copies, !flags.has("NO_ROOM"));
}

function flagValues(row: Row): ReadonlyMap<string, number> {
  return new Map(
    flagsOf(row).map((flag) => {
      const [name = "", value = "1"] = flag.split("=");
      return [name, Number(value)];
    }),
  );
}

/** The small world of a row's bounds. */
export function worldOptions(row: Row): Options {
  const { model } = row;
  const flags = flagValues(row);
  const budget = Object.entries(budgets).map(([flag, name]) => [name, flags.get(flag) ?? 0]);
  const common: Options = {
    conflict: conflictOf(flags),
    fields: flags.has("TWO") ? ["a", "b"] : ["a"],
    budget: Object.fromEntries(budget),
    sets: flags.has("SETS"),
    localReverts: flags.has("LREV"),
    strict: flags.has("STRICT"),
    webhooks: flags.has("KEPT") || flags.has("KEPT_DELETES") ? "arrive" : "may be lost",
    reads: flags.has("READS"),
    // Rows without a read before each write look at the other rules' own part, which is the larger then.
    unread: !flags.has("READ_FIRST"),
  };
  if (model === "delete") {
    const sweep = !flags.has("NO_SWEEP") || row.without === "NO_SWEEP";
    const missing = flags.has("GONE") ? "410" : "404";
    return { ...common, watch: "local edits", sweep, missing };
  }
  const watch = flags.has("LOCAL") ? "local edits" : flags.has("REMOTE") ? "remote edits" : null;
  return watch === null ? common : { ...common, watch };
}

function conflictOf(flags: ReadonlyMap<string, number>): Options["conflict"] {
  if (flags.has("RECORD")) return "record";
  if (flags.has("RESOURCE_WINS")) return "resource-wins";
  return flags.has("RECORD_WINS") ? "record-wins" : "field";
}
