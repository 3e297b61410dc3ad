/** Databases for interleaved histories. */
import pg from "pg";
import { sampleConfig } from "../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../src/demo/sample-schema.ts";
import { openGatedPool } from "../src/testing/interleave/gated-pool.ts";
import type { InterleaveOptions } from "../src/testing/interleave/interleave.ts";

export interface OpenInterleave extends InterleaveOptions {
  readonly close: () => Promise<void>;
}

/** The server of `TANDEM_TEST_DATABASE_URL`, or one that is started here. */
export async function openServer(): Promise<{
  readonly adminUrl: string;
  readonly stop: () => Promise<void>;
}> {
  const given = process.env.TANDEM_TEST_DATABASE_URL;
  if (given !== undefined) return { adminUrl: given, stop: () => Promise.resolve() };
  const { startPostgres } = await import("../test/harness/postgres-server.ts");
  const server = await startPostgres(undefined);
  return { adminUrl: server.adminUrl, stop: () => server.stop() };
}

/** Opens a new database on the server. */
export async function openInterleavedPostgres(
  adminUrl: string,
  job: number,
): Promise<OpenInterleave> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const name = `tandem_interleave_${String(process.pid)}_${String(job)}`;
  await admin.query(`create database ${name} template template0`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const gated = await openGatedPool(url.href);
  const free = new pg.Pool({ connectionString: url.href, max: 2 });
  free.on("error", () => undefined);
  return {
    gated,
    sql: async <T>(text: string, params?: unknown[]) =>
      (await free.query(text, params)).rows as T[],
    configure: (pool) => sampleConfig(pool),
    schema: SAMPLE_SCHEMA,
    async close() {
      await gated.close();
      await free.end();
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
