/**
 * Statements that a connection keeps prepared: what is asked again and again is read and planned once.
 *
 * 1. A statement is named after what it says, so one name never means two.
 * 2. What is asked rarely is not kept, nor is what is long: that holds rows, and each number of rows is a
 *    text of its own. A connection keeps so many, and no more.
 * 3. Behind a pooler that hands out connections by the transaction a name may be unknown, or taken: none is
 *    kept from there on, and the transaction is run again.
 * 4. Where a table has changed, so that a kept statement would return other columns than before, its
 *    connection is given up, and the transaction is run again on another.
 */
import { createHash } from "node:crypto";
import { sqlState } from "../../database/index.ts";

/** A statement is kept once it was asked so often. */
const OFTEN = 3;
/** Characters of a statement that is kept. */
const LONGEST = 8_192;
const MOST_KEPT = 256;
/** Statements that are counted at once; then counting begins anew. */
const MOST_COUNTED = 1_024;

/** What was kept is not there, or of no use any more. */
export class StatementLostError extends Error {
  override readonly name = "StatementLostError";
  /** Postgres' code of a serialization failure: the transaction may be run again, like after one. */
  readonly code = "40001";

  constructor(cause: unknown) {
    super("a statement that was prepared is not there any more, or not as it was", { cause });
  }
}

/** What all connections of a database keep, by text. */
export class KeptStatements {
  readonly #names = new Map<string, string>();
  readonly #times = new Map<string, number>();
  #keeps: boolean;

  /** @param keeps Whether any is kept at all. */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** What a statement that is about to be asked is kept as; `null` where it is not. */
  nameOf(text: string): string | null {
    if (!this.#keeps) return null;
    const name = this.#names.get(text);
    if (name !== undefined) return name;
    if (text.length <= LONGEST && this.#names.size < MOST_KEPT) this.#count(text);
    return null;
  }

  #count(text: string): void {
    if (this.#times.size >= MOST_COUNTED) this.#times.clear();
    const times = (this.#times.get(text) ?? 0) + 1;
    this.#times.set(text, times);
    if (times < OFTEN) return;
    this.#times.delete(text);
    this.#names.set(text, `tandem_${createHash("sha1").update(text).digest("hex")}`);
  }

  /** What the failure of a kept statement means. */
  failureOf(error: unknown): unknown {
    const state = sqlState(error);
    if (state === UNKNOWN || state === TAKEN) this.#keeps = false;
    else if (state !== NOT_SUPPORTED || !isOfKeptPlan(error)) return error;
    return new StatementLostError(error);
  }
}

const UNKNOWN = "26000";
const TAKEN = "42P05";
const NOT_SUPPORTED = "0A000";

/** Whatever else is not supported has the same code, and words that depend on the server's language. */
function isOfKeptPlan(error: unknown): boolean {
  return (error as { readonly routine?: unknown }).routine === "RevalidateCachedQuery";
}
