/** SQL on a node that may be away: each statement on a connection of its own. */
import pg from "pg";
import { types } from "../harness/databases.ts";
import type { PostgresNode } from "../harness/postgres-server.ts";

export async function ask<T>(url: string, text: string, params?: unknown[]): Promise<T[]> {
  const client = new pg.Client({ connectionString: url, types });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const result = (await client.query(text, params)) as unknown;
    const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: T[] };
    return last.rows;
  } finally {
    await client.end();
  }
}

/** As the superuser, whom no limit holds. */
export function asAdmin<T>(
  node: PostgresNode,
  text: string,
  database: string,
  params?: unknown[],
): Promise<T[]> {
  const url = new URL(node.adminUrl);
  url.pathname = `/${database}`;
  return ask<T>(url.href, text, params);
}
