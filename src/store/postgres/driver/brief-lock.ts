/** Changing a table that the app writes to: briefly, or not at all. */
import { type Database, MigrationError, type Queryable, sqlState } from "../../database/index.ts";

/**
 * Runs one step of a migration, one process at a time. A step that waits for a table's lock holds up every
 * writer behind it, so it waits for seconds only.
 *
 * @param what what could not be locked, as the error says it
 * @throws MigrationError `table_busy`
 */
export async function withBriefLock<T>(
  database: Database,
  what: string,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  try {
    return await database.patient.transaction(async (tx) => {
      await tx.query("select pg_advisory_xact_lock(hashtextextended('tandem migrate', 0))");
      await tx.query("select set_config('lock_timeout', '3s', true)");
      return await work(tx);
    });
  } catch (error) {
    if (sqlState(error) !== "55P03") throw error;
    throw new MigrationError(
      "table_busy",
      `could not lock ${what} within 3 seconds`,
      "End the transaction that holds the table (see pg_stat_activity), then migrate again.",
      error,
    );
  }
}
