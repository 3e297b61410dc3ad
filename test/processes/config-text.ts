/** The sample app's configuration as a user writes it: modules of ours come by the package's name. */
export function configText(url: string): string {
  return `
import { defineConfig, reference } from "tandem-sync";
import { github } from "tandem-sync/github";

export default defineConfig({
  database: ${JSON.stringify(url)},
  integrations: { github: github() },
  identities: { table: "users", login: { github: "github_login" }, unknown: "placeholder" },
  records: {
    tasks: {
      sync: {
        "github.issue": {
          scope: "project_id",
          softDelete: "deleted_at",
          modifiedAt: "modified_at",
          fields: {
            title: "title",
            markdown: "body",
            owner_id: reference("author", "users"),
            status: {
              field: "state",
              toResource: (row) => (row.status === "done" ? "closed" : "open"),
              toRecord: (state, row) =>
                state === "closed" ? "done" : row === null || row.status === "done" ? "todo" : row.status,
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
          fields: { markdown: "body", author_id: reference("author", "users") },
        },
      },
    },
  },
});
`;
}
