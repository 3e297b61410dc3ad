/**
 * Statements that a connection keeps prepared: a frequent statement is read and planned once.
 *
 * 1. A statement is named after its text, so one name never means two.
 * 2. Rare statements are not kept. Long ones are not kept either: they hold rows, and each number of rows
 *    is a text of its own. The number of kept statements is limited.
 * 3. Behind a pooler that hands out connections by the transaction a name may be unknown, or taken. No
 *    statement is kept from then on, and the transaction is run again.
 * 4. A table may change, so that a kept statement would return other columns than before. The connection is
 *    then closed (the only one of a PGlite stays, and forgets it), and the transaction is run again.
 * 5. A kept statement has the parameter types of the day it was parsed. A column that was altered since may hold
 *    a value that they do not. The statement is then not kept, and the transaction is run again.
 */
import { createHash } from "node:crypto";
import { sqlState } from "../../database/index.ts";

/** A statement is kept once it was asked so often. */
const OFTEN = 3;
/** Characters of a statement that is kept. */
const LONGEST = 8_192;
const MOST_KEPT = 256;
/** Statements that are counted at a time; then counting starts from zero. */
const MOST_COUNTED = 1_024;

/** A kept statement does not exist any more, or cannot be used any more. */
export class StatementLostError extends Error {
  override readonly name = "StatementLostError";
  /** Postgres' code of a serialization failure: the transaction may be run again, like after one. */
  readonly code = "40001";

  constructor(cause: unknown) {
    super("a statement that was prepared is not there any more, or not as it was", { cause });
  }
}

/** The statements that all connections of a database keep, by text. */
export class KeptStatements {
  readonly #names = new Map<string, string>();
  readonly #times = new Map<string, number>();
  /** By connection: the use of it that parsed each name. */
  readonly #parsedIn = new WeakMap<object, Map<string, object>>();
  #keeps: boolean;

  /** @param keeps Whether any is kept at all. */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** The name under which a statement that is about to be sent is kept; `null` if it is not kept. */
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

  /** Notes that a use of a connection sends a kept statement; says whether an earlier use has parsed it. */
  isOlder(name: string, connection: object, use: object): boolean {
    const parsed = this.#parsedIn.get(connection) ?? new Map<string, object>();
    this.#parsedIn.set(connection, parsed);
    const first = parsed.get(name) ?? use;
    parsed.set(name, first);
    return first !== use;
  }

  /**
   * The error to throw for a failed kept statement: `StatementLostError` if its name, its plan or the types
   * that it was parsed with may have caused it.
   */
  failureOf(error: unknown, text: string, isOlder: boolean): unknown {
    const state = sqlState(error);
    if (state === UNKNOWN || state === TAKEN) this.#keeps = false;
    // It is parsed with each value until it is frequent again, so a value that fits no type fails then.
    else if (isOlder && isOfTypes(state)) this.#names.delete(text);
    else if (state !== NOT_SUPPORTED || !isOfKeptPlan(error)) return error;
    return new StatementLostError(error);
  }
}

const UNKNOWN = "26000";
const TAKEN = "42P05";
const NOT_SUPPORTED = "0A000";
/** Types without a cast, and without an operator. */
const MISMATCHES: ReadonlySet<string | null> = new Set(["42804", "42883"]);

/** Whether other types of the parameters could be the remedy: class 22 is a value that a type does not hold. */
function isOfTypes(state: string | null): boolean {
  return state?.startsWith("22") === true || MISMATCHES.has(state);
}

/** Other unsupported features have the same code, and a message that depends on the server's language. */
function isOfKeptPlan(error: unknown): boolean {
  return (error as { readonly routine?: unknown }).routine === "RevalidateCachedQuery";
}
