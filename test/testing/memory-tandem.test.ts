/** The whole of Tandem on a database in memory: what a user's own tests look like. */
import { expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_TABLES } from "../../src/demo/sample-tables.ts";
import {
  createMemoryDatabase,
  createTestTandem,
  TEST_LOGIN,
  TEST_REPOSITORY,
} from "../../src/testing/index.ts";

/** The sample app with one project, which is connected, and one user. */
async function givenTandem() {
  const app = createMemoryDatabase({ tables: SAMPLE_TABLES });
  await app.insert("projects", { name: "Site" });
  const { id: mona } = await app.insert("users", { name: "Mona", github_login: "mona" });
  const test = await createTestTandem({ config: sampleConfig(app) });
  return { app, mona, test, github: test.github };
}

it("an issue becomes a task, the task's edit goes back, and nothing is doubled", async () => {
  const { app, mona, test, github } = await givenTandem();

  const { number } = github.as("mona").openIssue(TEST_REPOSITORY, { title: "Ship", body: "Now" });
  await test.settle();
  expect(await app.rows("tasks")).toMatchObject([
    { project_id: "1", owner_id: mona, title: "Ship", markdown: "Now", status: "todo" },
  ]);

  await app.update("tasks", "1", { title: "Ship it", status: "done" });
  await test.settle();
  expect(github.issues(TEST_REPOSITORY)).toMatchObject([
    { number, title: "Ship it", body: "Now", state: "closed" },
  ]);
  expect(await app.rows("tasks")).toHaveLength(1);

  const events = await test.tandem.services.store.ledger.events({ limit: 10 });
  expect(events.map(({ direction, state, reason }) => `${direction} ${state} ${reason}`)).toEqual([
    "inbound duplicate same_content",
    "inbound duplicate same_content",
    "outbound completed updated_resource",
    "inbound completed created_record",
  ]);
});

it("a task and its comment become an issue with a comment, and end with it", async () => {
  const { app, test, github } = await givenTandem();
  const task = await app.insert("tasks", { project_id: "1", title: "Plan" });
  await app.insert("comments", { task_id: task.id, markdown: "First" });
  await test.settle();
  expect(github.issues(TEST_REPOSITORY)).toMatchObject([
    { title: "Plan", state: "open", author: TEST_LOGIN },
  ]);
  expect(github.comments(TEST_REPOSITORY)).toMatchObject([
    { body: expect.stringMatching(/^First/) },
  ]);

  await app.delete("tasks", task.id);
  await test.settle();
  expect(await app.rows("comments")).toEqual([]);
  expect(github.issues(TEST_REPOSITORY)).toMatchObject([{ state: "closed" }]);
});

it("a row that the app holds is not waited for", async () => {
  const { app, test, github } = await givenTandem();
  const { number } = github.as("mona").openIssue(TEST_REPOSITORY, { title: "A" });
  await test.settle();

  const release = app.holdRow("tasks", "1");
  github.as("mona").editIssue(TEST_REPOSITORY, number, { title: "B" });
  await test.settle();
  expect(await app.row("tasks", "1")).toMatchObject({ title: "A" });

  release();
  await test.settleWithin(5);
  expect(await app.row("tasks", "1")).toMatchObject({ title: "B" });
});
