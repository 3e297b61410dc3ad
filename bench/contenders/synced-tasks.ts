/** Tandem's configuration in the bench: tasks and issues, in the way most users map them. */
import type pg from "pg";
import { defineConfig } from "../../src/config.ts";
import { github } from "../../src/integrations/github/index.ts";

/** @param integration The adapter; default: the plain one. */
export function syncedTasks(database: string | pg.Pool, integration = github()) {
  return defineConfig({
    database,
    integrations: { github: integration },
    records: {
      tasks: {
        sync: {
          "github.issue": {
            scope: "project_id",
            initial: "resource",
            modifiedAt: "modified_at",
            fields: {
              title: "title",
              markdown: "body",
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
    },
  });
}
