/** Rows that a policy hides from Tandem: a row that is not to be seen is not deleted. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { asLimitedRole } from "../../harness/limited-role.ts";
import { catchRequest, PATCH_ISSUE, POST_ISSUE } from "../../harness/in-flight.ts";
import { APP, connect, SITE, transfer } from "../../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Longer than an event waits between two looks at a row. */
const LATER_MS = 6 * 60_000;

interface Guarded extends SampleTandem {
  readonly taskId: string;
  readonly commentId: string;
  /** The lines of the log. */
  readonly lines: readonly object[];
  /** Lets Tandem see all rows of a table again. */
  show(table: "tasks" | "comments"): Promise<void>;
}

/** A task and a comment that are paired, in tables whose rows Tandem sees unless they are marked private. */
async function givenGuarded(database: TestDatabase): Promise<Guarded> {
  const limited = await asLimitedRole(database);
  const { log, lines } = keptLog();
  const app = await givenSampleTandem(limited, undefined, { log });
  for (const table of ["tasks", "comments"]) {
    await app.sql(`
      alter table ${table} add private boolean not null default false;
      alter table ${table} enable row level security;
      alter table ${table} force row level security;
      create policy guarded on ${table} to ${limited.role} using (not private)`);
  }
  const taskId = await app.addTask({ title: "Shown" });
  await app.settle();
  const commentId = await app.addComment(taskId, "Said by its owner.");
  await app.settle();
  await app.advance(60_000);
  app.github.clearRequests();
  return {
    ...app,
    taskId,
    commentId,
    lines,
    async show(table) {
      await app.sql(`drop policy guarded on ${table}`);
      await app.sql(`create policy shown on ${table} to ${limited.role} using (true)`);
    },
  };
}

function outbound(app: SampleTandem, record: string): Promise<readonly string[]> {
  return app.story(`direction=outbound&record=${record}`);
}

describeOnOneDatabase("rows that a policy hides", (open) => {
  it("S63 an edit of a hidden comment deletes nothing; the event says why, and is sent once it is visible", async () => {
    const app = await givenGuarded(await open());
    await app.sql(
      "update comments set private = true, markdown = 'Edited by its owner.' where id = $1",
      [app.commentId],
    );
    await app.settle();

    expect(app.github.comments(app.repo)).toMatchObject([
      { body: expect.stringContaining("Said by its owner.") },
    ]);
    expect(app.writes()).toBe(0);
    expect((await app.events(`record=comments:${app.commentId}`)).at(-1)).toMatchObject({
      direction: "outbound",
      action: "upsert",
      state: "queued",
      reason: "record_not_visible",
    });
    expect((await app.tandem.sweepRecordsNow())[0]).toMatchObject({ gone: 0 });

    await app.show("comments");
    await app.advance(LATER_MS);
    await app.settle();
    expect(app.github.comments(app.repo)).toMatchObject([
      { body: expect.stringContaining("Edited by its owner.") },
    ]);
    expect(app.writes()).toBe(1);
  });

  it("S63 edits of a hidden task on both sides wait, and are merged once it is visible", async () => {
    const app = await givenGuarded(await open());
    await app.sql("update tasks set private = true, markdown = 'From here' where id = $1", [
      app.taskId,
    ]);
    await app.settle();
    app.github.as("mona").editIssue(app.repo, 1, { title: "From there" });
    await app.settle();

    expect(app.github.issue(app.repo, 1)).toMatchObject({ state: "open", title: "From there" });
    expect(app.writes()).toBe(0);
    expect((await app.story(`record=tasks:${app.taskId}`)).slice(-2)).toEqual([
      "outbound queued record_not_visible",
      "inbound queued record_not_visible",
    ]);

    await app.show("tasks");
    await app.advance(LATER_MS);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "From there", markdown: "From here" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({
      title: "From there",
      body: expect.stringContaining("From here"),
    });
  });

  it("S63 a new row that is hidden gets no counterpart, and the log names it; one that is paired is not named", async () => {
    const app = await givenGuarded(await open());
    await app.sql("insert into tasks (project_id, title, private) values (1, 'Hidden', true)");
    await app.sql("update tasks set private = true, title = 'Renamed' where id = $1", [app.taskId]);
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(app.lines.filter((line) => "rows" in line)).toEqual([
      {
        message: expect.stringContaining("row security hides") as string,
        table: "tasks",
        rows: ["2"],
      },
    ]);
  });

  it("S63 a captured delete of a hidden row is a delete", async () => {
    const app = await givenGuarded(await open());
    await app.sql("update comments set private = true where id = $1", [app.commentId]);
    await app.sql("delete from comments where id = $1", [app.commentId]);
    await app.settle();
    expect(app.github.comments(app.repo)).toEqual([]);
    expect((await outbound(app, `comments:${app.commentId}`)).at(-1)).toBe(
      "outbound completed deleted_resource",
    );
  });

  it("S63 a hidden row that is edited and then deleted is deleted once", async () => {
    const app = await givenGuarded(await open());
    await app.sql("update comments set private = true, markdown = 'Later' where id = $1", [
      app.commentId,
    ]);
    await app.settle();
    await app.sql("delete from comments where id = $1", [app.commentId]);
    await app.settle();
    expect(app.github.comments(app.repo)).toEqual([]);
    expect(app.writes()).toBe(1);
    expect((await outbound(app, `comments:${app.commentId}`)).slice(-2)).toEqual([
      "outbound canceled superseded",
      "outbound completed deleted_resource",
    ]);
  });

  it("S63 an issue that is deleted while its task is hidden archives the task once it is visible", async () => {
    const app = await givenGuarded(await open());
    await app.sql("update tasks set private = true where id = $1", [app.taskId]);
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();
    expect((await app.story(`record=tasks:${app.taskId}`)).at(-1)).toBe(
      "inbound queued record_not_visible",
    );
    expect(await app.task()).toMatchObject({ deleted_at: null });

    await app.show("tasks");
    await app.advance(LATER_MS);
    await app.settle();
    expect(await app.task()).toMatchObject({ deleted_at: expect.any(String) });
  });

  it("S63 a comment below a hidden task is sent and kept", async () => {
    const app = await givenGuarded(await open());
    await app.sql("update tasks set private = true where id = $1", [app.taskId]);
    await app.addComment(app.taskId, "Below it");
    app.github.as("mona").comment(app.repo, 1, "From there");
    await app.settle();
    expect((await app.comments()).map(({ markdown }) => markdown)).toEqual([
      "Said by its owner.",
      "Below it",
      "From there",
    ]);
    expect(app.github.comments(app.repo)).toHaveLength(3);
  });

  it("S63 the answer to a create whose task is hidden meanwhile pairs it once it is visible", async () => {
    const app = await givenGuarded(await open());
    app.github.faults.api.lostAnswer = { rate: 1, applied: true, as: "reset" };
    app.github.faults.webhooks.drop = 1;
    const id = await app.addTask({ title: "Second" });
    await app.settle();
    app.github.faults.api.lostAnswer.rate = 0;
    await app.sql("update tasks set private = true, title = 'Second, edited' where id = $1", [id]);
    await app.advance(LATER_MS);
    await app.settle();
    await app.show("tasks");
    await app.advance(LATER_MS);
    await app.settle();
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual([
      "Shown",
      "Second, edited",
    ]);
  });

  it.each([
    ["an edit", PATCH_ISSUE],
    ["a create", POST_ISSUE],
  ] as const)(
    "S63 the answer to %s whose task is hidden before it comes waits, and ends once it is visible",
    async (kind, request) => {
      const app = await givenGuarded(await open());
      if (kind === "an edit") await app.editTask(app.taskId, { title: "Edited" });
      const id = kind === "an edit" ? app.taskId : await app.addTask({ title: "Edited" });
      const { answer } = await catchRequest(app, request);
      await app.sql("update tasks set private = true where id = $1", [id]);
      await answer();
      expect((await outbound(app, `tasks:${id}`)).at(-1)).toBe(
        "outbound queued record_not_visible",
      );

      await app.show("tasks");
      await app.advance(LATER_MS);
      await app.settle();
      // A look finds that all of it has arrived.
      expect((await outbound(app, `tasks:${id}`)).at(-1)).toBe(
        "outbound completed nothing_to_send",
      );
      expect(app.github.issues(app.repo).at(-1)).toMatchObject({ title: "Edited" });
      expect(app.writes()).toBe(1);
    },
  );

  it("S63 a look for an unanswered edit whose task is hidden before it is answered waits", async () => {
    const app = await givenGuarded(await open());
    app.github.failNext({ ...PATCH_ISSUE, with: "lost-answer" });
    app.github.faults.webhooks.drop = 1;
    await app.editTask(app.taskId, { title: "Edited" });
    await app.settle();
    await app.advance(10_000);
    const { answer } = await catchRequest(app, { method: "GET", path: /\/issues\/1$/ });
    await app.sql("update tasks set private = true where id = $1", [app.taskId]);
    await answer();
    expect((await outbound(app, `tasks:${app.taskId}`)).at(-1)).toBe(
      "outbound queued record_not_visible",
    );

    await app.show("tasks");
    await app.advance(LATER_MS);
    await app.settle();
    expect((await outbound(app, `tasks:${app.taskId}`)).at(-1)).toContain("outbound completed");
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Edited" });
    expect(app.writes()).toBe(1);
  });

  it("S63 S40 a task that is hidden when its issue is transferred follows it once it is visible", async () => {
    const app = await givenGuarded(await open());
    await app.sql("insert into projects (name) values ('App')");
    await connect(app, APP, "2");
    await app.sql("update tasks set private = true where id = $1", [app.taskId]);
    transfer(app, SITE, 1, APP);
    await app.settle();
    expect((await app.story(`record=tasks:${app.taskId}`)).at(-1)).toBe(
      "inbound queued record_not_visible",
    );

    await app.show("tasks");
    await app.advance(LATER_MS);
    await app.settle();
    expect(await app.task()).toMatchObject({ project_id: "2", deleted_at: null });
    expect(await app.pairings(app.taskId)).toMatchObject([{ connection: APP, in_sync: true }]);
    expect(app.github.issues(APP)).toHaveLength(1);
  });
});
