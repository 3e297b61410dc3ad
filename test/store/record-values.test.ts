/** The parameters by which values of a mapping are written, whatever the type of their column. */
import { describe, expect, it } from "vitest";
import { wallClock } from "../../src/model/wall-clock.ts";
import type { Column } from "../../src/store/postgres/capture/table-shapes.ts";
import { toParameter } from "../../src/store/postgres/records/record-values.ts";

function aColumn(changes: Partial<Column> = {}): Column {
  return {
    name: "value",
    quoted: '"value"',
    type: "text",
    builtin: "text",
    isEnum: false,
    element: null,
    generated: false,
    notNull: false,
    wall: null,
    ...changes,
  };
}

const array = (builtin: string | null) => aColumn({ builtin: "_any", element: { builtin } });

describe("the parameter for a value", () => {
  it.each([
    ["a text", "it's", "it's"],
    ["a number", 1.5, "1.5"],
    ["a large number", 9007199254740993n, "9007199254740993"],
    ["false", false, "false"],
    ["a Date", new Date("2026-03-02T09:00:00Z"), "2026-03-02T09:00:00.000Z"],
    ["bytes", new Uint8Array([0, 255]), "\\x00ff"],
    ["an object", { a: [1] }, '{"a":[1]}'],
    ["an array, in a column that is none", ["a", 1], '["a",1]'],
  ])("that is %s is its text", (_which, value, text) => {
    expect(toParameter(value, aColumn())).toBe(text);
  });

  it.each(["text", "json", "jsonb", "_text"])(
    "that is missing is null in a column of %s",
    (type) => {
      expect(toParameter(null, aColumn({ builtin: type }))).toBeNull();
      expect(toParameter(undefined, aColumn({ builtin: type }))).toBeNull();
    },
  );

  it.each(["json", "jsonb"])("in a column of %s is JSON, texts and arrays included", (builtin) => {
    expect(toParameter("a", aColumn({ builtin }))).toBe('"a"');
    expect(toParameter(["a", null], aColumn({ builtin }))).toBe('["a",null]');
    expect(toParameter(false, aColumn({ builtin }))).toBe("false");
  });

  it("in an array column is the array's text, with quotes, backslashes and nulls", () => {
    expect(toParameter(['say "hi"', "a\\b", "null", null, undefined, 7], array("text"))).toBe(
      '{"say \\"hi\\"","a\\\\b","null",null,null,"7"}',
    );
    expect(toParameter([], array("text"))).toBe("{}");
    expect(toParameter("{a,b}", array("text"))).toBe("{a,b}");
  });

  it("in an array column may have several dimensions, but an element of JSON may be an array", () => {
    expect(toParameter([["a"], ["b"]], array("text"))).toBe('{{"a"},{"b"}}');
    expect(toParameter([["a"], null], array("jsonb"))).toBe('{"[\\"a\\"]",null}');
    expect(toParameter([["a"]], array("json"))).toBe('{"[\\"a\\"]"}');
  });

  describe("that is a time", () => {
    const wall = wallClock("Asia/Kolkata");

    it("is what the app's clock shows in a column without a zone", () => {
      const column = aColumn({ builtin: "timestamp", wall });
      expect(toParameter("2026-03-02T09:00:00.123456Z", column)).toBe("2026-03-02 14:30:00.123456");
      expect(toParameter(new Date("2026-03-02T09:00:00Z"), column)).toBe(
        "2026-03-02 14:30:00.000000",
      );
    });

    it("stays as it is in any other column", () => {
      const column = aColumn({ builtin: "timestamptz" });
      expect(toParameter("2026-03-02T09:00:00Z", column)).toBe("2026-03-02T09:00:00Z");
    });

    it("is left to Postgres where it is no instant", () => {
      expect(toParameter("infinity", aColumn({ builtin: "timestamp", wall }))).toBe("infinity");
    });
  });
});
