/** The sample's mapping of tasks with hooks. */
import type { AnyConfig, SyncConfig } from "../../src/config.ts";
import type { GitHubIssue } from "../../src/integrations/github/index.ts";

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
