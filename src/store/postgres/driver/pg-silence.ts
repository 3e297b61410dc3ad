/**
 * A server that falls silent: how long its answer is waited for, and what becomes of the connection.
 *
 * A network that is cut tells nobody, and TCP repeats for a quarter of an hour. So each wait has its
 * limit here, and a connection that goes beyond it is closed on this side: what waits on it fails as it
 * does where a connection is lost, and is run again elsewhere.
 */
import type pg from "pg";
import { NoAnswerError } from "../../database/index.ts";

/** Longer than any transaction of ours holds a connection, so that it is no verdict on a busy pool. */
const CONNECT_WITHIN_MS = 30_000;

/**
 * How long a statement may be without an answer. A server that is cut off tells nobody, and a statement
 * of ours that takes longer is none that others should wait for.
 */
const ANSWER_WITHIN_MS = 30_000;
/** The same for what reads or changes whole tables: migrations, indexes, triggers. */
export const PATIENT_MS = 30 * 60_000;
/** A rollback has nothing to do. */
export const ROLLBACK_WITHIN_MS = 5_000;

/** How long what is asked may take; tests of silent servers wait for less. */
export interface Patience {
  readonly connectMillis: number;
  readonly answerMillis: number;
}

export const PATIENCE: Patience = {
  connectMillis: CONNECT_WITHIN_MS,
  answerMillis: ANSWER_WITHIN_MS,
};

/** Closes the socket at once: all that waits for an answer fails, and nothing is told to the server. */
export function hangUp(client: pg.ClientBase, why?: Error): void {
  // The driver's types know its connection on some clients only; the native driver has none.
  const { connection } = client as { readonly connection?: pg.Connection };
  connection?.stream.destroy(why);
}

/** Waits for the answer so long; then the connection is closed, and all that waits on it fails. */
export async function answered<T>(
  client: pg.ClientBase,
  millis: number,
  statement: () => Promise<T>,
  distrust: () => void = () => undefined,
): Promise<T> {
  const timer = setTimeout(() => {
    distrust();
    hangUp(client, new NoAnswerError(millis));
  }, millis);
  try {
    return await statement();
  } finally {
    clearTimeout(timer);
  }
}
