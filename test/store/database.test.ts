/** The driver seam: `pg` and PGlite look the same behind it, and lost connections are told. */
import { once } from "node:events";
import { openAsBlob } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { describe, expect, inject, it, vi } from "vitest";
import {
  AbortedTransactionError,
  ConnectionLostError,
  type Database,
  mayPass,
  NoConnectionError,
  type Queryable,
} from "../../src/store/database/database.ts";
import { describeTrouble } from "../../src/store/database/database-trouble.ts";
import {
  describeError as tellFailure,
  isDatabaseTrouble,
} from "../../src/runtime/failures/failures.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { pgliteDatabase } from "../../src/store/postgres/driver/pglite-database.ts";
import { allOf, tell } from "../../src/store/database/pipeline.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

const VALUES = `
      select
        9007199254740993::bigint as big,
        1.10::numeric as exact,
        'infinity'::float8 as endless,
        7::integer as whole,
        true as yes,
        null::text as nothing,
        '{"a": [1, null]}'::jsonb as doc,
        '2026-03-01 12:00:00.123456'::timestamp as wall,
        '2026-03-01'::date as day,
        '1 day'::interval as span,
        '(1,2)'::point as place,
        '\\x00ff'::bytea as bytes,
        array[9007199254740993] as bigs,
        array[1.10, null] as exacts,
        array[[1, 2], [3, 4]] as grid,
        array['a,b', 'NULL', '', null] as words,
        array['2026-03-01'::date] as days,
        array['{"a": 1}'::jsonb] as docs,
        array[true, false] as answers,
        '{}'::text[] as none`;

const READ = {
  big: "9007199254740993",
  exact: "1.10",
  endless: Infinity,
  whole: 7,
  yes: true,
  nothing: null,
  doc: { a: [1, null] },
  wall: "2026-03-01 12:00:00.123456",
  day: "2026-03-01",
  span: "1 day",
  place: "(1,2)",
  bytes: new Uint8Array([0, 255]),
  bigs: ["9007199254740993"],
  exacts: ["1.10", null],
  grid: [
    [1, 2],
    [3, 4],
  ],
  words: ["a,b", "NULL", "", null],
  days: ["2026-03-01"],
  docs: [{ a: 1 }],
  answers: [true, false],
  none: [],
};

describeOnEachEmptyDatabase("a database", (open, kind) => {
  const connected = async () => connectTo(await open());

  it("gives values back the same, whatever the driver", async () => {
    expect(await (await connected()).query(VALUES)).toMatchObject({ rows: [READ] });
  });

  it.runIf(kind === "pglite")(
    "also those of a PGlite that is the app's, which reads its own as before",
    async () => {
      const dump = inject("pgliteDataDir");
      const own = await PGlite.create({ loadDataDir: await openAsBlob(dump ?? "") });
      try {
        expect(await (await pgliteDatabase(own)).query(VALUES)).toMatchObject({ rows: [READ] });
        const { rows } = await own.query("select 7::bigint as seven, array[7::bigint] as sevens");
        expect(rows).toEqual([{ seven: 7, sevens: [7] }]);
      } finally {
        await own.close();
      }
    },
  );

  it("takes text for a value of any type, and bytes as they are", async () => {
    const database = await connected();
    const { rows } = await database.query(
      `select
         $1::bigint as a, $2::boolean as b, $3::jsonb as c, $4::text[] as d, $5::bytea as e,
         $6::timestamptz = '2026-03-01 12:00Z' as f, $7::text[] as g, $8::bytea as h`,
      [
        ...["1", "true", '{"a":1}', '{x,"y,z"}', "\\x00", "2026-03-01T12:00:00.000000Z"],
        ["p", "q,r"],
        new Uint8Array([1, 255]),
      ],
    );
    expect(rows).toEqual([
      {
        a: "1",
        b: true,
        c: { a: 1 },
        d: ["x", "y,z"],
        e: new Uint8Array([0]),
        f: true,
        g: ["p", "q,r"],
        h: new Uint8Array([1, 255]),
      },
    ]);
  });

  it("counts the rows it returned or touched", async () => {
    const database = await connected();
    await database.script("create table things (id integer); insert into things values (1), (2)");
    expect((await database.query("select from things")).count).toBe(2);
    expect((await database.query("update things set id = id + 1")).count).toBe(2);
    expect((await database.query("delete from things where id = $1", ["3"])).count).toBe(1);
    expect((await database.query("delete from things where false returning id")).count).toBe(0);
  });

  it("tells when work swallowed an error and nothing was committed", async () => {
    const database = await connected();
    await database.script("create table things (id integer)");
    const swallowing = database.transaction(async (tx) => {
      await tx.query("insert into things values (1)");
      await tx.query("select 1 / 0").catch(() => undefined);
    });
    await expect(swallowing).rejects.toBeInstanceOf(AbortedTransactionError);
    expect((await database.query("select * from things")).rows).toEqual([]);
  });

  it.skipIf(kind === "pglite")(
    "tells so too where a last statement goes with the commit, and what that statement failed at",
    async () => {
      const database = await connected();
      const told: unknown[] = [];
      const endWith = (text: string, work: (tx: Queryable) => Promise<unknown>) =>
        database.transaction(work, undefined, undefined, () => ({
          text,
          told: (row) => void told.push(row),
        }));
      const swallowing = (tx: Queryable) => tx.query("select 1 / 0").catch(() => undefined);

      await expect(endWith("select 1 as one", swallowing)).rejects.toBeInstanceOf(
        AbortedTransactionError,
      );
      const sound = (tx: Queryable) => tx.query("select");
      await expect(endWith("select 1 / 0", sound)).rejects.toMatchObject({ code: "22012" });
      expect(told).toEqual([]);
      await endWith("select 1 as one", sound);
      expect(told).toEqual([{ one: 1 }]);
    },
  );

  it("keeps one transaction's work from another's until it commits", async () => {
    const database = await connected();
    await database.script("create table things (id integer)");
    await Promise.all(
      [1, 2, 3, 4].map((id) =>
        database.transaction(async (tx) => {
          await tx.query("insert into things values ($1)", [id]);
          const { rows } = await tx.query("select * from things where id = $1", [id]);
          expect(rows).toEqual([{ id }]);
        }),
      ),
    );
    expect((await database.query("select * from things")).count).toBe(4);
  });

  /** Statements that nobody waits between. */
  async function sendTogether(database: Database): Promise<void> {
    await database.script("create table things (id integer primary key, says text)");
    const seen = await database.transaction(async (tx) => {
      tell(tx, "select set_config('tandem.said', 'me', true)");
      const [, { rows }] = await allOf(
        tx.query("insert into things values (1, current_setting('tandem.said'))"),
        tx.query("select * from things"),
      );
      tell(tx, "insert into things values (2, 'last')");
      return rows;
    });
    expect(seen).toEqual([{ id: 1, says: "me" }]);
    const failing = database.transaction((tx) =>
      allOf(
        tx.query("insert into things values (3, 'lost')"),
        tx.query("insert into things values (1, 'doubled')"),
        tx.query("select * from things"),
      ),
    );
    await expect(failing).rejects.toMatchObject({ code: "23505" });
    const { rows } = await database.query("select id from things order by id");
    expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
  }

  it("carries out in their order what is sent together, and tells what failed first", async () => {
    await sendTogether(await connected());
  });

  it.skipIf(kind === "pglite")("does so through a pool that it was given, too", async () => {
    const { url } = await open();
    const pool = new pg.Pool({ connectionString: url ?? "" });
    pool.on("error", () => undefined);
    // The driver warns of those who send without waiting where that was not asked for.
    const warned = vi.spyOn(process, "emitWarning");
    await sendTogether(pgDatabase(pool));
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
    await pool.end();
  });

  it.skipIf(kind === "pglite")(
    "still hears of a server's end while the last connections of its own pool end",
    async () => {
      const { url } = await open();
      const ended = vi.spyOn(pg.Pool.prototype, "end");
      const database = pgDatabase(url ?? "");
      await database.query("select");
      await database.close();
      expect(ended.mock.contexts.map((pool) => (pool as pg.Pool).listenerCount("error"))).toEqual([
        1,
      ]);
      ended.mockRestore();
    },
  );

  it.skipIf(kind === "pglite")(
    "listens once to a pool that many share, and then no more",
    async () => {
      const { url } = await open();
      const pool = new pg.Pool({ connectionString: url ?? "", max: 1 });
      pool.on("error", () => undefined);
      const listening = () =>
        ["error", "acquire", "release"].map((name) => pool.listenerCount(name));
      const before = listening();
      const warned = vi.spyOn(process, "emitWarning");
      const sharing = Array.from({ length: 12 }, () => pgDatabase(pool));
      const [first] = sharing;
      for (const database of sharing) await database.query("select");
      expect(listening()).toEqual(before.map((count) => count + 1));
      await first?.close();
      await first?.close();
      expect(listening()).toEqual(before.map((count) => count + 1));
      for (const database of sharing) await database.close();
      expect(listening()).toEqual(before);
      // Tandems that come and go one after the other share the pool's connections, too.
      for (let left = 12; left > 0; left -= 1) {
        const database = pgDatabase(pool);
        await database.query("select");
        await database.close();
      }
      const client = await pool.connect();
      // One is the pool's own, and one is ours.
      expect(client.listenerCount("error")).toBeLessThanOrEqual(2);
      client.release();
      expect(warned).not.toHaveBeenCalled();
      warned.mockRestore();
      await pool.end();
    },
  );

  it("closes what it opened, and leaves alone what it was given", async () => {
    const app = await open();
    if (app.url !== undefined) {
      const pool = new pg.Pool({ connectionString: app.url });
      pool.on("error", () => undefined);
      await pgDatabase(pool).close();
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      await pool.end();
      const owned = pgDatabase(app.url);
      await owned.close();
      await expect(owned.query("select 1")).rejects.toThrow();
    }
    if (app.pglite !== undefined) {
      await (await pgliteDatabase(app.pglite)).close();
      expect(app.pglite.closed).toBe(false);
    }
  });

  describe.skipIf(kind === "pglite")("over a network", () => {
    const cutOff = (database: Database) =>
      database.query(
        `select pg_terminate_backend(pid)
         from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );

    it("tells that a transaction was rolled back when its connection broke", async () => {
      const database = await connected();
      const broken = database.transaction(async (tx) => {
        await tx.query("select 1");
        await cutOff(database);
        await tx.query("select 1");
      });
      const error: unknown = await broken.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ConnectionLostError);
      expect(error).toMatchObject({ outcome: "rolled_back" });
      expect(mayPass(error)).toBe(true);
      expect((await database.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    });

    it("does not run a transaction again whose commit may have taken effect", async () => {
      const app = await open();
      const database = pgDatabase(app.url ?? "");
      const store = await postgresStore(database, { random: seededRandom(1) });
      await store.migrate([]);
      let runs = 0;
      const broken = store.transaction(async () => {
        runs += 1;
        // The connection breaks between the work and its commit.
        await cutOff(database);
      });
      await expect(broken).rejects.toMatchObject({
        name: "ConnectionLostError",
        outcome: "unknown",
        message: expect.stringContaining("it may have taken effect") as string,
      });
      expect(runs).toBe(1);
    });

    it("runs a transaction again after a lost connection, a deadlock or a failed serialization", async () => {
      const database = await connected();
      const store = await postgresStore(database, { random: seededRandom(1) });
      await store.migrate([]);
      let runs = 0;
      await store.transaction(async (tx) => {
        runs += 1;
        if (runs === 1) await cutOff(database);
        await tx.changes.take(1);
        if (runs === 2) throw Object.assign(new Error("deadlock"), { code: "40P01" });
        if (runs === 3) throw Object.assign(new Error("serialization"), { code: "40001" });
      });
      expect(runs).toBe(4);
    });

    it("waits for a connection once, and says whether its own were in use or none was given", async () => {
      const silent = createServer(() => undefined).listen(0, "127.0.0.1");
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      const app = await open();
      for (const [connectionString, holds, reason, code] of [
        [app.url, true, "busy", "no_free_connection"],
        [
          `postgres://app@127.0.0.1:${String(port)}/app`,
          false,
          "unreachable",
          "database_unreachable",
        ],
      ] as const) {
        const pool = new pg.Pool({ connectionString, max: 1, connectionTimeoutMillis: 300 });
        const database = pgDatabase(pool);
        const held = holds ? await pool.connect() : null;
        const store = await postgresStore(database, { random: seededRandom(1) });
        const connects = vi.spyOn(pool, "connect");
        const late: unknown = await store
          .transaction((tx) => Promise.resolve(tx.now))
          .catch((thrown: unknown) => thrown);
        expect(connects).toHaveBeenCalledTimes(1);
        expect(late).toBeInstanceOf(NoConnectionError);
        expect(late).toMatchObject({ reason });
        expect(describeTrouble(late)?.code).toBe(code);
        expect(isDatabaseTrouble(late)).toBe(true);
        expect(tellFailure(late)).toMatchObject({ code, hint: describeTrouble(late)?.hint });
        held?.release();
        await pool.end();
      }
      silent.close();
    });
  });
});
