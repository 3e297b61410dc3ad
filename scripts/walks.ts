/**
 * `npm run walks`: the files and functions that one edit executes on its way to the other side.
 *
 * V8 counts them between the paired task and the settled edit, on PGlite with GitHub's simulator in process. Functions
 * without a name count for their file only.
 */
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import { sampleConfig } from "../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../src/demo/sample-schema.ts";
import { createTestTandem, TEST_REPOSITORY, type TestTandem } from "../src/testing/test-tandem.ts";

const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));
const COUNTED = /^(?:model|engine|runtime|store|integrations|server)\//;

interface Walk {
  readonly files: number;
  readonly functions: number;
  readonly names: readonly string[];
}

interface Edit {
  readonly name: string;
  readonly make: (tandem: TestTandem, database: PGlite) => Promise<void>;
  /** The last event that the edit makes. */
  readonly ends: { readonly direction: string; readonly reason: string };
}

const EDITS: readonly Edit[] = [
  {
    name: "webhook to row",
    make: ({ github }) => {
      github.as("mona").editIssue(TEST_REPOSITORY, 1, { title: "Edited at GitHub" });
      return Promise.resolve();
    },
    ends: { direction: "inbound", reason: "updated_record" },
  },
  {
    name: "SQL update to PATCH and echo",
    make: async (_, database) => {
      await database.query(
        "update tasks set title = 'Edited here', modified_at = tandem.now() where id = 1",
      );
    },
    ends: { direction: "inbound", reason: "same_content" },
  },
];

async function measure({ name, make, ends }: Edit): Promise<Walk> {
  const database = await PGlite.create();
  await database.exec(SAMPLE_SCHEMA);
  await database.exec("insert into projects (name) values ('Site')");
  await database.exec("insert into users (name, github_login) values ('Mona', 'mona')");
  const tandem = await createTestTandem({
    config: sampleConfig(database),
    sql: async (text, params) => (await database.query(text, params)).rows,
    takesIn: () => "walks",
  });
  tandem.github.as("mona").openIssue(TEST_REPOSITORY, { title: "An issue" });
  await tandem.settle();
  await tandem.advance(60_000);
  await tandem.settle();

  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await make(tandem, database);
  await tandem.advance(2_000);
  await tandem.settle();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  session.disconnect();

  const { rows } = await database.query<{ direction: string; reason: string }>(
    "select direction, reason from tandem.events order by id desc limit 1",
  );
  await tandem.close();
  await database.close();
  const [last] = rows;
  if (last?.direction !== ends.direction || last.reason !== ends.reason) {
    throw new Error(`The edit "${name}" ended as ${JSON.stringify(last)}.`);
  }
  const files = new Set<string>();
  const names = new Set<string>();
  for (const { url, functions } of result) {
    const file = url.startsWith("file:") ? fileURLToPath(url) : url;
    const path = file.startsWith(SOURCES) ? file.slice(SOURCES.length) : "";
    if (!COUNTED.test(path)) continue;
    for (const { functionName, ranges } of functions) {
      if ((ranges[0]?.count ?? 0) === 0) continue;
      files.add(path);
      if (functionName !== "") names.add(`${path} ${functionName}`);
    }
  }
  return { files: files.size, functions: names.size, names: [...names].sort() };
}

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, list: { type: "boolean", default: false } },
});
const walks: Record<string, Walk> = {};
for (const edit of EDITS) walks[edit.name] = await measure(edit);
if (values.json) {
  process.stdout.write(`${JSON.stringify(walks, null, 2)}\n`);
} else {
  for (const [name, { files, functions, names }] of Object.entries(walks)) {
    process.stdout.write(`${name}: ${String(files)} files, ${String(functions)} functions\n`);
    if (values.list) process.stdout.write(names.map((one) => `  ${one}\n`).join(""));
  }
}
