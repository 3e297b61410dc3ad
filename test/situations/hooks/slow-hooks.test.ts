/** The app's own code while Tandem holds its row: it has its time, and no more. */
import type pg from "pg";
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { saveAsAnOrm as save, withHooks } from "../../harness/sample-hooks.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("a slow hook,", (open) => {
  it("as derive, is cut off where it never ends, and the row is the app's again", async () => {
    let began = false;
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        derive: ({ title }) => {
          if (title !== "Slow") return {};
          began = true;
          return new Promise(() => undefined);
        },
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "One" });
    await app.settle();
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Slow" });
    const settled = app.settle();
    await expect.poll(() => began, { timeout: 10_000 }).toBe(true);
    app.clock.advance(20_000);
    await settled;
    expect((await app.events()).at(-1)).toMatchObject({
      state: "errored",
      error: {
        code: "hook_too_slow",
        message: "the mapping's derive of tasks did not end within 20 seconds",
        hint: expect.stringContaining("no HTTP in derive") as string,
        retryable: false,
      },
    });
    const { id } = await app.task();
    await app.editTask(id, { status: "doing" });
    expect(await app.task()).toMatchObject({ title: "One", status: "doing" });
  });

  it("as apply that waits for a connection which waits for it, is cut off, and the app's writer goes on", async () => {
    let began = false;
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx, operation) => {
          if (operation.op === "update" && !began) {
            began = true;
            await app.sql("update tasks set markdown = 'mine'");
          }
          return save(tx, operation);
        },
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "One", body: "" });
    await app.settle();
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Two" });
    const settled = app.settle();
    await expect.poll(() => began, { timeout: 10_000 }).toBe(true);
    app.clock.advance(20_000);
    await settled;
    await expect.poll(async () => (await app.task()).markdown).toBe("mine");
    await app.settle();

    const [event] = await app.events("state=errored");
    expect(event).toMatchObject({
      attempts: 1,
      error: {
        code: "hook_too_slow",
        message: "the mapping's apply of tasks did not end within 20 seconds",
        retryable: false,
      },
    });
    expect(event?.error?.hint).toMatch(/afterCommit/);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Two", body: "mine" });
  });

  it("as apply that comes back after it was cut off, writes nothing with what it was lent", async () => {
    let began = false;
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let late: unknown = null;
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx) => {
          const client = tx.client as Pick<pg.PoolClient, "query">;
          began = true;
          await woken;
          const write = client.query("insert into tasks (project_id, title) values (1, 'late')");
          late = await write.then(
            () => "written",
            () => "refused",
          );
          return undefined;
        },
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    const settled = app.settle();
    await expect.poll(() => began, { timeout: 10_000 }).toBe(true);
    app.clock.advance(20_000);
    await settled;
    wake();
    await expect.poll(() => late, { timeout: 10_000 }).toBe("refused");
    expect(await app.tasks()).toEqual([]);
  });
});
