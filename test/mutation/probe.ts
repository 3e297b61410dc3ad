/**
 * Tells what the runner says of a rule that is missed, of one that nobody misses, and of one without
 * which a loop never ends: run by `runner.test.ts`, in a process of its own.
 */
import { type CodeMutant, faultOf } from "./mutant.ts";
import { type Failed, openMutantRunner, type Run } from "./runner.ts";

const file = "src/engine/lane/trust.ts";
const files = ["test/engine/admission/admit.test.ts"];
const names = [
  "row 4: a later one is known ignores an older event, for the event that moved the clock",
];
const find = "event.updatedAt >= clock.at";
const missed: CodeMutant = { id: "missed", rule: "", file, find, replace: "true" };
const unmissed: CodeMutant = { ...missed, id: "unmissed", replace: `(true && ${find})` };
const endless: CodeMutant = { ...missed, id: "endless", replace: "(() => { for (;;); })()" };
const elsewhere: CodeMutant = { ...missed, id: "elsewhere", file: "src/engine/lane/tombstone.ts" };

const runner = await openMutantRunner({ workers: 1 });
const said: Record<string, Run | readonly Failed[] | string> = {};
const note = async (name: string, mutant: CodeMutant | null, millis?: number) => {
  const tests = { files, names, ...(millis === undefined ? {} : { millis }) };
  said[name] = await runner.run(mutant === null ? null : faultOf(mutant), tests).catch(String);
};
await note("whole", null);
await note("missed", missed);
await note("unmissed", unmissed);
await note("endless", endless, 5_000);
await note("whole again", null);
await note("missed again", missed);
await note("not there", elsewhere);
await note("whole at last", null);
await runner.close();

// Alone it fails on any code, so it has not found the mutant.
const controlled = await openMutantRunner({ workers: 1, control: true });
const second = {
  files: ["test/mutation/in-order.test.ts"],
  names: ["needs the test before it"],
};
said["fails alone"] = await controlled.run(faultOf(unmissed), second);
said["named as such"] = controlled.failingAlone();
said.controlled = await controlled.run(faultOf(missed), { files, names });
await controlled.close();
process.stdout.write(`\n${JSON.stringify(said)}\n`);
// A test that fails, as some must, leaves Vitest's word that all of it failed.
process.exit(0);
