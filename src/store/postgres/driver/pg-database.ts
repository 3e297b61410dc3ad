/** Postgres through `pg`. */
import pg from "pg";
import { nothingSeen } from "../../beginning.ts";
import {
  AbortedTransactionError,
  allOf,
  type Closing,
  ConnectionLostError,
  type Database,
  type Queryable,
  type QueryResult,
  sqlState,
} from "../../database/index.ts";
import { parserOf } from "./column-values.ts";
import { KeptStatements, StatementLostError } from "./kept-statements.ts";
import { listen } from "./pg-listen.ts";
import { answered, PATIENCE, type Patience, PATIENT_MS, ROLLBACK_WITHIN_MS } from "./pg-silence.ts";
import { type PoolWatch, watchPool } from "./pool-watch.ts";

const IN_FAILED_TRANSACTION = "25P02";

const types: pg.CustomTypesConfig = {
  // Everything is asked for as text, so the format never differs.
  getTypeParser: (oid) => parserOf(oid),
};

/** Wraps a pool; `close` ends it only if we opened it. */
export function pgDatabase(source: string | pg.Pool, patience: Patience = PATIENCE): Database {
  const owned = typeof source === "string";
  const pool = owned ? openPool(source, patience) : source;
  // An app's pool may have no limit: a host that is gone would take all its places, one by one.
  if ((pool.options.connectionTimeoutMillis ?? 0) === 0) {
    pool.options.connectionTimeoutMillis = patience.connectMillis;
  }
  const { take, distrust, release } = watchPool(pool);
  // An app's pool is set up as the app wants it.
  const kept = new KeptStatements(owned);
  const within = (answerMillis: number): Means => ({ pool, take, kept, answerMillis, distrust });
  const usual = within(patience.answerMillis);
  const patient = within(Math.max(PATIENT_MS, patience.answerMillis));

  return {
    kind: "postgres",
    ...onItsOwn(usual),
    script: (text) => onItsOwn(patient).script(text),
    transaction: (...asked) => inTransaction(usual, ...asked),
    patient: {
      ...onItsOwn(patient),
      transaction: (...asked) => inTransaction(patient, ...asked),
    },
    listen: (channel, heard) => listen(pool, channel, heard, patience),
    async close() {
      // Connections that end hear of a server's end as well: a pool of our own stays watched.
      if (owned) await pool.end();
      else release();
    },
  };
}

function openPool(connectionString: string, patience: Patience): pg.Pool {
  return new pg.Pool({
    connectionString,
    max: 10,
    // A host that is gone answers nothing, not even a refusal.
    connectionTimeoutMillis: patience.connectMillis,
    // A statement that does not depend on the answer before is sent without waiting for it.
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // A plan that is kept was made for tables as they were then.
    maxLifetimeSeconds: 600,
    // Times are read in this style; a database or a role may have another.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it, though its types do not say so
    onConnect: (client) =>
      answered(client, patience.connectMillis, () => client.query("set datestyle to iso")),
  });
}

/** The means by which statements are sent. */
interface Means {
  readonly pool: pg.Pool;
  readonly take: PoolWatch["take"];
  readonly kept: KeptStatements;
  readonly answerMillis: number;
  readonly distrust: () => void;
}

/** Statements that are transactions of their own. After one that failed its connection is not trusted. */
function onItsOwn(means: Means): Queryable {
  const { pool, take, kept } = means;
  async function run<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
    const client = await take();
    let lost: Error | undefined;
    let failed = true;
    const noteLoss = (error: Error) => {
      lost = error;
    };
    client.on("error", noteLoss);
    try {
      const result = await work(queryable(client, kept, sender(client, means)));
      failed = false;
      return result;
    } catch (error) {
      throw lost !== undefined && sqlState(error) === null
        ? new ConnectionLostError("unknown", error)
        : error;
    } finally {
      client.off("error", noteLoss);
      client.release(failed);
    }
  }
  return {
    client: pool,
    async query<T>(text: string, params?: readonly unknown[]) {
      const ask = () => run((client) => client.query<T>(text, params));
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof StatementLostError)) throw error;
        return ask();
      }
    },
    script: (text) => run((client) => client.script(text)),
  };
}

async function inTransaction<T, Seen>(
  means: Means,
  work: (tx: Queryable, opened: QueryResult<Record<string, unknown>>, seen: Seen) => Promise<T>,
  opening = "select",
  look: (tx: Queryable) => Promise<Seen> = nothingSeen,
  closing: () => Closing | null = () => null,
): Promise<T> {
  const { take, kept } = means;
  const client = await take();
  let lost: Error | undefined;
  let statementLost: StatementLostError | undefined;
  const connection = { abandoned: false, readOnly: false };
  let committing = false;
  const noteLoss = (error: Error) => {
    lost = error;
  };
  // The pool listens only while a client is idle; unheard, a lost connection would end the process.
  client.on("error", noteLoss);
  try {
    const send = sender(client, means);
    const abandon = () => {
      connection.abandoned = true;
    };
    const noteLost = (error: StatementLostError) => {
      statementLost ??= error;
    };
    const tx = queryable(client, kept, send, noteLost);
    const [opened, seen] = await allOf(
      send(() => begin(client, opening)),
      look(tx),
    );
    const result = await work({ ...tx, abandon }, opened, seen);
    committing = true;
    await send(() => commit(client, closing()));
    return result;
  } catch (error) {
    // A rollback would wait for what is still being asked on an abandoned connection.
    if (!connection.abandoned && lost === undefined) {
      const undo = () => client.query("rollback");
      await answered(client, ROLLBACK_WITHIN_MS, undo, means.distrust).catch(noteLoss);
    }
    connection.readOnly = sqlState(error) === "25006";
    if (lost !== undefined && !connection.abandoned) {
      throw new ConnectionLostError(committing ? "unknown" : "rolled_back", error);
    }
    // Errors behind a lost statement say only that an earlier statement had failed.
    throw statementLost ?? error;
  } finally {
    client.off("error", noteLoss);
    // A connection to a standby stays one: the address may lead to the primary by now.
    const isOver = connection.abandoned || connection.readOnly || statementLost !== undefined;
    client.release(lost ?? isOver);
  }
}

/** The transaction's last statement with its commit, in one round trip. */
async function commit(client: pg.ClientBase, closing: Closing | null): Promise<void> {
  if (closing === null) {
    const ended = await client.query("commit");
    if (ended.command !== "COMMIT") throw new AbortedTransactionError();
    return;
  }
  try {
    const [last] = resultsOf(await client.query({ text: `${closing.text}; commit`, types }));
    closing.told(last?.rows[0] ?? {});
  } catch (error) {
    throw sqlState(error) === IN_FAILED_TRANSACTION ? new AbortedTransactionError() : error;
  }
}

/** Both statements in one round trip. */
async function begin(
  client: pg.ClientBase,
  opening: string,
): Promise<QueryResult<Record<string, unknown>>> {
  const config: pg.QueryConfig = { text: `begin; ${opening}`, types };
  const last = resultsOf(await client.query(config)).at(-1);
  return { rows: last?.rows ?? [], count: last?.rowCount ?? 0 };
}

/** Several statements have several results, though the driver's types do not say so. */
function resultsOf(results: unknown): readonly pg.QueryResult<Record<string, unknown>>[] {
  return results as readonly pg.QueryResult<Record<string, unknown>>[];
}

type Send = <T>(statement: () => Promise<T>) => Promise<T>;

/**
 * How statements are sent: at once to a driver that takes them so, and else each when its turn comes.
 * None is waited for without end.
 */
function sender(client: pg.PoolClient, { answerMillis, distrust }: Means): Send {
  const send: Send = (statement) => answered(client, answerMillis, statement, distrust);
  if (client.pipeline) return send;
  let last: Promise<unknown> = Promise.resolve();
  return (statement) => {
    const turn = last.then(() => send(statement));
    last = turn.catch(() => undefined);
    return turn;
  };
}

function queryable(
  client: pg.PoolClient,
  kept: KeptStatements,
  send: Send,
  noteLost: (error: StatementLostError) => void = () => undefined,
): Queryable {
  const use = {};
  return {
    client,
    async query<T>(text: string, params: readonly unknown[] = []): Promise<QueryResult<T>> {
      const name = kept.nameOf(text);
      const isOlder = name !== null && kept.isOlder(name, client, use);
      const config = { text, values: [...params], types, ...(name === null ? {} : { name }) };
      try {
        const result = await send(() => client.query<T & pg.QueryResultRow>(config));
        return { rows: result.rows, count: result.rowCount ?? 0 };
      } catch (error) {
        const failure = name === null ? error : kept.failureOf(error, text, isOlder);
        if (failure instanceof StatementLostError) noteLost(failure);
        throw failure;
      }
    },
    async script(text) {
      await send(() => client.query(text));
    },
  };
}
