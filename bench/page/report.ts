/** What `docs/benchmarks.json` holds, and how a run is put into it. */
import type { Row } from "../harness/bench.ts";
import type { Result, Round } from "../harness/results.ts";
import { median } from "../harness/rounds.ts";

export interface Report {
  readonly machine: Machine;
  readonly rows: readonly ReportRow[];
  /** What each entry came to: the medians of its figures. */
  readonly entries: readonly ReportEntry[];
}

/** In words that name nobody's machine. */
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
  /** Whether the ratio is no ratio but the figure itself. */
  readonly isFigure: boolean;
  /** The day of its run. */
  readonly measuredOn: string;
}

export interface ReportEntry {
  readonly name: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Puts what was measured beside what the rows say of themselves. Row 0 has no row. */
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

/** The medians of the rounds, entry by entry, in the order in which they ran. */
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
 * A run of some rows takes the places of theirs in an earlier report of such a machine; what is no row of
 * the bench any more is left out. Row 0 counts the faults of both.
 *
 * @param order All rows of the bench, as the page shows them.
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
