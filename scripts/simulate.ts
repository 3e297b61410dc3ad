/**
 * `npm run simulate -- --seeds 200 --json`: histories with every fault on. It exits with 1 unless
 * all converge with nothing lost, doubled or stuck. `--seed 17` runs one and prints its story.
 */
import { parseArgs } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import { sampleConfig } from "../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../src/demo/sample-schema.ts";
import type { Sql } from "../src/testing/simulation/edits.ts";
import { simulate, type SimulationResult } from "../src/testing/simulation/simulate.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "40" },
    json: { type: "boolean", default: false },
  },
});

const db = await PGlite.create("memory://");
const sql: Sql = async <T>(text: string, params?: unknown[]) =>
  (await db.query<T>(text, params)).rows;
await db.exec(SAMPLE_SCHEMA);
await db.exec(`
  create table simulation_shown (value text);
  create function simulation_show() returns trigger language plpgsql as $$
  begin
    if tg_table_name = 'tasks' then insert into simulation_shown values (new.title); end if;
    insert into simulation_shown values (new.markdown);
    return null;
  end $$;
  create trigger shown after insert or update on tasks
    for each row execute function simulation_show();
  create trigger shown after insert or update on comments
    for each row execute function simulation_show();
`);

async function prepare(): Promise<void> {
  const [installed] = await sql<{ installed: boolean }>(
    "select to_regclass('tandem.lanes') is not null as installed",
  );
  if (installed?.installed === true) {
    await db.exec(`truncate tandem.accounts, tandem.connections, tandem.deliveries, tandem.lanes,
      tandem.integration_records, tandem.events_live, tandem.events_ended, tandem.changes
      restart identity cascade`);
  }
  await db.exec("truncate tasks, comments, users, projects restart identity cascade");
  if (installed?.installed === true) await db.exec("truncate tandem.changes");
  await db.exec("insert into projects (name) values ('Site')");
  await db.exec("insert into users (name, github_login) values ('Mona', 'mona')");
}

const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const results: SimulationResult[] = [];
for (let seed = first; seed < first + count; seed += 1) {
  const result = await simulate({
    seed,
    sql,
    // Every pairing is typed by its own integration; the runtime takes them all alike.
    config: sampleConfig(db),
    prepare,
    steps: Number(values.steps),
  });
  results.push(result);
  if (!result.converged || values.seed !== undefined) tell(result);
}
const total = {
  seeds: results.length,
  converged: results.filter((result) => result.converged).length,
  edits: sum((result) => result.edits),
  lostEdits: sum((result) => result.lost.length),
  duplicates: sum((result) => result.duplicates.length),
  stuck: sum((result) => result.stuck.length),
  apiCalls: sum((result) => result.apiCalls),
};
process.stdout.write(
  values.json
    ? `${JSON.stringify(total)}\n`
    : `${String(total.converged)} of ${String(total.seeds)} histories converged; ${JSON.stringify(total)}\n`,
);
await db.close();
process.exitCode = total.converged === total.seeds ? 0 : 1;

function sum(of: (result: SimulationResult) => number): number {
  return results.reduce((all, result) => all + of(result), 0);
}

function tell(result: SimulationResult): void {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(`seed ${String(result.seed)}: ${result.converged ? "converged" : "DID NOT CONVERGE"}`);
  if (values.seed !== undefined) for (const line of result.story) say(`  ${line}`);
  for (const line of result.differing) say(`  differs: ${line}`);
  for (const line of result.lost) say(`  lost: ${line}`);
  for (const line of result.duplicates) say(`  double: ${line}`);
  for (const line of result.stuck) say(`  stuck: ${line}`);
  if (!result.converged) {
    say(`  again, with its story: npm run simulate -- --seed ${String(result.seed)}`);
  }
}
