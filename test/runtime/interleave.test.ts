/** Overlapping transactions: the machine tells a seed the same way twice, and its histories hold. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { type GatedPool, openGatedPool } from "../../src/testing/interleave/gated-pool.ts";
import { type Interleave, openInterleave } from "../../src/testing/interleave/interleave.ts";
import { databaseKinds, openTestDatabase, type TestDatabase } from "../harness/databases.ts";

const SEEDS = [1, 10];
/** Shrunk from seed 1: a comment is drained while its task's lane, of another drain, is not committed yet. */
const CHILD_OF_UNCOMMITTED_PARENT = ["1", "9", "14", "17", "17.1", "14.1", "9.14"];

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
      // At least one actor writes between the begin and the commit of another.
      expect(new Set(trace.map(({ actor }) => actor)).size).toBeGreaterThan(2);
    }
  }, 120_000);

  it("make a lane for a child whose parent's lane is not committed yet", async () => {
    const { verdict, trace } = await tell(1, CHILD_OF_UNCOMMITTED_PARENT);
    expect(trace.filter(({ paused }) => paused).map(({ actor }) => actor)).toEqual([
      "writer 1",
      "cleo",
      "bob",
    ]);
    expect(verdict.unpaired).toEqual([]);
  }, 120_000);

  it("are the same for each telling of a seed, and when all of its parts are asked for", async () => {
    const first = await tell(10);
    const second = await tell(10);
    expect(second.trace).toEqual(first.trace);
    expect(second.story).toEqual(first.story);
    const parts = await tell(10, first.parts);
    expect(parts.trace).toEqual(first.trace);
  }, 120_000);
});
