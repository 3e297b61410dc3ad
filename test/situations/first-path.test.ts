/** The thin path: one edit in, one edit out, and quiet afterwards. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../harness/databases.ts";
import { givenSampleTandem } from "../harness/sample-tandem.ts";

describeOnOneDatabase("the thin path", (open) => {
  it("brings an issue in as a task and a task's edit out to the issue", async () => {
    const app = await givenSampleTandem(await open());

    app.github.as("mona").openIssue(app.repo, { title: "Broken link", body: "On the front page" });
    await app.settle();
    const task = await app.task();
    expect(task).toMatchObject({
      title: "Broken link",
      markdown: "On the front page",
      status: "todo",
      owner_id: "1",
      project_id: "1",
    });

    await app.advance(5_000);
    await app.editTask(task.id, { title: "Broken links", status: "done" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Broken links", state: "closed" });
    expect(app.writes()).toBe(1);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "outbound completed updated_resource",
      // GitHub tells the two changes of our one request apart: edited, closed.
      "inbound duplicate same_content",
      "inbound duplicate same_content",
    ]);
  });

  it("opens an issue for a task written with plain SQL, once", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "From SQL", markdown: "plain" });
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(1);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "From SQL" });
    expect(app.writes()).toBe(1);
    expect(await app.tasks()).toHaveLength(1);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
  });
});
