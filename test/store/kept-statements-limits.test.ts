/** Which statements are kept prepared, to the last repetition and character, and which errors cost one its name. */
import { describe, expect, it } from "vitest";
import {
  KeptStatements,
  StatementLostError,
} from "../../src/store/postgres/driver/kept-statements.ts";

const SELECT = "select $1";

/** Asks for a statement's name so often; returns the last answer. */
function ask(kept: KeptStatements, text: string, times: number): string | null {
  let name: string | null = null;
  for (let time = 0; time < times; time += 1) name = kept.nameOf(text);
  return name;
}

function keeping(text = SELECT): KeptStatements {
  const kept = new KeptStatements(true);
  ask(kept, text, 3);
  return kept;
}

describe("a statement gets a name", () => {
  it("from its fourth time on, the same each time", () => {
    const kept = new KeptStatements(true);
    expect(ask(kept, SELECT, 3)).toBeNull();
    const name = kept.nameOf(SELECT);
    expect(name).toMatch(/^tandem_[0-9a-f]{40}$/);
    expect(kept.nameOf(SELECT)).toBe(name);
    expect(ask(keeping(), SELECT, 1)).toBe(name);
    expect(ask(keeping("select $2"), "select $2", 1)).not.toBe(name);
  });

  it("never on a database that keeps none", () => {
    expect(ask(new KeptStatements(false), SELECT, 10)).toBeNull();
  });

  it("up to 8,192 characters", () => {
    const kept = new KeptStatements(true);
    expect(ask(kept, "x".repeat(8_192), 4)).not.toBeNull();
    expect(ask(kept, "x".repeat(8_193), 10)).toBeNull();
  });

  it("as long as there are fewer than 256", () => {
    const kept = new KeptStatements(true);
    for (let number = 1; number <= 256; number += 1) {
      expect(ask(kept, `select ${String(number)}`, 4)).not.toBeNull();
    }
    expect(ask(kept, "select 257", 10)).toBeNull();
    expect(kept.nameOf("select 256")).not.toBeNull();
  });

  it("unless so many others were asked in between that counting began again", () => {
    const among = (others: number) => {
      const kept = new KeptStatements(true);
      ask(kept, SELECT, 2);
      for (let number = 0; number < others; number += 1) kept.nameOf(`select ${String(number)}`);
      return ask(kept, SELECT, 2);
    };
    expect(among(1_022)).not.toBeNull();
    expect(among(1_024)).toBeNull();
  });
});

describe("a use of a connection", () => {
  it("learns whether an earlier use has parsed the statement", () => {
    const kept = new KeptStatements(true);
    const [connection, first, second] = [{}, {}, {}];
    expect(kept.isOlder("a", connection, first)).toBe(false);
    expect(kept.isOlder("a", connection, first)).toBe(false);
    expect(kept.isOlder("a", connection, second)).toBe(true);
    expect(kept.isOlder("b", connection, second)).toBe(false);
    expect(kept.isOlder("a", {}, second)).toBe(false);
  });
});

describe("a kept statement that fails", () => {
  const failure = (code: string, routine?: string) =>
    Object.assign(new Error("it failed"), { code, routine });

  it.each(["26000", "42P05"])("for its name (%s) ends all keeping", (code) => {
    const kept = keeping();
    const error = failure(code);
    const lost = kept.failureOf(error, SELECT, false);
    expect(lost).toBeInstanceOf(StatementLostError);
    expect(lost).toMatchObject({
      name: "StatementLostError",
      code: "40001",
      message: "a statement that was prepared is not there any more, or not as it was",
      cause: error,
    });
    expect(ask(kept, SELECT, 5)).toBeNull();
  });

  it.each(["42804", "42883", "22P02", "22003"])(
    "for a type (%s) that an earlier use fixed is counted from zero",
    (code) => {
      const kept = keeping();
      expect(kept.failureOf(failure(code), SELECT, true)).toBeInstanceOf(StatementLostError);
      expect(ask(kept, SELECT, 3)).toBeNull();
      expect(kept.nameOf(SELECT)).not.toBeNull();
    },
  );

  it.each(["42804", "22P02"])("for a type (%s) of its first use fails with that error", (code) => {
    const kept = keeping();
    const error = failure(code);
    expect(kept.failureOf(error, SELECT, false)).toBe(error);
    expect(kept.nameOf(SELECT)).not.toBeNull();
  });

  it("for a plan that returns other columns than before is lost, and stays kept", () => {
    const kept = keeping();
    const error = failure("0A000", "RevalidateCachedQuery");
    expect(kept.failureOf(error, SELECT, false)).toBeInstanceOf(StatementLostError);
    expect(kept.nameOf(SELECT)).not.toBeNull();
  });

  it.each([
    ["a feature that Postgres has not", failure("0A000", "transformSelectStmt")],
    ["another error of the same place", failure("42P01", "RevalidateCachedQuery")],
    ["a row that is there", failure("23505")],
    ["no code at all", new Error("it failed")],
  ])("for %s fails with that error", (_which, error) => {
    const kept = keeping();
    expect(kept.failureOf(error, SELECT, true)).toBe(error);
    expect(kept.nameOf(SELECT)).not.toBeNull();
  });
});
