/**
 * Statements in the transactions of a PGlite.
 *
 * PGlite's `query` sends six messages and waits for each answer. Here a statement that is kept prepared
 * (`kept-statements.ts`) is one message. Any other is two: its types are asked for, then it is carried out.
 */
import { parse, type PGlite, protocol, type Transaction } from "@electric-sql/pglite";
import type { Queryable, QueryResult } from "../../database/index.ts";
import { KNOWN_TYPES, parserOf } from "./column-values.ts";
import { KeptStatements, StatementLostError } from "./kept-statements.ts";

/** How values are read; those of other types stay text. */
export const parsers = Object.fromEntries(KNOWN_TYPES.map((oid) => [oid, parserOf(oid)]));

/** PGlite takes bytes only; the text form of bytea must pass too. */
const BYTEA = 17;
export const serializers: PGlite["serializers"] = {
  [BYTEA]: (value: unknown) =>
    value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : String(value),
};

/** The type of a parameter that the statement has not. */
const UNKNOWN = 0;

type Messages = Awaited<ReturnType<PGlite["execProtocolStream"]>>;

/** A statement that PGlite has read. */
interface Prepared {
  /** Empty if it is not kept: the next one takes its place. */
  readonly name: string;
  /** The types of its parameters. */
  readonly parameters: readonly number[];
  /** The columns of its rows, as PGlite describes them. */
  readonly description: Messages;
  /** The transaction that had it read. */
  readonly use: Transaction;
}

const { serialize } = protocol;
const SYNC = serialize.sync();

/** The statements that a PGlite keeps for all who use it. */
const byPglite = new WeakMap<PGlite, PgliteStatements>();

export class PgliteStatements {
  readonly #pglite: PGlite;
  readonly #kept: KeptStatements;
  readonly #prepared = new Map<string, Prepared>();

  private constructor(pglite: PGlite, keeps: boolean) {
    this.#pglite = pglite;
    this.#kept = new KeptStatements(keeps);
  }

  /** @param keeps Whether any is kept prepared. */
  static of(pglite: PGlite, keeps: boolean): PgliteStatements {
    const statements = byPglite.get(pglite) ?? new PgliteStatements(pglite, keeps);
    byPglite.set(pglite, statements);
    return statements;
  }

  /** @param noteLost Told of a statement that is lost: the transaction must be run again, whatever else fails. */
  within(tx: Transaction, noteLost: (error: StatementLostError) => void): Queryable {
    return {
      client: tx,
      query: async <T>(text: string, params: readonly unknown[] = []) => {
        if (tx.closed) throw new Error("the transaction is closed");
        try {
          // Statements sent together take their turns, as PGlite's own do.
          return await this.#pglite.runExclusive(() => this.#query<T>(tx, text, params));
        } catch (error) {
          if (error instanceof StatementLostError) noteLost(error);
          throw error;
        }
      },
      async script(text) {
        await tx.exec(text);
      },
    };
  }

  async #query<T>(
    use: Transaction,
    text: string,
    params: readonly unknown[],
  ): Promise<QueryResult<T>> {
    const name = this.#kept.nameOf(text);
    const known = name === null ? undefined : this.#prepared.get(name);
    const statement = known ?? (await this.#prepare(use, text, name));
    try {
      return await this.#execute<T>(statement, params);
    } catch (error) {
      if (name === null) throw error;
      const failure = this.#kept.failureOf(error, text, statement.use !== use);
      if (failure !== error) this.#prepared.delete(name);
      throw failure;
    }
  }

  async #prepare(use: Transaction, text: string, kept: string | null): Promise<Prepared> {
    const name = kept ?? "";
    const answer = await this.#send([
      // It may have been read before, with other types.
      ...(kept === null ? [] : [serialize.close({ type: "S", name })]),
      serialize.parse({ text, name }),
      serialize.describe({ type: "S", name }),
    ]);
    const prepared: Prepared = {
      name,
      parameters: parse.parseDescribeStatementResults(answer),
      description: answer.filter((message) => message.name === "rowDescription"),
      use,
    };
    if (kept !== null) this.#prepared.set(kept, prepared);
    return prepared;
  }

  async #execute<T>(statement: Prepared, params: readonly unknown[]): Promise<QueryResult<T>> {
    const { name, parameters, description } = statement;
    const values = params.map((value, place) => this.#asText(value, parameters[place]));
    const answer = await this.#send([
      serialize.bind({ statement: name, values }),
      serialize.execute({}),
    ]);
    const [result] = parse.parseResults([...description, ...answer], parsers);
    const rows = (result?.rows ?? []) as T[];
    return { rows, count: Math.max(result?.affectedRows ?? 0, rows.length) };
  }

  #asText(value: unknown, type = UNKNOWN): string | null {
    if (value === null || value === undefined) return null;
    const write: (value: unknown) => string =
      serializers[type] ?? this.#pglite.serializers[type] ?? String;
    return write(value);
  }

  /** Nothing goes to disk before the commit. */
  #send(messages: readonly Uint8Array[]): Promise<Messages> {
    return this.#pglite.execProtocolStream(Buffer.concat([...messages, SYNC]), { syncToFs: false });
  }
}
