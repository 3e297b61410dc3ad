/** The live ledger, for readers who come and go. */
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SAMPLE_SCHEMA } from "../../../src/demo/sample-schema.ts";
import { sampleConfig } from "../../../src/demo/sample-config.ts";
import type { ApiStatus } from "../../../src/server/protocol/api-types.ts";
import { type Log, silentLog } from "../../../src/runtime/services/log.ts";
import { createLedgerFeed } from "../../../src/server/api/ledger-feed.ts";
import { createTandem, type Tandem } from "../../../src/server/tandem.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { databaseKinds, openTestDatabase, type TestDatabase } from "../../harness/databases.ts";

const noEnd = () => new AbortController().signal;
let told = 0;
/** A status that is another at each look. */
const statusOfNothing = () =>
  Promise.resolve({ now: "", version: String((told += 1)) } as unknown as ApiStatus);

describe.runIf(databaseKinds.includes("postgres"))("GET /api/stream", () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let clock: VirtualClock;
  let tandem: Tandem;
  let release: () => void = () => undefined;
  const unhandled: unknown[] = [];
  const warned: object[] = [];
  const note = (reason: unknown) => unhandled.push(reason);

  beforeEach(async () => {
    database = await openTestDatabase("postgres");
    await database.sql(SAMPLE_SCHEMA);
    // One connection: whoever holds it decides when the ledger is read.
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    clock = new VirtualClock();
    warned.length = 0;
    const log: Log = { ...silentLog, warn: (details) => warned.push(details) };
    tandem = await createTandem(sampleConfig(pool), { clock, authorize: () => true, log });
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

  it("is one look for many readers, each with all that is in sight first", async () => {
    await midLook(new AbortController().signal);
    release();
    await lookEnds();
    let asked = 0;
    const count = () => (asked += 1);
    pool.on("acquire", count);
    for (let reader = 0; reader < 20; reader += 1) {
      const response = await tandem.fetch(new Request("http://localhost/api/stream"));
      const body = (response.body as ReadableStream<Uint8Array>).getReader();
      const first = new TextDecoder().decode((await body.read()).value);
      expect(first).toMatch(/^event: status\n.*acme/);
    }
    expect(asked).toBe(0);
    clock.advance(400);
    await lookEnds();
    pool.off("acquire", count);
    // A look takes as many as one reader's did.
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(20);
  });

  it("is refused beyond so many, and served again once one has left", async () => {
    const feed = createLedgerFeed(tandem, statusOfNothing, 2);
    const streams = [await feed.open(noEnd()), await feed.open(noEnd())];
    const refused = await feed.open(noEnd());
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toEqual({
      error: {
        code: "too_many_streams",
        message: "2 streams of the ledger are open, and that is the limit",
        hint: expect.stringContaining("the page reconnects automatically") as string,
      },
    });
    await streams[0]?.body?.cancel();
    expect((await feed.open(noEnd())).status).toBe(200);
  });

  it("looks for logins that have ended every ten seconds, and only where a stream is of one", async () => {
    let asked = 0;
    const count = () => (asked += 1);
    const feed = createLedgerFeed(tandem, statusOfNothing);
    const open = async (session: string | null) => {
      const { body } = await feed.open(noEnd(), session);
      const reader = (body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      return reader;
    };
    /** The look after so long: how often it asks the database, and whether it ends the stream. */
    const look = async (reader: Awaited<ReturnType<typeof open>>, millis: number) => {
      await expect.poll(() => clock.nextTimer()).not.toBeNull();
      const before = asked;
      clock.advance(millis);
      const { done } = await reader.read();
      return { asked: asked - before, done };
    };
    pool.on("acquire", count);
    const byToken = await open(null);
    expect(await look(byToken, 400)).toEqual({ asked: 1, done: false });
    expect(await look(byToken, 9_600)).toEqual({ asked: 1, done: false });

    const byLogin = await open("0".repeat(32));
    expect(await look(byLogin, 400)).toEqual({ asked: 2, done: true });
    const another = await open("1".repeat(32));
    expect(await look(another, 9_600)).toEqual({ asked: 1, done: false });
    expect(await look(another, 400)).toEqual({ asked: 2, done: true });
    pool.off("acquire", count);
  });

  it("lets go of a reader that takes nothing, and of none that reads", async () => {
    const feed = createLedgerFeed(tandem, statusOfNothing, 2);
    const stuck = await feed.open(noEnd());
    const reading = (await feed.open(noEnd())).body?.getReader();
    await reading?.read();
    const lookAfter = async (millis: number) => {
      const next = reading?.read();
      await expect.poll(() => clock.nextTimer()).not.toBeNull();
      clock.advance(millis);
      await next;
    };
    await lookAfter(400);
    await lookAfter(9_600);
    // Ten seconds are not too long.
    expect((await feed.open(noEnd())).status).toBe(503);
    await lookAfter(400);
    // The one place is free again, and the other is not.
    expect((await feed.open(noEnd())).status).toBe(200);
    expect((await feed.open(noEnd())).status).toBe(503);
    expect(stuck.bodyUsed).toBe(false);
  });

  it("says something every fifteen seconds, though nothing happens, so that no proxy ends it", async () => {
    const still = () => Promise.resolve({ now: "", version: "1" } as unknown as ApiStatus);
    const { body } = await createLedgerFeed(tandem, still).open(noEnd());
    const said: string[] = [];
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const listen = async (): Promise<void> => {
      const { done, value } = await reader.read();
      if (done) return;
      said.push(new TextDecoder().decode(value));
      await listen();
    };
    const listening = listen();
    await expect.poll(() => said.length).toBe(1);
    const lookAfter = async (millis: number) => {
      await expect.poll(() => clock.nextTimer()).not.toBeNull();
      clock.advance(millis);
      await expect.poll(() => clock.nextTimer()).not.toBeNull();
    };
    await lookAfter(14_600);
    expect(said.slice(1)).toEqual([]);
    await lookAfter(400);
    await expect.poll(() => said.slice(1)).toEqual([":\n\n"]);
    await lookAfter(14_600);
    expect(said).toHaveLength(2);
    await lookAfter(400);
    await expect.poll(() => said.slice(1)).toEqual([":\n\n", ":\n\n"]);
    await reader.cancel();
    await listening;
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
    expect(JSON.stringify(warned)).toContain("tandem.accounts");
    await database.sql("alter table tandem.gone rename to accounts");
  });
});
