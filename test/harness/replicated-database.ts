/** A test database on a Postgres with a standby: one address that leads to whichever is the primary. */
import pg from "pg";
import { openAddress } from "../processes/address.ts";
import { asAdmin } from "../processes/node-sql.ts";
import { type TestDatabase, types } from "./databases.ts";
import { type ReplicatedPostgres, startReplicatedPostgres } from "./replicated-postgres.ts";

export interface ReplicatedDatabase extends ReplicatedPostgres {
  readonly url: string;
  readonly database: TestDatabase;
}

export async function openReplicatedDatabase(): Promise<ReplicatedDatabase> {
  const address = await openAddress(0);
  const postgres = await startReplicatedPostgres((port) => {
    address.leadTo(port);
  });
  await asAdmin(postgres.primary(), "create database app", "postgres");
  const url = new URL(postgres.primary().adminUrl);
  url.pathname = "/app";
  url.port = String(address.port);
  const pool = new pg.Pool({ connectionString: url.href, max: 4, types });
  pool.on("error", () => undefined);
  const close = async () => {
    await pool.end();
    await address.close();
    await postgres.close();
  };
  return {
    ...postgres,
    url: url.href,
    database: {
      kind: "postgres",
      beginning: "empty",
      url: url.href,
      sql: async <T>(text: string, params?: unknown[]) => {
        const result: unknown = await pool.query(text, params);
        // pg returns a list for several statements, though its types do not say so.
        const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: T[] };
        return last.rows;
      },
      close,
    },
    close,
  };
}
