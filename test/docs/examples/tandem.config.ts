/** The configuration that README.md shows. */
import { defineConfig, reference } from "../../../src/index.ts";
import { github } from "../../../src/integrations/github/index.ts";

export default defineConfig({
  database: process.env.DATABASE_URL, // also from .env; absent: an embedded PGlite under .tandem/
  integrations: { github: github() },
  identities: { table: "users", login: { github: "github_login" } },
  records: {
    tasks: {
      sync: {
        "github.issue": {
          scope: "project_id", // the column that selects the repository
          fields: {
            title: "title",
            markdown: "body",
            owner_id: reference("author", "users"),
            status: {
              field: "state",
              toResource: (row) => (row.status === "done" ? "closed" : "open"),
              toRecord: (state, row) =>
                state === "closed"
                  ? "done"
                  : row?.status === "done"
                    ? "todo"
                    : (row?.status ?? "todo"),
            },
          },
        },
      },
    },
    comments: {
      sync: {
        "github.issue_comment": {
          parent: { column: "task_id", record: "tasks" },
          fields: { markdown: "body" },
        },
      },
    },
  },
});
