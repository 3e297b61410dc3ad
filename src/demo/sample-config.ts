/** The mapping of the sample app's tables to GitHub: all the code that a user of Tandem writes. */
import { type DatabaseSource, defineConfig, reference } from "../config.ts";
import { github } from "../integrations/github/index.ts";

/** The configuration over the app's own database. */
export function sampleConfig(database: DatabaseSource) {
  return defineConfig({
    database,
    integrations: { github: github() },
    identities: { table: "users", login: { github: "github_login" }, unknown: "placeholder" },
    records: {
      tasks: {
        sync: {
          "github.issue": {
            scope: "project_id",
            initial: "resource",
            softDelete: "deleted_at",
            modifiedAt: "modified_at",
            fields: {
              title: "title",
              markdown: "body",
              owner_id: reference("author", "users"),
              // Five statuses map to two states: only a change between open and closed changes the issue.
              status: {
                field: "state",
                toResource: (row) => (row.status === "done" ? "closed" : "open"),
                toRecord: (state, row) => {
                  if (state === "closed") return "done";
                  return row === null || row.status === "done" ? "todo" : row.status;
                },
              },
            },
          },
        },
      },
      comments: {
        sync: {
          "github.issue_comment": {
            parent: { column: "task_id", record: "tasks" },
            onRecordDeleted: "delete",
            onResourceDeleted: "delete",
            modifiedAt: "modified_at",
            fields: { markdown: "body", author_id: reference("author", "users") },
          },
        },
      },
    },
  });
}
