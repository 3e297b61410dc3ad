/**
 * `npm run crash -- --json`: kills and freezes real worker processes at every failpoint, on a real Postgres; see
 * `test/processes/crash`. It covers both directions, create, update, and hard and soft delete, of issues and
 * comments. It exits with 1 unless both sides agree each time. `--only before:send` plays the cells whose name
 * contains that, `--shard 1/2` every second one.
 */
import { parseArgs } from "node:util";
import { groupBy } from "../src/runtime/services/grouping.ts";
import { type Cell, CELLS, nameOf, unreachable } from "../test/processes/crash/matrix.ts";
import { passBy, playCell } from "../test/processes/crash/play-cell.ts";
import { openSite, type Site } from "../test/processes/crash/site.ts";
import { startPostgres } from "../test/harness/postgres-server.ts";
import { endProcess } from "./end-process.ts";
import { shardOf } from "./shard.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    shard: { type: "string" },
    sites: { type: "string", default: "4" },
  },
});

interface Row extends Cell {
  readonly ok: boolean;
  readonly seconds: number;
  readonly unreachable?: string;
  readonly problems: readonly string[];
}

const begun = Date.now();
const wanted = shardOf(
  values.shard,
  CELLS.filter((cell) => nameOf(cell).includes(values.only)),
);
if (wanted.length === 0) {
  process.stderr.write(
    `crash_no_such_cell: no cell's name contains "${values.only}". ` +
      'Names are such as "kill before:send outbound update".\n',
  );
  process.exit(1);
}
const given = process.env.TANDEM_TEST_DATABASE_URL;
const server = given === undefined ? await startPostgres(undefined) : null;
const reachable = wanted.filter((cell) => unreachable(cell) === null);
const others = groupBy(
  wanted.filter((cell) => unreachable(cell) !== null),
  ({ of, direction, action }) => `${of} ${direction} ${action}`,
);
const work: ((site: Site) => Promise<readonly Row[]>)[] = [
  // The longest first: a stopped worker holds its transaction until the database ends it.
  ...[...reachable]
    .sort((a, b) => (a.fate === b.fate ? 0 : a.fate === "stop" ? -1 : 1))
    .map((cell) => async (site: Site) => [await playCell(site, cell)]),
  ...others.map((cells) => (site: Site) => pass(site, cells)),
];
const rows: Row[] = [];
try {
  const names = Array.from({ length: Number(values.sites) }, (_, index) => String(index + 1));
  await Promise.all(names.map(run));
} finally {
  await server?.stop();
}
const bad = rows.filter((row) => !row.ok);
const total = {
  cells: rows,
  passed: rows.filter((row) => row.ok && row.unreachable === undefined).length,
  failed: bad.length,
  failures: bad.map((row) => `${nameOf(row)}: ${row.problems.join("; ")}`),
  unreachable: rows.filter((row) => row.ok && row.unreachable !== undefined).length,
  seconds: (Date.now() - begun) / 1_000,
};
if (values.json) process.stdout.write(`${JSON.stringify(total)}\n`);
else {
  const { passed, failed, unreachable: unreached, seconds } = total;
  process.stdout.write(
    `${String(passed)} passed, ${String(failed)} failed, ${String(unreached)} unreachable, ${String(Math.round(seconds))} s\n`,
  );
}
process.exitCode = total.failed === 0 && rows.length === wanted.length ? 0 : 1;
endProcess();

async function run(name: string): Promise<void> {
  const site = await openSite(given ?? server?.adminUrl ?? "", name, "built");
  try {
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      const played = await next(site);
      rows.push(...played);
      for (const row of played) if (!values.json || !row.ok) tell(row);
    }
  } finally {
    await site.close();
  }
}

async function pass(site: Site, cells: readonly Cell[]): Promise<readonly Row[]> {
  const started = Date.now();
  const problems = await passBy(site, cells);
  const seconds = (Date.now() - started) / 1_000 / cells.length;
  return cells.map((cell) => ({
    ...cell,
    ok: problems.length === 0,
    seconds,
    unreachable: unreachable(cell) ?? "",
    problems,
  }));
}

function tell(row: Row): void {
  const verdict = row.ok ? (row.unreachable ?? "ok") : `FAILED: ${row.problems.join("; ")}`;
  process.stderr.write(`${nameOf(row)}: ${verdict} (${row.seconds.toFixed(1)} s)\n`);
}
