/** A part of a transaction that may fail without failing the rest. */
import type { Queryable } from "../../database/index.ts";
import { tell } from "../../database/index.ts";

/** An error of the work undoes its writes, and the transaction can still be used. */
export async function attempt<T>(tx: Queryable, work: () => Promise<T>): Promise<T> {
  tell(tx, "savepoint tandem_attempt");
  try {
    const result = await work();
    tell(tx, "release savepoint tandem_attempt");
    return result;
  } catch (error) {
    // A transaction that is lost cannot go back; its failure says so later.
    await tx.query("rollback to savepoint tandem_attempt").catch(() => undefined);
    await tx.query("release savepoint tandem_attempt").catch(() => undefined);
    throw error;
  }
}
