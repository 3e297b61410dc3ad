/** Listening for notifications on a connection of its own, which is known to be alive. */
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { answered, hangUp, type Patience } from "./pg-silence.ts";

const LISTEN_AGAIN_MS = 1_000;
/** Nothing is sent on it else: a silent network would go unnoticed for hours. */
const HEARTBEAT_MS = 10_000;
/** How long a connection may take to say farewell. */
const FAREWELL_MS = 1_000;

/** Says farewell, but does not wait long for a server that does not answer. */
async function leave(client: pg.Client): Promise<void> {
  const farewell = new AbortController();
  const timeOut = delay(FAREWELL_MS, undefined, { signal: farewell.signal, ref: false });
  await Promise.race([client.end(), timeOut.catch(() => undefined)]).catch(() => undefined);
  farewell.abort();
  hangUp(client);
}

/**
 * A connection of its own, opened again when it is lost. The listener is then called once, because it
 * missed the notifications sent meanwhile. A notification is a hint, so a database in trouble is no
 * failure here.
 */
export async function listen(
  pool: pg.Pool,
  channel: string,
  heard: (said: string) => void,
  { connectMillis, answerMillis }: Patience,
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const wait = (millis: number) =>
    delay(millis, undefined, { signal: stopping.signal, ref: false });
  let client: pg.Client | null = null;

  /** Asks something that takes no time; without an answer the connection is given up. */
  async function ask(opened: pg.Client, text: string): Promise<void> {
    await answered(opened, Math.min(connectMillis, answerMillis), () => opened.query(text));
  }

  async function open(): Promise<void> {
    const opened = new pg.Client({ ...pool.options, connectionTimeoutMillis: connectMillis });
    opened.on("error", () => undefined);
    opened.on("notification", ({ payload }) => {
      heard(payload ?? "");
    });
    opened.once("end", () => {
      if (client === opened) void openAgain();
    });
    try {
      await opened.connect();
      await ask(opened, `listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await leave(opened);
      throw error;
    }
    if (stopping.signal.aborted) {
      await leave(opened);
      return;
    }
    client = opened;
    void keepAlive(opened);
  }

  async function keepAlive(opened: pg.Client): Promise<void> {
    try {
      while (client === opened) {
        await wait(Math.min(HEARTBEAT_MS, answerMillis));
        await ask(opened, "select");
      }
    } catch {
      // It is stopped, or lost, and then its end opens another.
    }
  }

  async function openAgain(): Promise<void> {
    client = null;
    while (!stopping.signal.aborted) {
      try {
        await wait(LISTEN_AGAIN_MS);
        await open();
        heard("");
        return;
      } catch {
        // The database is still away, or we were told to stop.
      }
    }
  }

  await open().catch(() => void openAgain());
  return async () => {
    stopping.abort();
    const last = client;
    client = null;
    if (last !== null) await leave(last);
  };
}
