import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonical,
  canonicalValue,
  type Content,
  digest,
  type FieldKind,
  type FieldSpecs,
  type Json,
  pick,
  sameValue,
  seenOver,
  storableText,
} from "../../src/model/content.ts";

const specs: FieldSpecs = {
  title: { kind: "line", writable: true },
  body: { kind: "text", writable: true },
  labels: { kind: "set", writable: true },
  author: { kind: "actor", writable: false },
  state: { kind: "value", writable: true },
};

const kinds: readonly FieldKind[] = ["line", "text", "value", "set", "actor"];
const messyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", " ", "\r", "\n", "\0", "\uD800", "\u{1F600}", "\t") }),
);
const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
const actor = fc.record({ id: fc.constantFrom("1", "2"), login: fc.string() });
const value: fc.Arbitrary<Json> = fc.oneof(messyText, json, actor, fc.array(messyText));
const content: fc.Arbitrary<Content> = fc.dictionary(
  fc.constantFrom(...Object.keys(specs), "unmapped"),
  value,
);

describe("canonical content", () => {
  it("law: canonical is idempotent", () => {
    fc.assert(
      fc.property(content, (given) => {
        const once = canonical(given, specs);
        expect(canonical(once, specs)).toEqual(once);
      }),
    );
  });

  it("law: canonical text can be stored: well formed, without NUL, lines ended by LF", () => {
    fc.assert(
      fc.property(messyText, (text) => {
        const stored = storableText(text);
        expect(stored.isWellFormed()).toBe(true);
        expect(stored).not.toMatch(/[\0\r]/);
      }),
    );
  });

  it("law: a line has a space for each run of white space with a line end, and none around it", () => {
    const blanks = fc.string({
      unit: fc.constantFrom("a", " ", "\n", "\r", "\t", "\u00A0", "\u2028"),
    });
    fc.assert(
      fc.property(blanks, (text) => {
        const oneLine = storableText(text)
          .replaceAll(/\s*\n\s*/g, " ")
          .trim();
        expect(canonicalValue(text, "line")).toBe(oneLine);
      }),
    );
  });

  it("reads a title of a million spaces in linear time", () => {
    const blank = " ".repeat(1_000_000);
    expect(canonicalValue(`a${blank}b\n${blank}c${blank}`, "line")).toBe(`a${blank}b c`);
  });

  it("law: a set says the same in any order and with repetitions", () => {
    fc.assert(
      fc.property(fc.array(messyText), (items) => {
        const twice = [...items, ...items].reverse();
        expect(canonicalValue(twice, "set")).toEqual(canonicalValue(items, "set"));
      }),
    );
  });

  it.each([
    ["line", "  a \r\n b ", "a b"],
    ["line", null, null],
    ["text", null, ""],
    ["text", "a\r\nb\rc\0", "a\nb\nc\uFFFD"],
    ["text", " a ", " a "],
    ["value", "\uD800", "\uFFFD"],
    ["set", ["b", "a", "b"], ["a", "b"]],
    ["set", null, null],
    ["value", 7, 7],
  ] as const)("makes of a %s %j: %j", (kind, given, expected) => {
    expect(canonicalValue(given, kind)).toEqual(expected);
  });

  it("cleans texts inside structured values: what holds them cannot hold a NUL either", () => {
    const given = { name: "a\0", list: ["\r\n", { deep: "\uDFFF" }] };
    expect(canonicalValue(given, "value")).toEqual({
      name: "a\uFFFD",
      list: ["\n", { deep: "\uFFFD" }],
    });
  });

  it("leaves out what is not mapped, and what was not seen", () => {
    expect(canonical({ title: "a", other: "b" }, specs)).toEqual({ title: "a" });
  });
});

describe("the same content", () => {
  it("law: a digest is equal exactly when the content says the same", () => {
    fc.assert(
      fc.property(content, content, (a, b) => {
        const [left, right] = [canonical(a, specs), canonical(b, specs)];
        const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
        const same = [...fields].every((field) => sameValue(left[field], right[field]));
        expect(digest(left) === digest(right)).toBe(same);
      }),
    );
  });

  it("law: it survives a round trip through jsonb, which reorders keys", () => {
    fc.assert(
      fc.property(content, (given) => {
        const stored = canonical(given, specs);
        const back = JSON.parse(
          JSON.stringify(Object.fromEntries(Object.entries(stored).reverse())),
        ) as Content;
        expect(digest(back)).toBe(digest(stored));
      }),
    );
  });

  it("law: values of one kind are the same as themselves, both ways round", () => {
    fc.assert(
      fc.property(value, value, fc.constantFrom(...kinds), (a, b, kind) => {
        const [left, right] = [canonicalValue(a, kind), canonicalValue(b, kind)];
        expect(sameValue(left, left)).toBe(true);
        expect(sameValue(left, right)).toBe(sameValue(right, left));
      }),
    );
  });

  it("knows a user by id, whatever the login is now", () => {
    const before = { id: "1", login: "ada" };
    expect(sameValue(before, { id: "1", login: "lovelace" })).toBe(true);
    expect(sameValue(before, { id: "2", login: "ada" })).toBe(false);
    expect(digest({ author: before })).toBe(digest({ author: { id: "1", login: "lovelace" } }));
  });

  it("tells not seen from null", () => {
    expect(sameValue(undefined, null)).toBe(false);
    expect(digest({ title: null })).not.toBe(digest({}));
  });
});

describe("a field that was not seen", () => {
  it("is taken from what was known before", () => {
    expect(seenOver({ title: "A", body: "a" }, { title: "B" })).toEqual({ title: "B", body: "a" });
    expect(seenOver(null, { title: "B" })).toEqual({ title: "B" });
  });

  it("is not picked", () => {
    expect(pick({ title: "A" }, ["title", "body"])).toEqual({ title: "A" });
  });
});
