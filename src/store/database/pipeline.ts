/**
 * Statements of a transaction that are sent without waiting for the answer to the one before: the
 * database carries them out in their order all the same, each with what the ones before have done.
 *
 * A statement that fails spoils its transaction, so those behind it fail too, and say less.
 */
import type { Queryable } from "./database.ts";

/** Waits for all statements; if any failed, throws the error of the first that did. */
export async function allOf<Results extends readonly unknown[]>(
  ...statements: { readonly [At in keyof Results]: Promise<Results[At]> }
): Promise<Results> {
  const outcomes = await Promise.allSettled(statements);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return Promise.all(statements) as Promise<unknown> as Promise<Results>;
}

/**
 * Sends a statement that returns nothing and should not fail, such as a setting. If it fails anyway, the
 * next statement fails too.
 */
export function tell(tx: Queryable, text: string, params: readonly unknown[] = []): void {
  tx.query(text, params).catch(() => undefined);
}
