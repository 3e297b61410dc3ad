/** Tandem under a role of its own that row security applies to, beside an app that it does not apply to. */
import { randomBytes } from "node:crypto";
import type { TestDatabase } from "./databases.ts";

/**
 * The same database as a limited role sees it. The role owns what the app and Tandem own, as a member, and
 * neither bypasses row security nor is a superuser. The app's own `sql` runs as the superuser.
 */
export async function asLimitedRole(
  database: TestDatabase,
): Promise<TestDatabase & { readonly role: string }> {
  const role = `limited_${randomBytes(6).toString("hex")}`;
  const [owner] = await database.sql<{ name: string }>("select current_user as name");
  await database.sql(`create role ${role} login in role "${owner?.name ?? ""}"`);
  if (database.url === undefined) return { ...database, ...onOneSession(database, role), role };
  const url = new URL(database.url);
  url.searchParams.set("options", `-c role=${role}`);
  return { ...database, url: url.href, role };
}

/** PGlite has one session: it is the limited role's, and the app's for as long as its statement takes. */
function onOneSession(database: TestDatabase, role: string): Pick<TestDatabase, "sql" | "close"> {
  return {
    async sql<T>(text: string, params?: unknown[]): Promise<T[]> {
      await database.sql("reset role");
      try {
        return await database.sql<T>(text, params);
      } finally {
        await database.sql(`set role ${role}`);
      }
    },
    async close() {
      await database.sql(`reset role; drop role if exists ${role}`);
      await database.close();
    },
  };
}
