/** A thread that runs histories: it gets batches of seeds and returns their reports. */
import { parentPort, workerData } from "node:worker_threads";
import type { WorldKind } from "../src/testing/simulation/world/places.ts";
import { simulate } from "../src/testing/simulation/simulate.ts";
import { reportOf, type SeedReport } from "./simulation-report.ts";
import { openWorld } from "./simulation-world.ts";

/** The parameters of a thread. */
export interface Assignment {
  readonly database: string;
  readonly kind: WorldKind;
  readonly steps: number;
  readonly twiceEvery: number;
  readonly name: string;
}

/** A range of seeds; `null` ends the thread. */
export type Batch = { readonly from: number; readonly count: number } | null;

const port = parentPort;
if (port === null) throw new Error("this is a worker thread's file: start scripts/simulate.ts");
const { database, kind, steps, twiceEvery, name } = workerData as Assignment;
const { world, close } = await openWorld(database, kind, name);

async function tellOne(seed: number): Promise<SeedReport> {
  const result = await simulate({ seed, world, steps });
  if (seed % twiceEvery !== 0) return reportOf(result, null);
  const again = await simulate({ seed, world, steps });
  if (again.trace === result.trace) return reportOf(result, null);
  const [one, other] = [result, again].map(({ story, ledger }) => [...story, ...ledger]);
  const line = (one ?? []).findIndex((each, index) => each !== other?.[index]);
  const [once, then] = [one?.[line], other?.[line]];
  return reportOf(result, `line ${String(line)}: ${once ?? "(ends)"} | ${then ?? "(ends)"}`);
}

async function tell(batch: Batch): Promise<void> {
  if (batch === null) {
    await close();
    port?.close();
    return;
  }
  const reports: SeedReport[] = [];
  for (let seed = batch.from; seed < batch.from + batch.count; seed += 1) {
    reports.push(
      await tellOne(seed).catch((error: unknown) => {
        throw new Error(`seed ${String(seed)} cannot be run`, { cause: error });
      }),
    );
  }
  port?.postMessage(reports);
}

port.on("message", (batch: Batch) => {
  void tell(batch);
});
port.postMessage([]);
