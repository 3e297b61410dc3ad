/** The sample configuration, less who wrote what: then an event needs nothing but the database. */
import { expect } from "vitest";
import type { AnyConfig, SyncConfig } from "../../src/config.ts";

/** Records do not name their author, so a new one needs nothing but its own table. */
export function withoutAuthors(config: AnyConfig): AnyConfig {
  const { tasks, comments } = config.records;
  const issue = tasks?.sync?.["github.issue"] as SyncConfig | undefined;
  const comment = comments?.sync?.["github.issue_comment"] as SyncConfig | undefined;
  if (tasks === undefined || comments === undefined) throw new Error("the sample has changed");
  if (issue === undefined || comment === undefined) throw new Error("the sample has changed");
  const { owner_id: owner, ...ofTasks } = issue.fields;
  const { author_id: author, ...ofComments } = comment.fields;
  expect([owner, author]).not.toContain(undefined);
  return {
    ...config,
    records: {
      tasks: { ...tasks, sync: { "github.issue": { ...issue, fields: ofTasks } } },
      comments: {
        ...comments,
        sync: { "github.issue_comment": { ...comment, fields: ofComments } },
      },
    },
  };
}
