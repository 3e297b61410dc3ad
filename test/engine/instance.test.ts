/** Whose database it is: what counts as ours, and what must not post. */
import { describe, expect, it } from "vitest";
import { judgeInstance } from "../../src/engine/instance.ts";

const kindOf = (...given: Parameters<typeof judgeInstance>) => judgeInstance(...given).kind;

describe("a database", () => {
  it("is ours where it is what it was, and anybody's who finds it first", () => {
    const stored = { name: "prod", place: "1/5" };
    expect(kindOf(null, stored)).toBe("new");
    expect(kindOf(stored, stored)).toBe("ours");
    expect(kindOf({ name: null, place: "1/5" }, { name: null, place: "1/5" })).toBe("ours");
  });

  it("may be given a name, and is worked on under no other from then on", () => {
    expect(kindOf({ name: null, place: "1/5" }, { name: "prod", place: "1/5" })).toBe("new");
    expect(kindOf({ name: "prod", place: "1/5" }, { name: "staging", place: "1/5" })).toBe(
      "foreign",
    );
    expect(kindOf({ name: "prod", place: "1/5" }, { name: null, place: "1/5" })).toBe("foreign");
  });

  it("is a copy where it lives elsewhere, whatever its name", () => {
    expect(kindOf({ name: "prod", place: "1/5" }, { name: "prod", place: "1/6" })).toBe("foreign");
    expect(kindOf({ name: null, place: "1/5" }, { name: null, place: "2/5" })).toBe("foreign");
  });

  it("is judged by its name alone where its server does not tell the place", () => {
    expect(kindOf({ name: "prod", place: "1/5" }, { name: "prod", place: null })).toBe("ours");
    expect(kindOf({ name: "prod", place: null }, { name: "prod", place: "1/5" })).toBe("new");
    expect(kindOf({ name: "prod", place: null }, { name: null, place: null })).toBe("foreign");
  });
});
