/** Changes to the sample configuration that stories need. */
import type { AnyConfig } from "../../src/config.ts";
import type { ConflictPolicy } from "../../src/model/mapping.ts";

/** Tasks under another conflict policy. */
export function withConflictPolicy(conflict: ConflictPolicy): (config: AnyConfig) => AnyConfig {
  return (config) => {
    const { tasks, ...others } = config.records;
    const issue = tasks?.sync?.["github.issue"];
    if (tasks === undefined || issue === undefined) throw new Error("tasks are not mapped");
    const sync = { ...tasks.sync, "github.issue": { ...issue, conflict } };
    return { ...config, records: { ...others, tasks: { ...tasks, sync } } };
  };
}
