/** The databases that a configuration may name. */
import pg from "pg";
import { describe, expect, it } from "vitest";
import {
  openDatabase,
  readDatabaseAddress,
  UnknownDatabaseError,
} from "../../src/store/postgres/driver/open-database.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";

it("a client of another library is refused, and what can be given is said", async () => {
  const refused: unknown = await openDatabase({ query: () => [] }).catch((error: unknown) => error);

  expect(refused).toBeInstanceOf(UnknownDatabaseError);
  expect(refused).toMatchObject({
    message: "the database is neither a pg.Pool nor a PGlite",
    hint: expect.stringContaining('"memory://", a pg.Pool or a PGlite') as string,
  });
});

describe("the address of a database", () => {
  it.each([
    ["postgres://localhost/app", "postgres"],
    ["postgresql://app:secret@db:5433/app?sslmode=require", "postgres"],
    ["postgres://app@/app", "postgres"],
    ["postgres://%2Fvar%2Frun%2Fpostgresql/app", "postgres"],
    ["memory://", "memory"],
    ["./data", "directory"],
    ["postgres/data", "directory"],
    ["C:\\data", "directory"],
  ])("%s is one of kind %s", (address, kind) => {
    expect(readDatabaseAddress(address)).toEqual({ kind, address });
  });

  it.each([
    ["mysql://localhost/app", '"mysql://" is not the URL of a Postgres database'],
    ["http://localhost/app", '"http://" is not the URL of a Postgres database'],
    ["postgres//localhost/app", 'must begin with "postgres://"'],
    ["postgres:/localhost/app", 'must begin with "postgres://"'],
    ["postgresql:localhost/app", 'must begin with "postgres://"'],
    ["POSTGRES//localhost/app", 'must begin with "postgres://"'],
    ["postgres://app:pa#ss@localhost:port/app", "must be percent-encoded"],
    ["", "is empty"],
    [" ", "is empty"],
  ])("%j is refused, and creates no folder", (address, reason) => {
    expect(() => readDatabaseAddress(address)).toThrow(UnknownDatabaseError);
    expect(() => readDatabaseAddress(address)).toThrow(reason);
  });
});

/** Nothing listens there, and nothing connects before a statement is sent. */
const NOWHERE = "postgres://app@127.0.0.1:1/app";

describe("the pool of a URL", () => {
  it.each([NOWHERE, NOWHERE.replace("postgres:", "postgresql:")])(
    "has few connections, which are renewed, watched and pipelined: %s",
    async (url) => {
      const database = await openDatabase(url);
      const pool = database.client as pg.Pool;
      expect(pool.options).toMatchObject({
        connectionString: url,
        max: 10,
        connectionTimeoutMillis: 30_000,
        pipeline: true,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
        maxLifetimeSeconds: 600,
      });
      expect(database.kind).toBe("postgres");
      await database.close();
      expect(pool.ended).toBe(true);
    },
  );

  it("waits for a connection as long as it is asked to", async () => {
    const database = pgDatabase(NOWHERE, { connectMillis: 7, answerMillis: 9 });
    expect((database.client as pg.Pool).options).toMatchObject({ connectionTimeoutMillis: 7 });
    await database.close();
  });
});

describe("a pool of the app", () => {
  it("stays open, and gets a limit for connecting where it has none", async () => {
    const pool = new pg.Pool({ connectionString: NOWHERE });
    const database = await openDatabase(pool);
    expect(database.client).toBe(pool);
    expect(pool.options).toMatchObject({ connectionTimeoutMillis: 30_000 });
    await database.close();
    expect(pool.ended).toBe(false);
    await pool.end();
  });

  it("keeps the limit that the app has set", async () => {
    const pool = new pg.Pool({ connectionString: NOWHERE, connectionTimeoutMillis: 1 });
    const database = await openDatabase(pool);
    expect(pool.options).toMatchObject({ connectionTimeoutMillis: 1 });
    await database.close();
    await pool.end();
  });

  it("is listened to until the last Tandem closes, and no longer", async () => {
    const pool = new pg.Pool({ connectionString: NOWHERE });
    const listeners = () =>
      ["error", "acquire", "release"].map((event) => pool.listenerCount(event));
    const before = listeners();
    const [first, second] = [await openDatabase(pool), await openDatabase(pool)];
    expect(listeners()).toEqual(before.map((count) => count + 1));
    await first.close();
    await first.close();
    expect(listeners()).toEqual(before.map((count) => count + 1));
    await second.close();
    expect(listeners()).toEqual(before);
    await pool.end();
  });
});
