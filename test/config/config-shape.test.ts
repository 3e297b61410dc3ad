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
      `malformed_config ${TASKS}.fields.title: `,
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

  it("and one of the right form is compiled", () => {
    expect(refusalOf(tasksWith({}))).toBe("it was compiled");
    expect(refusalOf({ ...sample, records: { tasks: { journal: true } } })).toBe("it was compiled");
  });
});
