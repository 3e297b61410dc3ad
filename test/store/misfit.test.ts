/** A worker's error when it may not work on a database of another generation. */
import { describe, expect, it } from "vitest";
import { schemaMismatchOf, type SchemaFacts } from "../../src/store/database/schema-mismatch.ts";

const facts: SchemaFacts = { version: 30, needs: 25, mapping: "ours" };

describe("a worker", () => {
  it.each([
    ["that it brings itself", 30, "ours"],
    ["that is newer, and that it may work on", 25, "ours"],
    ["with any mapping, as a worker without mappings of its own", 30, null],
  ])("works on a schema %s", (_which, knows, mapping) => {
    expect(schemaMismatchOf(facts, knows, mapping)).toBeNull();
  });

  it("has its database migrated first, and stops where that needs newer code or other mappings", () => {
    expect(schemaMismatchOf(facts, 31, "ours")).toEqual({
      code: "schema_older",
      message: "the schema is at migration 30, and this version of Tandem needs 31",
      hint: "Run `tandem migrate`. Workers of the version before go on meanwhile, or say that they do not.",
    });
    expect(schemaMismatchOf(facts, 24, "ours")).toEqual({
      code: "schema_newer",
      message:
        "the schema is at migration 30 and needs code that knows 25; this version of Tandem knows 24",
      hint: "Start the version of Tandem here that migrated the database, or a newer one.",
    });
    for (const schema of [facts, { ...facts, mapping: null }]) {
      expect(schemaMismatchOf(schema, 30, "theirs")).toMatchObject({ code: "mapping_differs" });
    }
  });
});
