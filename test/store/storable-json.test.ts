/** Values that Postgres refuses in text and jsonb: they are kept as far as that goes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { storableJson, storableValue } from "../../src/store/database/storable-json.ts";

const REPLACED = "\uFFFD";

describe("text that Postgres cannot hold", () => {
  it.each([
    ["a NUL", "a\0b", `a${REPLACED}b`],
    ["half of a surrogate pair", "a\uD83D", `a${REPLACED}`],
    ["one in a list", [1, null, "\0", ["\0"]], [1, null, REPLACED, [REPLACED]]],
    ["one in an object", { a: { b: "\0" }, c: true }, { a: { b: REPLACED }, c: true }],
    ["one in a name", { "\0": 1 }, { [REPLACED]: 1 }],
  ])("%s becomes a replacement character, wherever it is", (_what, value, stored) => {
    expect(storableValue(value)).toEqual(stored);
    expect(JSON.parse(storableJson(value))).toEqual(stored);
  });

  it("law: all else is kept, the very same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/\\u(?:0000|d[89a-f])/i.test(text));
        expect(storableValue(value)).toBe(value);
        expect(storableJson(value)).toBe(text);
      }),
    );
  });

  it("is not the mere talk of it", () => {
    const talk = { title: String.raw`the escape \u0000 in a text`, emoji: "😀" };
    expect(storableValue(talk)).toBe(talk);
    expect(JSON.parse(storableJson(talk))).toEqual(talk);
  });
});
