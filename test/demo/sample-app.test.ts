/** The sample app's own promises: it works with no Tandem anywhere. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { sampleApp, type SampleApp } from "../../src/demo/sample-app.ts";
import type { Database } from "../../src/store/database/database.ts";
import { openDatabase } from "../../src/store/postgres/driver/open-database.ts";
import { describeOnOneDatabase, type TestDatabase } from "../harness/databases.ts";

describeOnOneDatabase("the sample app", (open) => {
  let app: SampleApp;
  let sql: TestDatabase["sql"];
  let database: Database;

  beforeAll(async () => {
    const test = await open();
    sql = (text, params) => test.sql(text, params);
    database = await openDatabase(test.pglite ?? test.url);
    app = sampleApp(database);
    await app.install();
  });
  beforeEach(() => sql("truncate tasks, comments, users"));
  afterAll(() => database.close());

  it("installs its tables once", async () => {
    expect(await app.install()).toBe(false);
    expect(await app.tasks()).toEqual([]);
  });

  it("keeps what it is told, and changes only what it is told to", async () => {
    const grace = await app.addUser({ name: "Grace", githubLogin: "grace" });
    const id = await app.createTask({ title: "Fix the door", markdown: "It squeaks." }, grace);
    await app.addComment(id, "Oil it.", grace);
    expect(await app.updateTask(id, { status: "doing" })).toBe(true);

    expect(await app.tasks()).toMatchObject([
      {
        id,
        title: "Fix the door",
        markdown: "It squeaks.",
        status: "doing",
        owner: "Grace",
        comments: [{ markdown: "Oil it.", author: "Grace" }],
      },
    ]);
  });

  it("puts a row that anybody inserts at the end of the list", async () => {
    await app.createTask({ title: "First" });
    await sql("insert into tasks (project_id, title) values (1, 'By psql')");
    expect((await app.tasks()).map((task) => task.title)).toEqual(["First", "By psql"]);
  });

  it("moves a task by one place, and not beyond the ends", async () => {
    const first = await app.createTask({ title: "First" });
    await app.createTask({ title: "Second" });
    expect(await app.moveTask(first, "up")).toBe(true);
    expect(await app.moveTask(first, "down")).toBe(true);
    expect((await app.tasks()).map((task) => task.title)).toEqual(["Second", "First"]);
  });

  it("hides a deleted task and says that it is gone", async () => {
    const id = await app.createTask({ title: "Fix the door" });
    expect(await app.deleteTask(id)).toBe(true);
    expect(await app.tasks()).toEqual([]);
    expect(await app.deleteTask(id)).toBe(false);
    expect(await app.updateTask(id, { title: "Still here?" })).toBe(false);
    expect(await app.addComment(id, "Still here?")).toBeNull();
  });

  it("edits and deletes comments", async () => {
    const task = await app.createTask({ title: "Fix the door" });
    const comment = (await app.addComment(task, "Oil it.")) ?? "";
    expect(await app.updateComment(comment, "Grease it.")).toBe(true);
    expect((await app.tasks())[0]?.comments[0]?.markdown).toBe("Grease it.");
    expect(await app.deleteComment(comment)).toBe(true);
    expect((await app.tasks())[0]?.comments).toEqual([]);
  });
});
