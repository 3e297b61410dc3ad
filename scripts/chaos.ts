/**
 * `npm run chaos -- --json`: faults of database, network and provider amid the work of real processes; see
 * `test/chaos`. `--quick` plays the few that run at every change, `--only NAME` those of that name. It exits
 * with 1 unless nothing is lost, doubled or stuck.
 */
import { parseArgs } from "node:util";
import { openChaosSite } from "../test/chaos/chaos-site.ts";
import { FAULTS } from "../test/chaos/faults.ts";
import { playFault, type Verdict } from "../test/chaos/play-fault.ts";
import { endProcess } from "./end-process.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});
const wanted = FAULTS.filter(
  ({ name, isQuick }) => name.includes(values.only) && (isQuick || !values.quick),
);
const faults: Verdict[] = [];
// A server that was failed over is not the one that it was: each of these faults has a site of its own.
const together = wanted.filter(({ replication }) => replication === undefined);
const alone = wanted.filter(({ replication }) => replication !== undefined).map((fault) => [fault]);
for (const group of [together, ...alone].filter(({ length }) => length > 0)) {
  const site = await openChaosSite(group[0]?.replication ?? null);
  try {
    for (const [round, fault] of group.entries()) {
      const verdict = await playFault(site, fault, round + 1);
      faults.push(verdict);
      process.stderr.write(`${JSON.stringify(verdict)}\n`);
    }
  } finally {
    await site.close();
  }
}
const failures = faults.filter(({ ok }) => !ok).map((verdict) => JSON.stringify(verdict));
const passed = faults.length - failures.length;
const failed = wanted.length - passed;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ passed, failed, failures, faults })}\n`
    : `${String(passed)} passed, ${String(failed)} failed\n`,
);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
endProcess();
