/** Statements that are asked again and again are kept prepared, and whoever loses one never sees it. */
import { openAsBlob } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { describe, expect, inject, it } from "vitest";
import { type Database, mayPass, type Queryable } from "../../src/store/database/database.ts";
import { StatementLostError } from "../../src/store/postgres/driver/kept-statements.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { pgliteDatabase } from "../../src/store/postgres/driver/pglite-database.ts";
import { allOf, tell } from "../../src/store/database/pipeline.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

const OFTEN = 5;
const SUM = "select $1::integer + 1 as sum";

/** The texts of the statements that a connection keeps, without the one that opens a transaction. */
async function keptBy(connection: Queryable): Promise<readonly string[]> {
  const { rows } = await connection.query<{ statement: string }>(
    `select statement from pg_prepared_statements
     where name <> '' and statement <> 'select' order by prepare_time`,
  );
  return rows.map(({ statement }) => statement);
}

/** Each time in a transaction of its own, as all of Tandem's work is; a pool gives the same connection. */
async function askOften(database: Database, text: string, params: readonly unknown[] = []) {
  for (let time = 0; time < OFTEN; time += 1) {
    await database.transaction((tx) => tx.query(text, params));
  }
}

describeOnEachEmptyDatabase("statements that are asked often", (open, kind) => {
  describe("through connections of Tandem's own", () => {
    const connected = async () => connectTo(await open());

    it("are kept, and say what they said", async () => {
      const database = await connected();
      for (const given of ["1", "2", "3", "4", "5"]) {
        const asked = database.transaction((tx) => tx.query(SUM, [given]));
        expect((await asked).rows).toEqual([{ sum: Number(given) + 1 }]);
      }
      expect(await database.transaction(keptBy)).toEqual([SUM]);
    });

    it("are kept where many are sent together, too", async () => {
      const database = await connected();
      const sums = await database.transaction((tx) =>
        allOf(
          ...Array.from({ length: OFTEN }, (_, index) => tx.query<{ sum: number }>(SUM, [index])),
        ),
      );
      expect(sums.map(({ rows }) => rows[0]?.sum)).toEqual([1, 2, 3, 4, 5]);
    });

    it("are not kept where they are long, or few of each", async () => {
      const database = await connected();
      await askOften(database, `select '${"x".repeat(8_200)}' as text`);
      for (let each = 0; each < 10; each += 1)
        await database.query(`select ${String(each)} as one`);
      expect(await database.transaction(keptBy)).toEqual([]);
    });

    it("are no more than a connection should keep", async () => {
      const database = await connected();
      await database.transaction(async (tx) => {
        for (let each = 0; each < 300; each += 1) {
          for (let time = 0; time < 4; time += 1) await tx.query(`select ${String(each)} as one`);
        }
        expect(await keptBy(tx)).toHaveLength(256);
      });
    });

    it("are prepared again when the transaction is repeated, if the server has lost them", async () => {
      const database = await connected();
      await askOften(database, SUM, ["1"]);
      // A pooler does this when it gives the connection to the next client.
      await database.script("deallocate all");
      const lost: unknown = await database
        .transaction((tx) => tx.query(SUM, ["1"]))
        .catch((error: unknown) => error);
      expect(lost).toBeInstanceOf(StatementLostError);
      expect(lost).toMatchObject({
        message: expect.stringContaining("not there any more") as string,
        cause: expect.objectContaining({ code: "26000" }) as unknown,
      });
      expect(mayPass(lost)).toBe(true);
      await askOften(database, SUM, ["1"]);
      expect(await database.transaction(keptBy)).toEqual([]);
    });

    it.skipIf(kind === "pglite")("are prepared again if their name is taken", async () => {
      const database = await connected();
      await askOften(database, SUM, ["1"]);
      const { rows } = await database.query<{ name: string }>(
        "select name from pg_prepared_statements where name <> ''",
      );
      const second = await connected();
      await second.script(`prepare ${rows[0]?.name ?? ""} as select 1`);
      const sums = [];
      for (let time = 0; time < OFTEN; time += 1) sums.push((await second.query(SUM, ["1"])).rows);
      expect(sums).toEqual(Array.from({ length: OFTEN }, () => [{ sum: 2 }]));
    });

    it("spoil a transaction that did not wait for them, which says so", async () => {
      const database = await connected();
      await askOften(database, SUM, ["1"]);
      await database.script("deallocate all");
      const lost = database.transaction(async (tx) => {
        tell(tx, SUM, ["1"]);
        await tx.query("select 1");
      });
      await expect(lost).rejects.toBeInstanceOf(StatementLostError);
    });

    it("are prepared again where their table has changed", async () => {
      const database = await connected();
      await database.script("create table things (id integer); insert into things values (1)");
      await askOften(database, "select * from things");
      await database.script("alter table things add column says text default 'new'");
      const ask = () => database.transaction((tx) => tx.query("select * from things"));
      await expect(ask()).rejects.toBeInstanceOf(StatementLostError);
      expect((await ask()).rows).toEqual([{ id: 1, says: "new" }]);
      await askOften(database, "select * from things");
      expect(await database.transaction(keptBy)).toEqual(["select * from things"]);
    });

    it("ask twice on their own where their table has changed, and nobody sees it", async () => {
      const database = await connected();
      await database.script("create table things (id integer); insert into things values (1)");
      await askOften(database, "select * from things");
      await database.script("alter table things add column says text default 'new'");
      const whole = [{ id: 1, says: "new" }];
      expect((await database.query("select * from things")).rows).toEqual(whole);
    });

    it.each([
      ["a larger number", "bigint", "insert into things (n) values ($1)", "3000000000"],
      ["a text", "text", "insert into things (n) values ($1)", "many"],
      ["a value without a cast", "jsonb", "insert into things (n) values ($1)", "7"],
      ["a comparison", "text", "delete from things where n = $1", "7"],
    ])("take %s once their column does", async (_what, type, text, value) => {
      const database = await connected();
      await database.script("create table things (n integer)");
      await askOften(database, text, ["7"]);
      await database.script(
        `alter table things alter column n type ${type} using n::text::${type}`,
      );
      const ask = () => database.transaction((tx) => tx.query(text, [value]));
      await expect(ask()).rejects.toBeInstanceOf(StatementLostError);
      await ask();
      await askOften(database, text, [value]);
      expect(await database.transaction(keptBy)).toEqual([text]);
    });

    it("fail as ever with a value that no type holds, after one more try", async () => {
      const database = await connected();
      await askOften(database, SUM, ["1"]);
      const ask = () => database.transaction((tx) => tx.query(SUM, ["3000000000"]));
      const lost: unknown = await ask().catch((error: unknown) => error);
      expect(lost).toBeInstanceOf(StatementLostError);
      expect(mayPass(lost)).toBe(true);
      await expect(ask()).rejects.toMatchObject({ code: "22003" });
      await askOften(database, SUM, ["1"]);
      await expect(database.query(SUM, ["3000000000"])).rejects.toMatchObject({ code: "22003" });
    });

    it("cost no second try for a value in the transaction that prepared them", async () => {
      const database = await connected();
      const failed = database.transaction(async (tx) => {
        for (let time = 0; time < OFTEN; time += 1) await tx.query(SUM, ["1"]);
        await tx.query(SUM, ["3000000000"]);
      });
      await expect(failed).rejects.toMatchObject({ code: "22003" });
    });

    it("are no cause of what Postgres cannot do, however often it is asked", async () => {
      const database = await connected();
      for (let time = 0; time < OFTEN; time += 1) {
        const asked = database.transaction((tx) =>
          tx.query("select count(*) from now() for update"),
        );
        await expect(asked).rejects.toMatchObject({ code: "0A000" });
      }
    });

    it("cost nobody a transaction of the store", async () => {
      const database = await connected();
      const store = await postgresStore(database, { random: seededRandom(1) });
      await store.migrate([]);
      const take = () => store.transaction((tx) => tx.changes.take(1));
      for (let time = 0; time < OFTEN; time += 1) await take();
      await database.script("deallocate all");
      expect(await take()).toEqual([]);
    });
  });

  it.skipIf(kind === "pglite")("are not kept by connections of the app's own", async () => {
    const { url } = await open();
    const pool = new pg.Pool({ connectionString: url ?? "" });
    pool.on("error", () => undefined);
    const database = pgDatabase(pool);
    await askOften(database, SUM, ["1"]);
    expect(await database.transaction(keptBy)).toEqual([]);
    await pool.end();
  });

  it.runIf(kind === "pglite")("are not kept by a PGlite of the app's own", async () => {
    const dump = inject("pgliteDataDir");
    const own = await PGlite.create({ loadDataDir: await openAsBlob(dump ?? "") });
    try {
      const database = await pgliteDatabase(own);
      await askOften(database, SUM, ["1"]);
      expect(await database.transaction(keptBy)).toEqual([]);
    } finally {
      await own.close();
    }
  });
});
