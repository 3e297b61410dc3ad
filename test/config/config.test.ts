/** The configuration: what it types, what it is compiled to, and what it refuses. */
import { describe, expect, it } from "vitest";
import { compileConfig } from "../../src/compile-config.ts";
import { type AnyConfig, ConfigError, defineConfig } from "../../src/config.ts";
import { github } from "../../src/integrations/github/index.ts";
import type { TandemEvent } from "../../src/model/event.ts";
import { ValidationError } from "../../src/runtime/settings/hooks.ts";
import type { Tandem } from "../../src/server/tandem.ts";

const integrations = { github: github() };

/** Tasks with more said of their mapping. */
function tasksWith(sync: object): AnyConfig {
  return {
    integrations,
    records: {
      tasks: {
        sync: { "github.issue": { scope: "project_id", fields: { title: "title" }, ...sync } },
      },
    },
  };
}

function refusalOf(config: AnyConfig): string {
  try {
    compileConfig(config);
  } catch (error) {
    if (error instanceof ConfigError) return `${error.path} ${error.code}`;
    throw error;
  }
  return "none";
}

describe("hooks", () => {
  it("are typed by the resource, the row and the operation", () => {
    defineConfig({
      integrations,
      records: {
        tasks: {
          sync: {
            "github.issue": {
              scope: "project_id",
              fields: { title: "title" },
              defaults: ({ title, state }, event) => ({
                slug: title?.toLowerCase(),
                closed: state === "closed",
                // @ts-expect-error -- an issue has no such state
                lost: state === "lost",
                source: event.source,
              }),
              derive: (row) => ({ html: String(row.markdown) }),
              apply: async (tx, operation) => {
                if (operation.op === "insert") {
                  // @ts-expect-error -- there is no row before it is inserted
                  if (operation.row.id === 1) throw new ValidationError("no");
                  const [made] = await tx.query<{ id: string }>("insert ... returning id");
                  return made?.id;
                }
                await tx.query("update ...", [operation.row.id]);
                return undefined;
              },
              afterCommit: async ({ op, id, row, event }) => {
                // @ts-expect-error -- the row may be gone
                String(row.title);
                await Promise.resolve([op, id, event.reason]);
              },
            },
          },
        },
      },
    });
    defineConfig({
      integrations,
      records: {
        comments: {
          sync: {
            "github.issue_comment": {
              parent: { column: "task_id", record: "tasks" },
              fields: { markdown: "body" },
              // @ts-expect-error -- a comment has no title
              defaults: ({ title }) => ({ title }),
            },
          },
        },
        notes: {
          sync: {
            "github.issue": {
              scope: "project_id",
              fields: { title: "title" },
              // @ts-expect-error -- a key is text or a number
              apply: () => Promise.resolve({ id: 1 }),
            },
          },
        },
      },
    });
  });

  it("are found by their mapping; constant defaults and computed ones are one thing", () => {
    const event = { source: "webhook" } as TandemEvent;
    const defaultsOf = (defaults: unknown) => {
      const [hooks] = compileConfig(tasksWith({ defaults })).hooks.values();
      return hooks?.defaults({ title: "A" }, event);
    };
    expect(defaultsOf({ position: 1 })).toEqual({ position: 1 });
    expect(
      defaultsOf(({ title }: { title: string }, { source }: TandemEvent) => ({ title, source })),
    ).toEqual({ title: "A", source: "webhook" });
    const { hooks, mappings } = compileConfig(tasksWith({}));
    expect([...hooks.keys()]).toEqual(mappings);
    expect([...hooks.values()]).toMatchObject([{ derive: null, apply: null, afterCommit: null }]);
  });
});

describe("asking for failed webhooks again", () => {
  it("is done every five minutes, as often as is said, or never", () => {
    const every = (redelivery?: AnyConfig["redelivery"]) => {
      const given = redelivery === undefined ? {} : { redelivery };
      return compileConfig({ ...tasksWith({}), ...given }).redeliverMillis;
    };
    expect([every(), every({ minutes: 60 }), every(false)]).toEqual([300_000, 3_600_000, null]);
  });

  it("is refused more often than every minute", () => {
    const refusal = refusalOf({ ...tasksWith({}), redelivery: { minutes: 0.5 } });
    expect(refusal).toBe("redelivery bad_redelivery");
  });
});

describe("the pause between two writes of a record", () => {
  it("is two seconds, as long as is said, or none", () => {
    const pause = (safety?: AnyConfig["safety"]) => {
      const given = safety === undefined ? {} : { safety };
      return compileConfig({ ...tasksWith({}), ...given }).safety.writePause;
    };
    expect([pause(), pause({ writePause: 500 }), pause({ writePause: false })]).toEqual([
      2_000, 500, 0,
    ]);
  });

  it("is refused where it is no time, or so long that edits seem lost", () => {
    const refusals = [-1, Number.NaN, 3_600_001].map((writePause) =>
      refusalOf({ ...tasksWith({}), safety: { writePause } }),
    );
    expect(new Set(refusals)).toEqual(new Set(["safety.writePause bad_write_pause"]));
  });
});

describe("a journal", () => {
  it("needs no sync, and keeps all columns unless it names them", () => {
    const config = defineConfig({
      integrations,
      records: {
        notes: { journal: true },
        pages: { key: "uid", journal: true, columns: ["text"] },
      },
    });
    const { mappings, journals } = compileConfig(config);
    expect(mappings).toEqual([]);
    expect(journals).toEqual([
      { recordType: "notes", key: "id", columns: null },
      { recordType: "pages", key: "uid", columns: ["text"] },
    ]);
  });

  it("is asked for where something would else be done by nobody", () => {
    const refusal = (notes: AnyConfig["records"][string]) =>
      refusalOf({ integrations, records: { notes } });
    expect(refusal({})).toBe("records.notes nothing_to_do");
    expect(refusal({ columns: ["a"], sync: {} })).toBe("records.notes.columns no_journal");
    expect(refusal({ journal: true, columns: [] })).toBe("records.notes.columns no_columns");
  });
});

type Names<Config extends AnyConfig> = Parameters<
  Tandem<keyof Config["records"] & string>["statusOf"]
>[0];

describe("names of records", () => {
  it("go from the configuration to where records are asked for", () => {
    const config = defineConfig({
      integrations,
      records: {
        tasks: {
          sync: { "github.issue": { scope: "project_id", fields: { title: "title" } } },
        },
        notes: { journal: true },
      },
    });
    const known: readonly Names<typeof config>[] = ["tasks", "notes"];
    expect(Object.keys(config.records)).toEqual(known);
    // @ts-expect-error -- there is no such record
    const unknown: Names<typeof config> = "task";
    expect(known).not.toContain(unknown);
  });
});
