/** Messages for people about a failing database. The error's code selects the message, never its text. */
import {
  ConnectionLostError,
  LostWorkError,
  NoAnswerError,
  NoConnectionError,
  sqlState,
} from "./database.ts";

export interface DatabaseTrouble {
  readonly code: string;
  readonly message: string;
  /** The next step for the reader. */
  readonly hint: string;
}

const TROUBLES: readonly (Omit<DatabaseTrouble, "message"> & {
  readonly states: readonly string[];
})[] = [
  {
    states: [
      ...["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ECONNRESET"],
      ...["EAI_AGAIN", "08001"],
    ],
    code: "database_unreachable",
    hint: "Check that Postgres runs, and host and port in the config's database URL.",
  },
  {
    states: ["53300"],
    code: "too_many_connections",
    hint: "Raise the limit of the server, database or role, or run fewer processes: each of Tandem's takes up to 11.",
  },
  {
    states: ["53100"],
    code: "disk_full",
    hint: "Make room on the database's disk. Nothing was half written.",
  },
  {
    states: ["25006"],
    code: "database_read_only",
    hint: "Let the config's database URL lead to the primary: a standby takes no writes until it is promoted.",
  },
  {
    states: ["57P03"],
    code: "database_starting",
    hint: "It starts, stops or recovers: wait until it takes connections.",
  },
  {
    states: ["57P01", "57P02", "08006", "08003"],
    code: "database_unavailable",
    hint: "Connections were ended: Postgres' own log says why. Work that was committed stays.",
  },
];

/** Describes the trouble that an error tells of; `null` where it tells of none. */
export function describeTrouble(thrown: unknown): DatabaseTrouble | null {
  if (thrown instanceof ConnectionLostError) {
    if (thrown.cause instanceof NoAnswerError) return describeTrouble(thrown.cause);
    const hint = "Postgres' own log says why. Work that was committed stays.";
    return { code: "connection_lost", message: thrown.message, hint };
  }
  if (thrown instanceof LostWorkError) {
    const code = thrown.lost === null ? "database_changed" : "work_lost";
    const hint =
      thrown.lost === null
        ? "It is tried again after a look at the database."
        : "Nothing is sent until `tandem approve instance`; then everything is read again first.";
    return { code, message: thrown.message, hint };
  }
  if (thrown instanceof NoConnectionError && thrown.reason === "busy") {
    const hint =
      "Let this process do less at once (`--concurrency`), give it a larger pool, or look for transactions that stand still in pg_stat_activity.";
    return { code: "no_free_connection", message: thrown.message, hint };
  }
  if (thrown instanceof NoAnswerError) {
    const hint =
      "It cannot be reached, is overloaded, or all connections of this process are in use: look at its host, its log and pg_stat_activity.";
    return { code: "database_slow", message: thrown.message, hint };
  }
  const state = sqlState(thrown);
  const known = TROUBLES.find(({ states }) => state !== null && states.includes(state));
  if (known === undefined) return null;
  return { code: known.code, message: textOf(thrown), hint: known.hint };
}

/** Whether the database reported an unknown schema, table, function or column. */
export function isSchemaMissing(thrown: unknown): boolean {
  return ["3F000", "42P01", "42883", "42703"].includes(sqlState(thrown) ?? "");
}

/** Node wraps several failed attempts to connect in one error without a text of its own. */
export function textOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") {
    return thrown.errors.map(textOf).join("; ");
  }
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message === "" ? thrown.name : thrown.message;
}
