/**
 * Fresh databases for tests, the same way on PGlite and on a real Postgres: with Tandem's schema, as
 * its migrations leave it, or empty.
 *
 * Each is independent of every other and lives until `close()`. Tests that must hold on both are
 * written once, inside `describeOnEachDatabase`.
 */
import { randomBytes } from "node:crypto";
import type { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, afterEach, beforeEach, describe, inject } from "vitest";
import { databaseKindsFrom, type DatabaseKind, kindsForDecisions } from "./database-kinds.ts";
import { borrowPglite } from "./pglite-pool.ts";
import { type Beginning, dropDatabase, onServer } from "./postgres-template.ts";

export interface TestDatabase {
  readonly kind: DatabaseKind;
  /** On PGlite a sample begins as `migrated`: no copy is faster there than the statements. */
  readonly beginning: Beginning;
  /** How Tandem connects, where `kind` is `postgres`. A superuser's. */
  readonly url?: string;
  /** The PGlite that Tandem uses, if `kind` is `pglite`. */
  readonly pglite?: PGlite;
  /**
   * Plain SQL as the app, or psql, would run it: several statements are allowed where there are no
   * parameters, and the rows are the last one's. `bigint` comes as a number on both databases.
   */
  sql<T>(text: string, params?: unknown[]): Promise<T[]>;
  /** Ends every connection and removes the database. Idempotent. */
  close(): Promise<void>;
}

/** The databases that this run covers; `TANDEM_TEST_DATABASES=pglite` or `=postgres` narrows it. */
export const databaseKinds: DatabaseKind[] = databaseKindsFrom(process.env.TANDEM_TEST_DATABASES);

const decidingKinds = kindsForDecisions(process.env.TANDEM_TEST_DATABASES);

export function openTestDatabase(
  kind: DatabaseKind,
  beginning: Beginning = "empty",
): Promise<TestDatabase> {
  return kind === "pglite" ? openPglite(beginning) : createOnServer(beginning);
}

/** Tests of what `open` gives, on one kind of database. */
type Tests = (open: () => Promise<TestDatabase>, kind: DatabaseKind) => void;

/**
 * Runs the same tests on each database of `databaseKinds`, with Tandem's migrations applied. A
 * database that a test or its `beforeEach` opens is closed after that test; one that `beforeAll`
 * opens, after the last test.
 */
export function describeOnEachDatabase(name: string, tests: Tests): void {
  describeOnEach(databaseKinds, "migrated", name, tests);
}

/**
 * The same on one of them, for situations and stories of what is decided: `test/store` holds both databases to the
 * same answers, and `npm run proof` runs all situations on PGlite as well.
 */
export function describeOnOneDatabase(name: string, tests: Tests): void {
  describeOnEach(decidingKinds, "sample", name, tests);
}

/** The same without the sample app, for other schemas and for stories of how the sample's triggers are made. */
export function describeOnOneMigratedDatabase(name: string, tests: Tests): void {
  describeOnEach(decidingKinds, "migrated", name, tests);
}

/** The same as `describeOnEachDatabase` with nothing on them, for what is about how the schema comes to be. */
export function describeOnEachEmptyDatabase(name: string, tests: Tests): void {
  describeOnEach(databaseKinds, "empty", name, tests);
}

function describeOnEach(
  kinds: readonly DatabaseKind[],
  beginning: Beginning,
  name: string,
  tests: Tests,
): void {
  describe.each(kinds)(`${name} (%s)`, (kind) => {
    const ofSuite: TestDatabase[] = [];
    const ofTest: TestDatabase[] = [];
    let opened = ofSuite;
    const closeAll = async (databases: TestDatabase[]) => {
      await Promise.all(databases.splice(0).map((database) => database.close()));
    };
    beforeEach(() => {
      opened = ofTest;
    });
    afterEach(async () => {
      opened = ofSuite;
      await closeAll(ofTest);
    });
    afterAll(() => closeAll(ofSuite));

    tests(async () => {
      const keptIn = opened;
      const database = await openTestDatabase(kind, beginning);
      keptIn.push(database);
      return database;
    }, kind);
  });
}

async function openPglite(wanted: Beginning): Promise<TestDatabase> {
  const dump = inject("pgliteDataDir");
  if (dump === null) throw new Error("TANDEM_TEST_DATABASES leaves PGlite out of this run");
  const beginning = wanted === "sample" ? "migrated" : wanted;
  const { pglite, appTypes: parsers, giveBack } = await borrowPglite(dump, beginning);
  return {
    kind: "pglite",
    beginning,
    pglite,
    sql: async <T>(text: string, params?: unknown[]) => {
      if (params !== undefined) return (await pglite.query<T>(text, params, { parsers })).rows;
      return ((await pglite.exec(text, { parsers })).at(-1)?.rows ?? []) as T[];
    },
    close: giveBack,
  };
}

async function createOnServer(beginning: Beginning): Promise<TestDatabase> {
  const adminUrl = inject("postgresAdminUrl");
  const templates = inject("postgresTemplates");
  if (adminUrl === null || templates === null)
    throw new Error("TANDEM_TEST_DATABASES leaves Postgres out of this run");
  const name = `tandem_test_${randomBytes(8).toString("hex")}`;
  // Copied as files: through the log, a copy took seven times as long.
  await onServer(
    adminUrl,
    `create database ${name} template ${templates[beginning]} strategy file_copy`,
  );
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 4, types });
  // A test that cuts connections on purpose ends idle ones too; that is not the harness's failure.
  pool.on("error", () => undefined);
  const remove = async () => {
    await pool.end();
    await dropDatabase(adminUrl, name);
  };
  let closing: Promise<void> | undefined;
  return {
    kind: "postgres",
    beginning,
    url: url.href,
    sql: async <T>(text: string, params?: unknown[]) => {
      const result: unknown = await pool.query(text, params);
      // pg returns a list for several statements, though its types do not say so.
      const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: T[] };
      return last.rows;
    },
    close: () => (closing ??= remove()),
  };
}

/** As PGlite does: a bigint that fits is a number, so that a test's expectations hold on both. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8
      ? exactNumber
      : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

function exactNumber(text: string): number | bigint {
  const exact = BigInt(text);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}
