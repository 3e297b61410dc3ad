/** PGlite, the embedded Postgres: one process, one connection, transactions one after another. */
import { type PGlite, TransactionAbortedError } from "@electric-sql/pglite";
import { setImmediate as turn } from "node:timers/promises";
import { nothingSeen } from "../../beginning.ts";
import { AbortedTransactionError, type Database, type QueryResult } from "../../database/index.ts";
import type { StatementLostError } from "./kept-statements.ts";
import { parsers, PgliteStatements, serializers } from "./pglite-statements.ts";
import { openPglite } from "./prepared-directory.ts";

/** Wraps a PGlite, or opens one in a data directory (`memory://` keeps nothing). */
export async function pgliteDatabase(source: string | PGlite): Promise<Database> {
  const owned = typeof source === "string";
  const db = owned ? inOurTypes(await openPglite(source)) : source;
  const ours = db.parsers === parsers;
  // A PGlite of the app keeps nothing: it is set up as the app wants it.
  const statements = PgliteStatements.of(db, ours);
  const types = ours ? {} : { parsers, serializers };

  const asking: Database["patient"] = {
    // PGlite answers before the event loop has turned: workers that ask on and on would let no request
    // and no timer have its turn.
    async query<T>(text: string, params: readonly unknown[] = []): Promise<QueryResult<T>> {
      await turn();
      const { rows, affectedRows } = await db.query<T>(text, [...params], types);
      // PGlite counts no rows for a select.
      return { rows, count: Math.max(affectedRows ?? 0, rows.length) };
    },
    async transaction(work, opening = "select", look = nothingSeen) {
      await turn();
      let lost: StatementLostError | undefined;
      const noteLost = (error: StatementLostError) => {
        lost ??= error;
      };
      try {
        return await db.transaction(async (tx) => {
          const own = statements.within(tx, noteLost);
          const opened = await own.query(opening);
          return work(own, opened, await look(own));
        });
      } catch (error) {
        if (error instanceof TransactionAbortedError && lost === undefined) {
          throw new AbortedTransactionError();
        }
        // Errors behind a lost statement say only that an earlier statement had failed.
        throw lost ?? error;
      }
    },
  };

  return {
    kind: "pglite",
    client: db,
    ...asking,
    async script(text) {
      await db.exec(text);
    },
    // It is a part of this process, and silent only where that is.
    patient: asking,
    async listen(channel, heard) {
      return db.listen(channel, heard);
    },
    async close() {
      if (owned) await db.close();
    },
  };
}

/**
 * Has a PGlite that nobody else uses read and write values as Tandem does. A PGlite of the app is asked to
 * with each query, and combines all its types again each time.
 */
export function inOurTypes<Own extends Pick<PGlite, "parsers" | "serializers">>(db: Own): Own {
  db.parsers = parsers;
  db.serializers = { ...db.serializers, ...serializers };
  return db;
}
