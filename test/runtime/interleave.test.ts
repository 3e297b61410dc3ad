/** Overlapping transactions: the machine tells a seed the same way twice, and its histories hold. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { type GatedPool, openGatedPool } from "../../src/testing/interleave/gated-pool.ts";
import { type Interleave, openInterleave } from "../../src/testing/interleave/interleave.ts";
import { databaseKinds, openTestDatabase, type TestDatabase } from "../harness/databases.ts";

/** Seeds that find a rule taken out, as the mutants show. */
const SEEDS = [10, 12];

describe.runIf(databaseKinds.includes("postgres"))("interleaved histories", () => {
  let database: TestDatabase;
  let gated: GatedPool;
  let tell: Interleave;
  beforeEach(async () => {
    database = await openTestDatabase("postgres");
    gated = await openGatedPool(database.url ?? "");
    tell = await openInterleave({
      gated,
      sql: (text, params) => database.sql(text, params),
      configure: (pool) => sampleConfig(pool),
      schema: SAMPLE_SCHEMA,
    });
  });
  afterEach(async () => {
    await gated.close();
    await database.close();
  });

  it("hold, though the transactions of workers and people overlap", async () => {
    for (const seed of SEEDS) {
      const { converged, verdict, trace } = await tell(seed);
      expect({ seed, verdict, converged }).toMatchObject({ converged: true });
      // Somebody writes between the begin and the commit of somebody else.
      const actors = trace.map((line) => line.slice(0, line.indexOf(":")));
      expect(new Set(actors).size).toBeGreaterThan(2);
    }
  }, 120_000);

  it("are the same for each telling of a seed", async () => {
    const first = await tell(10);
    const second = await tell(10);
    expect(second.trace).toEqual(first.trace);
    expect(second.story).toEqual(first.story);
  }, 120_000);
});
