/**
 * `npm run bench:layout`: the physical choices of the schema, each compared with its alternative, on a real
 * Postgres in one run. Times are ratios of medians over interleaved rounds. Bytes of WAL and the share of HOT
 * updates hardly vary between runs. `--json` prints the results for machines.
 *
 * Only the SQL of a choice is compared, without Tandem's rules around it.
 */
import { parseArgs } from "node:util";
import pg from "pg";
import { startPostgres } from "../test/harness/postgres-server.ts";
import { comparisons } from "./layout-comparisons.ts";
import { measure, type Measured } from "./measure.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const server = await startPostgres(undefined);
const client = new pg.Client({ connectionString: server.adminUrl });
await client.connect();
const results: Measured[] = [];
try {
  for (const comparison of comparisons) {
    if (values.only !== undefined && comparison.id !== values.only) continue;
    const measured = await measure(client, comparison, Number(values.rounds));
    results.push(measured);
    if (!values.json) print(measured);
  }
} finally {
  await client.end();
  await server.stop();
}
if (values.json) process.stdout.write(`${JSON.stringify({ postgres: server.version, results })}\n`);

function print({ id, question, sides, ratio }: Measured): void {
  const lines = sides.map(
    ({ name, millis, walBytes, hotShare }, index) =>
      `  ${index === 0 ? "chosen " : "instead"}  ${name.padEnd(46)} ${millis.toFixed(3).padStart(8)} ms` +
      `  ${String(Math.round(walBytes)).padStart(7)} B of WAL` +
      `  ${hotShare === null ? "" : `${(hotShare * 100).toFixed(0)} % HOT`}`,
  );
  const summary = `  instead / chosen: time ${ratio.millis.toFixed(2)} (${ratio.spread}), WAL ${ratio.walBytes.toFixed(2)}`;
  process.stdout.write(`${[`${id}: ${question}`, ...lines, summary].join("\n")}\n\n`);
}
