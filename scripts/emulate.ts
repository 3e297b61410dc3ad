/**
 * `npm run emulate -- --json`: Tandem with a GitHub from another author (npm `emulate`), in both directions, by
 * webhooks and by polling; see `test/outside`. `--only polling` plays the stories with that name.
 */
import { parseArgs } from "node:util";
import { textOf } from "../src/store/database/database-trouble.ts";
import { STORIES } from "../test/outside/emulate-stories.ts";
import { startEmulatedGitHub } from "../test/outside/emulated-github.ts";
import { endProcess } from "./end-process.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, only: { type: "string", default: "" } },
});
const wanted = STORIES.filter(({ name }) => name.includes(values.only));
const failures: string[] = [];
const github = await startEmulatedGitHub(wanted.map(({ repository }) => repository));
try {
  for (const story of wanted) {
    const begun = Date.now();
    try {
      await story.play(github);
      tell(`${story.name}: ok`, begun);
    } catch (error) {
      failures.push(`${story.name}: ${textOf(error)}`);
      tell(`${story.name}: FAILED: ${textOf(error)}`, begun);
    }
  }
} finally {
  await github.stop();
}
const passed = wanted.length - failures.length;
const failed = failures.length;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ passed, failed, failures })}\n`
    : `${String(passed)} passed, ${String(failed)} failed\n`,
);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
endProcess();

function tell(line: string, begun: number): void {
  process.stderr.write(`${line} (${((Date.now() - begun) / 1_000).toFixed(1)} s)\n`);
}
