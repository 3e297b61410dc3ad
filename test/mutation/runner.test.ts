/** The runner of mutants says what is so, whatever was run before. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const MISSED = {
  ran: true,
  failed: {
    test: "row 4: a later one is known ignores an older event, for the event that moved the clock",
    file: "test/engine/admission/admit.test.ts",
  },
};
const NOT_MISSED = { ran: true, failed: null };

it("judges each rule on the code without it, and by nothing that was run before", async () => {
  // The environment of this run's processes must not reach the Vitests that they start.
  const env = { PATH: process.env.PATH, TANDEM_TEST_DATABASES: "pglite" };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "jiti/register", "test/mutation/probe.ts"],
    { env },
  );
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
    whole: NOT_MISSED,
    missed: MISSED,
    unmissed: NOT_MISSED,
    // A loop that nothing interrupts: its process is ended, and the next run is none the worse.
    endless: MISSED,
    "whole again": NOT_MISSED,
    "missed again": MISSED,
    // The rule is no longer where it was: nothing is run, so nothing has missed it.
    "not there": { ran: false, failed: null },
    "whole at last": NOT_MISSED,
    "fails alone": { ran: false, failed: null },
    "named as such": [{ test: "needs the test before it", file: "test/mutation/in-order.test.ts" }],
    controlled: MISSED,
  });
}, 240_000);
