/**
 * Configurations as nobody should write them: each is compiled, or refused with a `ConfigError` that says where,
 * why, and what to do about it.
 */
import fc from "fast-check";
import { compileConfig } from "../../src/compile-config.ts";
import { type AnyConfig, ConfigError } from "../../src/config.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { mutate, type Mutation, mutations, oddValue } from "./junk.ts";
import { type FuzzTarget, fuzzTarget, must } from "./target.ts";

const sample = sampleConfig("postgres://localhost/app");
const { tasks, comments } = sample.records;

/** The sample's, with everything that a configuration may have. */
const full = {
  ...sample,
  timeZone: "Asia/Kolkata",
  instance: "production",
  redelivery: { minutes: 5 },
  safety: {
    quarantine: { flips: 6, minutes: 10 },
    blastRadius: { records: 10, share: 0.2 },
    writePause: 2_000,
    readFreshness: 1_000,
  },
  identities: {
    ...sample.identities,
    key: "id",
    attribution: () => null,
    token: () => null,
    placeholder: () => ({}),
  },
  records: {
    tasks: {
      ...tasks,
      key: "id",
      journal: true,
      columns: ["title"],
      sync: {
        "github.issue": {
          ...tasks.sync?.["github.issue"],
          conflict: "field",
          pairBy: ["title"],
          author: "owner_id",
          onResourceDeleted: "archive",
          onRecordDeleted: "close",
          defaults: { status: "todo" },
          derive: () => ({}),
          apply: () => Promise.resolve(null),
          afterCommit: () => Promise.resolve(),
        },
      },
    },
    comments,
  },
};

interface OddConfig {
  readonly of: "sample" | "full";
  readonly changes: readonly Mutation[];
}

const odd = fc.oneof(
  { weight: 5, arbitrary: oddValue },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      undefined,
      Number.NaN,
      Infinity,
      7n,
      Symbol("odd"),
      () => 1,
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(new Date(0), new Map(), Object.create(null)) },
);

export const configs: FuzzTarget = fuzzTarget({
  name: "config",
  share: 0.13,
  inputs: fc.record<OddConfig>({
    of: fc.constantFrom("sample", "full", "full"),
    changes: mutations(odd),
  }),
  open: () => Promise.resolve({ check, close: () => Promise.resolve() }),
});

function check({ of, changes }: OddConfig): Promise<void> {
  const given = mutate(of === "sample" ? sample : full, changes);
  try {
    // A user's configuration may be anything.
    const compiled = compileConfig(given as AnyConfig);
    for (const mapping of compiled.mappings) {
      const { recordType, key, scopeColumn, parent, softDelete, modifiedAt, author } = mapping;
      const names = [
        scopeColumn,
        parent?.column,
        parent?.recordType,
        softDelete,
        modifiedAt,
        author,
      ];
      for (const name of [
        recordType,
        key,
        ...names,
        ...mapping.fields.map(({ column }) => column),
      ]) {
        const isName = name === null || name === undefined || typeof name === "string";
        must(isName, () => `${recordType}: ${String(name)} was taken for a name`);
      }
      for (const { field } of mapping.fields) {
        must(Object.hasOwn(mapping.resource.fields, field), () => `no field ${field}`);
      }
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    must(error.path !== "" && error.code !== "", () => "a refusal without its place");
    must(error.message !== "" && error.hint !== "", () => "a refusal without cause or remedy");
  }
  return Promise.resolve();
}
