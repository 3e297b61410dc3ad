/** The sample's mapping of tasks with hooks. */
import type { AnyConfig, SyncConfig } from "../../src/config.ts";
import type { GitHubIssue } from "../../src/integrations/github/index.ts";
import type { RecordOperation } from "../../src/runtime/settings/hooks.ts";
import type { AppSql } from "../../src/store/store.ts";

type Hooks = Pick<SyncConfig<GitHubIssue>, "defaults" | "derive" | "apply" | "afterCommit"> &
  Partial<Pick<SyncConfig<GitHubIssue>, "onResourceDeleted">>;

/** The sample's mapping of tasks, with hooks. */
export function withHooks(hooks: Hooks): (config: AnyConfig) => AnyConfig {
  return (config) => {
    const { tasks, ...others } = config.records;
    const issue = tasks?.sync?.["github.issue"] as object;
    const sync = { ...tasks?.sync, "github.issue": { ...issue, ...hooks } };
    return { ...config, records: { ...others, tasks: { ...tasks, sync } } };
  };
}

/** A text that cannot be translated where the title says so. */
export function withPoison(config: AnyConfig): AnyConfig {
  const { tasks } = config.records;
  const sync = tasks?.sync?.["github.issue"] as SyncConfig;
  const markdown = {
    field: "body",
    toResource: (row: Readonly<Record<string, unknown>>) => {
      if (String(row.title).startsWith("Poisoned")) throw new Error("cannot be rendered");
      return String(row.markdown);
    },
    toRecord: (value: unknown) => value,
  };
  return {
    ...config,
    records: {
      ...config.records,
      tasks: {
        ...tasks,
        sync: { "github.issue": { ...sync, fields: { ...sync.fields, markdown } } },
      },
    },
  };
}

/** Stands for an ORM: writes any patch through the given connection. */
export async function saveAsAnOrm(
  tx: AppSql,
  { op, row, patch }: RecordOperation,
): Promise<string> {
  const columns = Object.keys(patch);
  const values = Object.values(patch);
  if (op === "insert") {
    const places = columns.map((_, index) => `$${String(index + 1)}`);
    const [task] = await tx.query<{ id: string }>(
      `insert into tasks (${columns.join(", ")}) values (${places.join(", ")}) returning id`,
      values,
    );
    return task?.id ?? "";
  }
  const id = String(row.id);
  if (op === "delete") await tx.query("delete from tasks where id = $1", [id]);
  else {
    const set = columns.map((column, index) => `${column} = $${String(index + 2)}`);
    await tx.query(`update tasks set ${set.join(", ")} where id = $1`, [id, ...values]);
  }
  return id;
}
