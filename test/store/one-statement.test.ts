/** Writes as one statement: their parameters keep belonging to them. */
import { describe, expect, it } from "vitest";
import { oneStatement, type Write } from "../../src/store/postgres/driver/one-statement.ts";

const one: Write = { name: "one", text: "update a set x = $2 where id = $1", params: [1, "x"] };
const other: Write = { name: "other", text: "insert into b values ($1, $1, $2)", params: ["b", 2] };

describe("writes as one statement", () => {
  it("are numbered on, each with its own parameters", () => {
    expect(oneStatement([one, other])).toEqual([
      {
        text: [
          "with one as (update a set x = $2 where id = $1",
          "),",
          "other as (insert into b values ($3, $3, $4)",
          ")",
          "select",
        ].join("\n"),
        params: [1, "x", "b", 2],
      },
    ]);
  });

  it("have a text for each order that they come in, and always that", () => {
    const [there] = oneStatement([one, other]);
    const [back] = oneStatement([other, one]);
    expect(back?.text).not.toBe(there?.text);
    expect(back?.params).toEqual(["b", 2, 1, "x"]);
    expect(oneStatement([one, { ...other, params: ["c", 3] }])[0]).toEqual({
      text: there?.text,
      params: [1, "x", "c", 3],
    });
  });

  it("are what they are where there is one, and nothing where there is none", () => {
    expect(oneStatement([one])).toEqual([one]);
    expect(oneStatement([])).toEqual([]);
  });
});
