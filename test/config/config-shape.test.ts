/** Found by fuzzing: a configuration that TypeScript never saw is refused by its path, and never with a TypeError. */
import { describe, expect, it } from "vitest";
import { compileConfig } from "../../src/compile-config.ts";
import { type AnyConfig, ConfigError } from "../../src/config.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";

const sample = sampleConfig("postgres://localhost/app");
const sync = sample.records.tasks.sync;
const issue = sync?.["github.issue"];

function tasksWith(change: object): unknown {
  const changed = { ...issue, ...change };
  return { ...sample, records: { tasks: { sync: { "github.issue": changed } } } };
}

function refusalOf(config: unknown): unknown {
  try {
    // A configuration in JavaScript has no type.
    compileConfig(config as AnyConfig);
    return "it was compiled";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.hint).not.toBe("");
    return `${error.code} ${error.message}`;
  }
}

const TASKS = 'records.tasks.sync["github.issue"]';

describe("a configuration of the wrong form is refused at its place", () => {
  it.each([
    ["nothing", null, "malformed_config default export: "],
    ["no integrations", { ...sample, integrations: undefined }, "malformed_config integrations: "],
    [
      "an integration that is none",
      { ...sample, integrations: { github: 1 } },
      "malformed_config integrations.github: ",
    ],
    ["no records", { ...sample, records: null }, "malformed_config records: "],
    [
      "a record that is none",
      { ...sample, records: { tasks: null } },
      "malformed_config records.tasks: ",
    ],
    [
      "a mapping that is none",
      { ...sample, records: { tasks: { sync: { "github.issue": null } } } },
      `malformed_config ${TASKS}: `,
    ],
    ["no fields", tasksWith({ fields: undefined }), `malformed_config ${TASKS}.fields: `],
    [
      "a field that is none",
      tasksWith({ fields: { title: 1 } }),
      `malformed_config ${TASKS}.fields.title: expected a field's name`,
    ],
    [
      "a field with one function",
      tasksWith({ fields: { title: { field: "title", toRecord: String } } }),
      `malformed_config ${TASKS}.fields.title.toResource: expected a function`,
    ],
    ["a scope that is no name", tasksWith({ scope: () => 1 }), `malformed_config ${TASKS}.scope: `],
    [
      "a column without a name",
      tasksWith({ fields: { "": "title" } }),
      `malformed_config ${TASKS}.fields: `,
    ],
    [
      "a name with NUL",
      tasksWith({ softDelete: "a\0b" }),
      `malformed_config ${TASKS}.softDelete: `,
    ],
    ["an unknown policy", tasksWith({ conflict: "mine" }), `malformed_config ${TASKS}.conflict: `],
    [
      "a parent that is no object",
      tasksWith({ parent: "projects" }),
      `malformed_config ${TASKS}.parent: `,
    ],
    [
      "a hook that is no function",
      tasksWith({ apply: "save" }),
      `malformed_config ${TASKS}.apply: `,
    ],
    ["a pairing by nothing", tasksWith({ pairBy: 7 }), `malformed_config ${TASKS}.pairBy: `],
    [
      "identities without a table",
      { ...sample, identities: { login: {} } },
      "malformed_config identities.table: ",
    ],
    [
      "a pause that is no number",
      { ...sample, safety: { writePause: "2s" } },
      "malformed_config safety.writePause: ",
    ],
    ["an instance that is no name", { ...sample, instance: 7 }, "malformed_config instance: "],
    [
      "a field that only every object has",
      tasksWith({ fields: { title: "constructor" } }),
      `unknown_field ${TASKS}.fields.title: `,
    ],
  ])("%s", (_, config, refusal) => {
    expect(refusalOf(config)).toContain(refusal);
  });

  it.each([
    ["at the root", { ...sample, timezone: "UTC" }, "timezone", "timeZone"],
    [
      "in the safety",
      { ...sample, safety: { readfreshness: 1 } },
      "safety.readfreshness",
      "readFreshness",
    ],
    [
      "in a setting of several forms",
      { ...sample, safety: { quarantine: { flip: 3 } } },
      "safety.quarantine.flip",
      "flips",
    ],
    [
      "in the identities",
      { ...sample, identities: { ...sample.identities, logins: {} } },
      "identities.logins",
      "login",
    ],
    [
      "in a record",
      { ...sample, records: { tasks: { jurnal: true } } },
      "records.tasks.jurnal",
      "journal",
    ],
    ["in a mapping", tasksWith({ softdelete: "deleted_at" }), `${TASKS}.softdelete`, "softDelete"],
    [
      "which hides a required one",
      tasksWith({ fields: undefined, field: {} }),
      `${TASKS}.field`,
      "fields",
    ],
    [
      "in a parent",
      tasksWith({ parent: { colum: "a", record: "b" } }),
      `${TASKS}.parent.colum`,
      "column",
    ],
    [
      "in a translated field",
      tasksWith({ fields: { title: { field: "title", toResource: String, toRecrod: String } } }),
      `${TASKS}.fields.title.toRecrod`,
      "toRecord",
    ],
    [
      "in a reference",
      tasksWith({ fields: { owner: { kind: "reference", field: "assignees", tabel: "users" } } }),
      `${TASKS}.fields.owner.tabel`,
      "table",
    ],
  ])("a mistyped setting %s is refused with the name that was meant", (_, config, path, near) => {
    expect(refusalOf(config)).toBe(
      `unknown_setting ${path}: there is no such setting. Did you mean "${near}"?`,
    );
  });

  it("a setting unlike any other is refused with the names that exist", () => {
    expect(refusalOf({ ...sample, redelivery: { every: 5 } })).toBe(
      "unknown_setting redelivery.every: there is no such setting. Known: minutes.",
    );
  });

  it("and one of the right form is compiled", () => {
    expect(refusalOf(tasksWith({}))).toBe("it was compiled");
    expect(refusalOf({ ...sample, records: { tasks: { journal: true } } })).toBe("it was compiled");
  });
});

function hintOf(config: unknown): string {
  try {
    compileConfig(config as AnyConfig);
    return "it was compiled";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.code} ${error.hint}`;
  }
}

describe("a name that is nearly a known one is recognised", () => {
  const { "github.issue_comment": comment } = sample.records.comments.sync ?? {};
  const tasks = (name: string): unknown => ({
    ...sample,
    records: { tasks: { sync: { [name]: issue } } },
  });

  it.each([
    ["an integration", tasks("gihub.issue"), 'unknown_integration .*"github"'],
    ["a resource", tasks("github.isue"), 'unknown_resource .*"github.issue"'],
    ["a field", tasksWith({ fields: { title: "titel" } }), 'unknown_field .*"title"'],
    [
      "a parent's table",
      {
        ...sample,
        records: {
          ...sample.records,
          comments: {
            sync: {
              "github.issue_comment": { ...comment, parent: { column: "task_id", record: "task" } },
            },
          },
        },
      },
      'unmapped_parent .*"tasks"',
    ],
  ])("%s", (_, config, hint) => {
    expect(hintOf(config)).toMatch(new RegExp(`${hint.replace(".*", ".* Did you mean ")}\\?$`));
  });

  it("a reference to another table than the users' is refused", () => {
    const fields = { owner_id: { kind: "reference", field: "assignees", table: "people" } };
    expect(refusalOf(tasksWith({ fields }))).toBe(
      `wrong_reference ${TASKS}.fields.owner_id: it refers to the table "people", but the users are in "users"`,
    );
  });
});
