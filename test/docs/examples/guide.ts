/** The examples of docs/guide.md, as one app would have them. The declarations stand for the app's own code. */
import {
  createTandem,
  defineConfig,
  reference,
  ValidationError,
  type AppSql,
  type RecordKey,
  type RecordOperation,
} from "../../../src/index.ts";
import { github } from "../../../src/integrations/github/index.ts";

declare function slugify(title: string): string;
declare function render(markdown: string): string;
declare function isTaken(tx: AppSql, title: unknown): Promise<boolean>;
declare function saveTask(tx: AppSql, operation: RecordOperation): Promise<RecordKey>;
declare function isLoggedIn(request: Request): Promise<boolean>;
declare function notify(recordId: string | null, conflicts: readonly unknown[]): void;
declare function show(ids: readonly string[]): void;
declare function alert(hint: string): void;
declare const search: { index(id: string, row: unknown): Promise<void> };
declare const vault: { read(name: string): Promise<string | undefined> };
declare const ids: readonly string[];

const config = defineConfig({
  integrations: { github: github() },
  identities: {
    table: "users",
    login: { github: "github_login" },
    // Called before each create; `integration` and `account` are given as well.
    token: async ({ user }) => {
      const token = await vault.read(`github/${String(user.id)}`);
      return token === undefined ? null : { token };
    },
  },
  records: {
    tasks: {
      sync: {
        "github.issue": {
          scope: "project_id",
          fields: { title: "title", markdown: "body" },
          // On insert only. Plain values are possible as well.
          defaults: ({ title }) => ({ slug: slugify(title ?? "") }),
          // With each write of Tandem's; never sent to GitHub.
          derive: (row) => ({ html: render(String(row.markdown)) }),
          // The app's own code instead of Tandem's SQL, in Tandem's transaction.
          apply: async (tx, operation) => {
            if (operation.op !== "delete" && (await isTaken(tx, operation.patch.title)))
              throw new ValidationError("Choose another title.");
            return saveTask(tx, operation); // for an insert: the new row's key
          },
          // After the commit, at least once.
          afterCommit: ({ id, row }) => search.index(id, row),
        },
      },
    },
    comments: {
      sync: {
        "github.issue_comment": {
          parent: { column: "task_id", record: "tasks" },
          author: "author_id", // posted below the line "**Mona** wrote:"
          fields: { markdown: "body", author_id: reference("author", "users") },
        },
      },
    },
    notes: { journal: true, columns: ["title", "body"] },
  },
});

const tandem = await createTandem(config, { authorize: (request) => isLoggedIn(request) });
const worker = tandem.startWorker();

const status = await tandem.statusOf("tasks", ids);
const unfinished = ids.filter((id) => status[id]?.state !== "in_sync"); // pending, errored, ...

const unsubscribe = tandem.on("conflict", ({ event, conflicts }) => {
  notify(event.recordId, conflicts);
});
tandem.on("errored", ({ error }) => alert(error.hint), { everywhere: true });

show(unfinished);
unsubscribe();
await worker.stop();
await tandem.stop();
