/** The sample app with labels, a set to GitHub: its tasks need a column of that name. */
import type { AnyConfig, SyncConfig } from "../../src/config.ts";

export function withLabels(config: AnyConfig): AnyConfig {
  const { tasks } = config.records;
  const issue = tasks?.sync?.["github.issue"] as SyncConfig | undefined;
  if (tasks === undefined || issue === undefined) throw new Error("the sample has no tasks");
  const fields = { ...issue.fields, labels: "labels" };
  const sync = { ...tasks.sync, "github.issue": { ...issue, fields } };
  return { ...config, records: { ...config.records, tasks: { ...tasks, sync } } };
}
