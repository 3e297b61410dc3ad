/** What a worker says that may not work on a database of another generation. */
import { describe, expect, it } from "vitest";
import type { Mapping } from "../../src/model/mapping.ts";
import { mappingDigest, misfitOf, type SchemaFacts } from "../../src/store/misfit.ts";
import { aMapping, issueType, plainField } from "../engine/builders.ts";

const facts: SchemaFacts = { version: 30, needs: 25, mapping: "ours" };

describe("a worker", () => {
  it.each([
    ["that it brings itself", 30, "ours"],
    ["that is newer, and that it may work on", 25, "ours"],
    ["whatever it was migrated for, where it has no mappings of its own", 30, null],
  ])("works on a schema %s", (_which, knows, mapping) => {
    expect(misfitOf(facts, knows, mapping)).toBeNull();
  });

  it("has its database migrated first, and stops where that needs newer code or other mappings", () => {
    expect(misfitOf(facts, 31, "ours")).toEqual({
      code: "schema_older",
      message: "the schema is at migration 30, and this version of Tandem needs 31",
      hint: "Run `tandem migrate`. Workers of the version before go on meanwhile, or say that they do not.",
    });
    expect(misfitOf(facts, 24, "ours")).toEqual({
      code: "schema_newer",
      message:
        "the schema is at migration 30 and needs code that knows 25; this version of Tandem knows 24",
      hint: "Start the version of Tandem here that migrated the database, or a newer one.",
    });
    for (const schema of [facts, { ...facts, mapping: null }]) {
      expect(misfitOf(schema, 30, "theirs")).toEqual({
        code: "mapping_differs",
        message: "the mappings of this process are not those that the database was migrated for",
        hint: "Restart it with the tandem.config.ts that was migrated last, or run `tandem migrate` with this one.",
      });
    }
  });
});

describe("two workers", () => {
  const tasks = aMapping({ fields: [plainField("title"), plainField("markdown", "body")] });
  const notes = aMapping({
    recordType: "notes",
    resource: { ...issueType, type: "issue_comment" },
    parent: { column: "task_id", recordType: "tasks" },
  });
  const agreed = mappingDigest([tasks, notes]);

  it("agree on mappings that are written in another order", () => {
    const [title, body] = tasks.fields;
    if (title === undefined || body === undefined) throw new Error("two fields are mapped");
    expect(mappingDigest([notes, { ...tasks, fields: [body, title] }])).toBe(agreed);
  });

  it.each<[string, readonly Mapping[]]>([
    ["one of two mappings", [tasks]],
    ["another rule for conflicts", [{ ...tasks, conflict: "record" }, notes]],
    ["another resource", [{ ...tasks, resource: { ...issueType, type: "ticket" } }, notes]],
    ["no parent", [tasks, { ...notes, parent: null }]],
    [
      "another column of the parent",
      [tasks, { ...notes, parent: { column: "issue_id", recordType: "tasks" } }],
    ],
    ["fewer fields", [{ ...tasks, fields: [plainField("title")] }, notes]],
    [
      "another column of a field",
      [{ ...tasks, fields: [plainField("title"), plainField("text", "body")] }, notes],
    ],
    [
      "another field of a column",
      [{ ...tasks, fields: [plainField("title"), plainField("markdown", "state")] }, notes],
    ],
    [
      "a column that refers to users",
      [
        {
          ...tasks,
          fields: [plainField("title"), { ...plainField("markdown", "body"), references: "users" }],
        },
        notes,
      ],
    ],
  ])("do not agree where one has %s", (_which, mappings) => {
    expect(mappingDigest(mappings)).not.toBe(agreed);
  });
});
