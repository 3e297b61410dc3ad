/** The content of `docs/benchmarks.json`, and how a run is merged into it. */
import type { Row } from "../harness/bench.ts";
import type { Result, Round } from "../harness/results.ts";
import { median } from "../harness/rounds.ts";

export interface Report {
  readonly machine: Machine;
  readonly rows: readonly ReportRow[];
  /** The medians of each entry's figures. */
  readonly entries: readonly ReportEntry[];
}

/** A description that does not identify the machine. */
export interface Machine {
  readonly cores: number;
  /** GB of memory. */
  readonly memory: number;
  readonly node: string;
  readonly postgres: string;
}

export interface ReportRow extends Result {
  readonly goalIs: Row["goalIs"];
  readonly against: string;
  /** Whether the value is a figure, not a ratio. */
  readonly isFigure: boolean;
  /** The day of the run. */
  readonly measuredOn: string;
}

export interface ReportEntry {
  readonly name: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Combines results with the descriptions of their rows. Row 0 has no description. */
export function reportRows(
  results: readonly Result[],
  rows: readonly Row[],
  measuredOn: string,
): readonly ReportRow[] {
  return results.map((result) => {
    const row = rows.find((each) => isSame(each, result));
    return {
      ...result,
      goalIs: row?.goalIs ?? "most",
      against: row?.against ?? "checked for every edit of every run",
      isFigure: row === undefined || row.to === null,
      measuredOn,
    };
  });
}

/** The medians of the rounds for each entry, in the order in which the entries ran. */
export function reportEntries(rounds: readonly Round[]): readonly ReportEntry[] {
  const names = new Set(rounds.flatMap((outcomes) => [...outcomes.keys()]));
  return [...names].map((name) => {
    const all = rounds.map((outcomes) => outcomes.get(name)?.figures ?? {});
    const figures = new Set(all.flatMap((each) => Object.keys(each)));
    const medians = [...figures].flatMap((figure): readonly (readonly [string, number])[] => {
      const values = all.flatMap((each) => each[figure] ?? []).filter(Number.isFinite);
      return values.length === 0 ? [] : [[figure, median(values.sort((a, b) => a - b))]];
    });
    return { name, figures: Object.fromEntries(medians) };
  });
}

/**
 * Merges a run of some rows into an earlier report of such a machine: they replace their former results. Rows
 * that the bench no longer has are left out. Row 0 counts the faults of both.
 *
 * @param order All rows of the bench, in the order of the page.
 */
export function mergeReports(
  before: Report | null,
  now: Report,
  order: readonly Pick<Row, "id" | "name">[],
): Report {
  if (before === null || JSON.stringify(before.machine) !== JSON.stringify(now.machine)) return now;
  const gates = [before, now].flatMap(({ rows }) => rows.filter(({ id }) => id === 0));
  const worst = gates.toSorted((a, b) => (b.ratio ?? 0) - (a.ratio ?? 0))[0];
  const rows = order.flatMap(
    (row) =>
      now.rows.find((each) => isSame(each, row)) ??
      before.rows.find((each) => isSame(each, row)) ??
      [],
  );
  const newer = new Set(now.entries.map(({ name }) => name));
  return {
    machine: now.machine,
    rows: [...(worst === undefined ? [] : [worst]), ...rows],
    entries: [...before.entries.filter(({ name }) => !newer.has(name)), ...now.entries],
  };
}

function isSame(a: Pick<Row, "id" | "name">, b: Pick<Row, "id" | "name">): boolean {
  return a.id === b.id && a.name === b.name;
}
