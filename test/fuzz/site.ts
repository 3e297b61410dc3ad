/** A Tandem that is fuzzed: the sample app behind real HTTP, in memory or on a PGlite, with a simulated GitHub. */
import { PGlite } from "@electric-sql/pglite";
import { type HttpServer, startHttpServer } from "../../src/cli/context/http-server.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { SAMPLE_TABLES } from "../../src/demo/sample-tables.ts";
import {
  createTestTandem,
  type TestTandem,
  TEST_REPOSITORY,
} from "../../src/testing/test-tandem.ts";
import { createMemoryDatabase } from "../../src/store/memory/memory-database.ts";
import { must } from "./target.ts";

export interface FuzzSite {
  readonly test: TestTandem;
  readonly server: HttpServer;
  readonly repository: number;
  /** Everything of the app that a webhook could change, and how many webhooks are stored. */
  state(): Promise<string>;
  deliveries(): Promise<readonly FuzzDelivery[]>;
  close(): Promise<void>;
}

export interface FuzzDelivery {
  readonly id: string;
  readonly state: string;
  readonly code: string | null;
}

export type FuzzDatabase = "memory" | "pglite";

/** @param takesIn whether a delivery is ingested on receipt, or left for the translation */
export async function openFuzzSite(kind: FuzzDatabase, takesIn: boolean): Promise<FuzzSite> {
  const parts = kind === "memory" ? await openInMemory() : await openOnPglite();
  const worker = takesIn ? "fuzz" : null;
  const test = await createTestTandem({ ...parts.options, takesIn: () => worker });
  test.github.as("mona").openIssue(TEST_REPOSITORY, { title: "Of old" });
  await test.settle();
  const server = await startHttpServer(test.tandem.fetch, { host: "127.0.0.1", port: 0 });
  return {
    test,
    server,
    repository: Number(test.github.repository(TEST_REPOSITORY).id),
    state: () => parts.state(),
    deliveries: () => parts.deliveries(),
    async close() {
      await server.close();
      await test.close();
      await parts.close();
    },
  };
}

async function openInMemory() {
  const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
  await database.insert("projects", { name: "Site" });
  await database.insert("users", { name: "Mona", github_login: "mona" });
  return {
    options: { config: sampleConfig(database) },
    async state() {
      const rows = [await database.rows("tasks"), await database.rows("comments")];
      return JSON.stringify([rows, (await database.deliveries()).length]);
    },
    async deliveries() {
      return (await database.deliveries()).map(({ id, state, error }) => ({
        id,
        state,
        code: error?.code ?? null,
      }));
    },
    close: () => Promise.resolve(),
  };
}

async function openOnPglite() {
  const db = await PGlite.create("memory://");
  const sql = async (text: string, params?: unknown[]) => {
    if (params !== undefined) return (await db.query(text, params)).rows;
    return (await db.exec(text)).at(-1)?.rows ?? [];
  };
  await sql(SAMPLE_SCHEMA);
  await sql("insert into projects (name) values ('Site')");
  await sql("insert into users (name, github_login) values ('Mona', 'mona')");
  return {
    options: { config: sampleConfig(db), sql },
    async state() {
      const { rows } = await db.query(
        `select (select md5(coalesce(string_agg(tasks::text, ',' order by id), '')) from tasks),
                (select md5(coalesce(string_agg(comments::text, ',' order by id), '')) from comments) as written,
                (select count(*)::int from tandem.deliveries) as deliveries`,
      );
      return JSON.stringify(rows);
    },
    async deliveries() {
      const { rows } = await db.query<FuzzDelivery>(
        "select id::text, state, error ->> 'code' as code from tandem.deliveries",
      );
      return rows;
    },
    close: () => db.close(),
  };
}

/** The codes of our own faults or of our SQL's: no event may end with one. */
const FAULTS: ReadonlySet<string> = new Set([
  "unexpected",
  "database_error",
  "database_unavailable",
  "not_translated",
]);

/**
 * Works everything off, and throws where something waits in the queue or has met a fault of ours. An unreadable
 * delivery stays stored as failed, with its cause.
 */
export async function drain(site: FuzzSite, seen: Set<string>): Promise<void> {
  await site.test.settle();
  for (const { id, state, code } of await site.deliveries()) {
    if (seen.has(id)) continue;
    must(state !== "received", () => `delivery ${id} is still to be translated`);
    must(
      state !== "failed" || (code !== null && !FAULTS.has(code)),
      () => `a delivery failed: ${code ?? "?"}`,
    );
    seen.add(id);
  }
  const { ledger } = site.test.tandem.services.store;
  for (const state of ["errored", "processing"] as const) {
    for (const event of await ledger.events({ state, limit: 20 })) {
      must(state === "errored", () => `event ${event.id} is still processed`);
      const { code = "?", message = "" } = event.error ?? {};
      must(!FAULTS.has(code), () => `an event ended as ${code}: ${message}`);
    }
  }
}

/** Throws unless a valid webhook still comes through, whatever came before it. */
export async function proveOpen({ test }: FuzzSite, seen: number): Promise<void> {
  const [connection] = await test.tandem.services.store.directory.connections();
  if (connection === undefined) throw new Error("the connection is gone");
  if (!connection.inbound) {
    // A signed webhook may say that the repository or the installation is gone: then the status says so.
    must(connection.pausedReason !== null, () => "the connection is switched off without a reason");
    await test.tandem.enable(connection.id);
  }
  const title = `Proof ${String(seen)}`;
  test.github.as("mona").openIssue(TEST_REPOSITORY, { title });
  await test.settle();
  const { number } = test.github.issues(TEST_REPOSITORY).at(-1) ?? { number: 0 };
  const events = await test.tandem.services.store.ledger.events({ state: "completed", limit: 20 });
  const isThere = events.some(
    ({ externalId, direction }) => externalId === String(number) && direction === "inbound",
  );
  must(isThere, () => `issue ${String(number)} did not come in after what came before it`);
}
