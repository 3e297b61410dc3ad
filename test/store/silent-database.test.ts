/** Situation 65 at the driver: no wait for a silent Postgres is without end, and none is met twice. */
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConnectionLostError, type Database } from "../../src/store/database/database.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { databaseKinds, openTestDatabase, type TestDatabase } from "../harness/databases.ts";
import { type FaultProxy, openFaultProxy } from "../harness/fault-proxy.ts";

const BRIEFLY = { connectMillis: 1_000, answerMillis: 1_000 };

describe.runIf(databaseKinds.includes("postgres"))("a Postgres that falls silent", () => {
  let server: TestDatabase;
  let proxy: FaultProxy;
  let url: string;
  const opened: Database[] = [];

  beforeEach(async () => {
    server = await openTestDatabase("postgres");
    await server.sql("create table notes (text text)");
    const direct = new URL(server.url ?? "");
    proxy = await openFaultProxy(Number(direct.port));
    direct.port = String(proxy.port);
    url = direct.href;
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
    await proxy.close();
    await server.close();
  });

  function open(source: string | pg.Pool = url): Database {
    const database = pgDatabase(source, BRIEFLY);
    opened.push(database);
    return database;
  }
  const askAll = (database: Database) =>
    Promise.all(Array.from({ length: 5 }, () => database.query("select pg_sleep(0.05)")));

  it("in mid statement: it fails as a lost connection, and no idle one is trusted afterwards", async () => {
    const database = open();
    await askAll(database);
    proxy.silence();
    await expect(database.query("select 1")).rejects.toBeInstanceOf(ConnectionLostError);
    proxy.forget();
    await askAll(database);
  });

  it("in a transaction: it was rolled back, and its locks do not outlive it", async () => {
    const database = open();
    const writing = database.transaction(async (tx) => {
      await tx.query("insert into notes values ('lost')");
      proxy.silence();
      await tx.query("insert into notes values ('never heard of')");
    });
    await expect(writing).rejects.toMatchObject({ outcome: "rolled_back" });
    proxy.forget();
    await database.query("insert into notes values ('kept')");
    expect(await server.sql("select text from notes")).toEqual([{ text: "kept" }]);
  });

  it("at the commit: nobody knows what became of it", async () => {
    const database = open();
    const writing = database.transaction(async (tx) => {
      await tx.query("insert into notes values ('perhaps')");
      proxy.silence();
    });
    await expect(writing).rejects.toMatchObject({ outcome: "unknown" });
    proxy.forget();
  });

  it("while it is connected to: there is no connection, in time", async () => {
    const database = open();
    proxy.silence();
    await expect(database.query("select 1")).rejects.toMatchObject({ code: "08001" });
    proxy.heal();
    expect((await database.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("to an app's own pool, which waits for ever by itself", async () => {
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    const database = open(pool);
    await database.query("select 1");
    proxy.silence();
    const writing = database.transaction((tx) => tx.query("insert into notes values ('lost')"));
    await expect(writing).rejects.toMatchObject({ outcome: "rolled_back" });
    await expect(database.query("select 1")).rejects.toMatchObject({ code: "08001" });
    proxy.forget();
    expect((await database.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  it("to one that listens: its heartbeat finds out, and it listens again", async () => {
    const database = open();
    const said: string[] = [];
    const stop = await database.listen("news", (what) => void said.push(what));
    await server.sql("notify news, 'first'");
    await expect.poll(() => said, { timeout: 10_000 }).toEqual(["first"]);
    proxy.silence();
    proxy.forget();
    // Without a word: something may have been missed.
    await expect.poll(() => said, { timeout: 20_000 }).toEqual(["first", ""]);
    await server.sql("notify news, 'second'");
    await expect.poll(() => said, { timeout: 10_000 }).toEqual(["first", "", "second"]);
    proxy.silence();
    await stop();
  });

  it("to one that is told to stop while it listens again: no connection is left behind", async () => {
    const stop = await open().listen("news", () => undefined);
    proxy.reset();
    proxy.silence();
    await expect.poll(() => proxy.connections(), { timeout: 10_000 }).toBe(1);
    await stop();
    proxy.heal();
    await expect.poll(() => proxy.connections(), { timeout: 10_000 }).toBe(0);
  });

  it("a query that takes long by its nature is waited for", async () => {
    const database = open();
    await expect(database.query("select pg_sleep(3)")).rejects.toThrow();
    await database.patient.transaction((tx) => tx.query("select pg_sleep(1.5)"));
    await database.script("select pg_sleep(1.5)");
  });
});
