/** The errors that an operator reads while the database is in trouble: the cause, and the remedy. */
import { describe, expect, it } from "vitest";
import {
  AbortedTransactionError,
  ConnectionLostError,
  LostWorkError,
  NoAnswerError,
  NoConnectionError,
  ReadOnlyDatabaseError,
} from "../../src/store/database/database.ts";
import { describeTrouble, textOf } from "../../src/store/database/database-trouble.ts";
import { parseInstant } from "../../src/model/instant.ts";

const cause = new Error("timeout exceeded when trying to connect");

describe("a database in trouble", () => {
  it.each([
    [
      "that ended a connection",
      new ConnectionLostError("rolled_back", cause),
      {
        code: "connection_lost",
        message: "the connection to the database was lost; the transaction was rolled back",
        hint: "Postgres' own log says why. Work that was committed stays.",
      },
    ],
    [
      "that does not answer",
      new NoAnswerError(2_000),
      {
        code: "database_slow",
        message: "the database did not answer within 2 seconds",
        hint: "It cannot be reached, is overloaded, or all connections of this process are in use: look at its host, its log and pg_stat_activity.",
      },
    ],
    [
      "that has no free connection in its pool",
      new NoConnectionError("busy", cause),
      {
        code: "no_free_connection",
        message: `all connections of this process were in use: ${cause.message}`,
        hint: "Let this process do less at once (`--concurrency`), give it a larger pool, or look for transactions that stand still in pg_stat_activity.",
      },
    ],
    [
      "that may be another than it was",
      new LostWorkError(null),
      {
        code: "database_changed",
        message: "the database may be another than it was: it is looked at before anything is done",
        hint: "It is tried again after a look at the database.",
      },
    ],
    [
      "that lost what it had committed",
      new LostWorkError(parseInstant("2026-03-02T09:00:00Z")),
      {
        code: "work_lost",
        message:
          "the database lost work that was committed: a replica without it took over, or storage was set back",
        hint: "Nothing is sent until `tandem approve instance`; then everything is read again first.",
      },
    ],
    [
      "that is a standby",
      new ReadOnlyDatabaseError(),
      {
        code: "database_read_only",
        message: "the database takes no writes: it is a standby, or was made read-only",
        hint: "Let the config's database URL lead to the primary: a standby takes no writes until it is promoted.",
      },
    ],
  ])("%s says so, and what to do", (_which, error, told) => {
    expect(describeTrouble(error)).toEqual(told);
  });

  it.each([
    [
      "database_unreachable",
      "Check that Postgres runs, and host and port in the config's database URL.",
      ["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ECONNRESET"],
    ],
    [
      "database_unreachable",
      "Check that Postgres runs, and host and port in the config's database URL.",
      ["EAI_AGAIN", "08001"],
    ],
    [
      "too_many_connections",
      "Raise the limit of the server, database or role, or run fewer processes: each of Tandem's takes up to 11.",
      ["53300"],
    ],
    ["disk_full", "Make room on the database's disk. Nothing was half written.", ["53100"]],
    [
      "database_read_only",
      "Let the config's database URL lead to the primary: a standby takes no writes until it is promoted.",
      ["25006"],
    ],
    [
      "database_starting",
      "It starts, stops or recovers: wait until it takes connections.",
      ["57P03"],
    ],
    [
      "database_unavailable",
      "Connections were ended: Postgres' own log says why. Work that was committed stays.",
      ["57P01", "57P02", "08006", "08003"],
    ],
  ])("is %s by the error's code", (code, hint, states) => {
    for (const state of states) {
      const error = Object.assign(new Error("it failed"), { code: state });
      expect(describeTrouble(error)).toEqual({ code, message: "it failed", hint });
    }
  });

  it("that could not be reached within the limit tells of a host, and not of a full pool", () => {
    expect(describeTrouble(new NoConnectionError("unreachable", cause))).not.toMatchObject({
      code: "no_free_connection",
    });
  });

  it("that was too slow for a connection is slow, and has not ended it", () => {
    const slow = new NoAnswerError(5_000);
    expect(describeTrouble(new ConnectionLostError("unknown", slow))).toEqual(
      describeTrouble(slow),
    );
  });

  it("at none of whose addresses anything listens names each of them", () => {
    const refused = ["::1:5432", "127.0.0.1:5432"].map(
      (address) => new Error(`connect ECONNREFUSED ${address}`),
    );
    const all = Object.assign(new AggregateError(refused), { code: "ECONNREFUSED" });
    expect(describeTrouble(all)).toMatchObject({
      code: "database_unreachable",
      message: "connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432",
    });
  });

  it("is not what every error tells of", () => {
    expect(describeTrouble(new TypeError("x is not a function"))).toBeNull();
    expect(
      describeTrouble(Object.assign(new Error("duplicate key"), { code: "23505" })),
    ).toBeNull();
    expect(describeTrouble(new AbortedTransactionError())).toBeNull();
    expect(new AbortedTransactionError().message).toBe(
      "the transaction was rolled back because a statement in it had failed",
    );
  });
});

it.each([
  [new Error("said"), "said"],
  [new TypeError(""), "TypeError"],
  [new AggregateError([new Error("a")], "several failed"), "several failed"],
  ["a text", "a text"],
])("the text of %j is what there is of one", (thrown, text) => {
  expect(textOf(thrown)).toBe(text);
});
