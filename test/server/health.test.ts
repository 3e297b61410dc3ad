/** The answers that a probe gets about the database. */
import pg from "pg";
import { describe, expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { databaseKinds, openTestDatabase } from "../harness/databases.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";

describe.runIf(databaseKinds.includes("postgres"))("GET /healthz", () => {
  it("waits five seconds for a database that does not answer", async () => {
    const database = await openTestDatabase("postgres");
    await database.sql(SAMPLE_SCHEMA);
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    const clock = new VirtualClock();
    const tandem = await createTandem(sampleConfig(pool), { clock });
    await tandem.migrate();
    const ask = async () => {
      const response = await tandem.fetch(new Request("http://localhost/healthz"));
      return { status: response.status, body: (await response.json()) as unknown };
    };
    expect(await ask()).toEqual({ status: 200, body: { ok: true } });

    const held = await pool.connect();
    let answered = false;
    const start = clock.now();
    const answer = ask().finally(() => {
      answered = true;
    });
    await expect
      .poll(() => {
        if (!answered) clock.advance(500);
        return answered;
      })
      .toBe(true);
    expect(await answer).toMatchObject({ status: 503, body: { error: { code: "database_slow" } } });
    expect(clock.now() - start).toBeGreaterThanOrEqual(5_000_000);
    held.release();
    expect(await ask()).toEqual({ status: 200, body: { ok: true } });

    await tandem.stop();
    await pool.end();
    await database.close();
  });
});
