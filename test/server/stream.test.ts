/** The live ledger, for readers who come and go. */
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { createTandem, type Tandem } from "../../src/server/tandem.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { databaseKinds, openTestDatabase, type TestDatabase } from "../harness/databases.ts";

describe.runIf(databaseKinds.includes("postgres"))("GET /api/stream", () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let clock: VirtualClock;
  let tandem: Tandem;
  let release: () => void = () => undefined;
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);

  beforeEach(async () => {
    database = await openTestDatabase("postgres");
    await database.sql(SAMPLE_SCHEMA);
    // One connection: whoever holds it decides when the ledger is read.
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    clock = new VirtualClock();
    tandem = await createTandem(sampleConfig(pool), { clock });
    await tandem.migrate();
    process.on("unhandledRejection", note);
  });

  afterEach(async () => {
    process.off("unhandledRejection", note);
    unhandled.length = 0;
    release();
    await tandem.stop();
    await pool.end();
    await database.close();
  });

  /** Opens the stream, and begins a second look that waits for the connection we hold. */
  async function midLook(signal: AbortSignal) {
    const response = await tandem.fetch(new Request("http://localhost/api/stream", { signal }));
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    expect(first).toMatch(/^event: status\n/);
    const held = await pool.connect();
    release = () => {
      release = () => undefined;
      held.release();
    };
    clock.advance(400);
    // So that the look has something to say.
    await database.sql(
      "insert into tandem.accounts (integration, name, credentials) values ('github', 'acme', '{}')",
    );
    return reader;
  }

  async function lookEnds(): Promise<void> {
    await expect.poll(() => [pool.waitingCount, pool.idleCount]).toEqual([0, 1]);
    await new Promise((resolve) => setImmediate(resolve));
  }

  it("is left by a reader in the middle of a look, and nothing fails", async () => {
    const reader = await midLook(new AbortController().signal);
    await reader.cancel();
    release();
    await lookEnds();
    expect(unhandled).toEqual([]);
  });

  it("ends with its request, in the middle of a look as well", async () => {
    const request = new AbortController();
    const reader = await midLook(request.signal);
    request.abort();
    expect((await reader.read()).done).toBe(true);
    release();
    await lookEnds();
    expect(unhandled).toEqual([]);
  });

  it("ends where the database is out of reach, so that the page says it is not live", async () => {
    const reader = await midLook(new AbortController().signal);
    release();
    const said = new TextDecoder().decode((await reader.read()).value);
    expect(said).toMatch(/^event: status\n.*acme/);
    await database.sql("alter table tandem.accounts rename to gone");
    await expect.poll(() => pool.idleCount).toBe(1);
    clock.advance(400);
    expect((await reader.read()).done).toBe(true);
    await database.sql("alter table tandem.gone rename to accounts");
  });
});
