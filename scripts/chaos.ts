/**
 * `npm run chaos -- --json`: faults of database, network and provider during the work of real processes; see
 * `test/chaos`. `--quick` plays the few that run at every change, `--only NAME` those with that name. It exits
 * with 1 if anything is lost, doubled or stuck. Faults that this machine cannot have are skipped, with the reason.
 */
import { parseArgs } from "node:util";
import { openChaosSite } from "../test/chaos/chaos-site.ts";
import { FAULTS } from "../test/chaos/faults.ts";
import { playFault, type Verdict } from "../test/chaos/play-fault.ts";
import { UnavailableError } from "../test/chaos/settings.ts";
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
const skipped: { readonly name: string; readonly reason: string }[] = [];
// Each fault that changes the server itself, such as a failover, has a site of its own.
const together = wanted.filter(({ setting }) => setting === undefined);
const alone = wanted.filter(({ setting }) => setting !== undefined).map((fault) => [fault]);
for (const group of [together, ...alone].filter(({ length }) => length > 0)) {
  const site = await openChaosSite(group[0]?.setting ?? "plain").catch((error: unknown) => {
    if (!(error instanceof UnavailableError)) throw error;
    return error;
  });
  if (site instanceof UnavailableError) {
    skipped.push(...group.map(({ name }) => ({ name, reason: site.message })));
    continue;
  }
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
const failed = wanted.length - passed - skipped.length;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ passed, failed, skipped, failures, faults })}\n`
    : `${String(passed)} passed, ${String(failed)} failed, ${String(skipped.length)} skipped\n`,
);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
endProcess();
