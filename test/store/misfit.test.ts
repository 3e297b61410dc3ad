/** A worker's error when it may not work on a database of another generation. */
import { describe, expect, it } from "vitest";
import type { Mapping } from "../../src/model/mapping.ts";
import {
  mappingDigest,
  schemaMismatchOf,
  type SchemaFacts,
} from "../../src/store/database/schema-mismatch.ts";
import { aMapping, issueType, plainField } from "../engine/builders.ts";

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
      expect(schemaMismatchOf(schema, 30, "theirs")).toEqual({
        code: "mapping_differs",
        message: "the mappings of this process are not those that the database was migrated for",
        hint: "Restart it with the tandem.config.ts that was migrated last, or run `tandem migrate` with this one.",
      });
    }
  });
});

describe("the digest of mappings", () => {
  const comments = aMapping({
    recordType: "comments",
    resource: { ...issueType, type: "issue_comment" },
    parent: { column: "task_id", recordType: "tasks" },
  });
  const fields = [plainField("title"), plainField("markdown", "body")];

  it("is the same in any order of mappings and fields, whatever their functions do", () => {
    const changed = fields.map((field) => ({ ...field, toRecord: () => null })).reverse();
    expect(mappingDigest([comments, aMapping({ fields: changed })])).toBe(
      mappingDigest([aMapping({ fields }), comments]),
    );
  });

  it.each<[string, Partial<Mapping>]>([
    ["the table", { recordType: "todos" }],
    ["the integration", { integration: "linear" }],
    ["the type of resource", { resource: { ...issueType, type: "pull_request" } }],
    ["the key", { key: "uuid" }],
    ["the scope", { scopeColumn: null }],
    ["a rule", { conflict: "record" }],
    ["the parent", { parent: comments.parent }],
    ["a field's column", { fields: [plainField("headline", "title"), ...fields.slice(1)] }],
    ["a field's name", { fields: [plainField("title", "body"), ...fields.slice(1)] }],
    [
      "a field's reference",
      { fields: [{ ...plainField("title"), references: "users" }, ...fields.slice(1)] },
    ],
    ["the number of fields", { fields: fields.slice(1) }],
  ])("differs by %s", (_what, change) => {
    expect(mappingDigest([aMapping({ fields, ...change })])).not.toBe(
      mappingDigest([aMapping({ fields })]),
    );
  });

  it("differs by the parent's column", () => {
    const other = { ...comments, parent: { ...comments.parent, column: "todo_id" } as never };
    expect(mappingDigest([other])).not.toBe(mappingDigest([comments]));
  });
});
