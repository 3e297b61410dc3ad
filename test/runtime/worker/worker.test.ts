/** The worker's loops: who is woken by what. Time stands still, so nobody comes by themselves. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { connect } from "../../harness/projects.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
import { withoutAuthors } from "../../harness/without-authors.ts";

/** A busy machine has its time. */
const SOON = { timeout: 20_000 };

describeOnOneDatabase("a worker", (open) => {
  it("that is woken asks for nothing that only time brings", async () => {
    const app = await givenSampleTandem(await open());
    const polled = () => app.sql("select from tandem.connections where polled_at is not null");
    const worker = app.tandem.startWorker();
    await expect.poll(async () => (await polled()).length, SOON).toBe(1);
    // Due to be polled, and nobody looks before it is time to look.
    await app.sql("update tandem.connections set polled_at = null");
    for (const number of [1, 2, 3]) {
      await app.addTask({ title: `Task ${String(number)}` });
      worker.wake();
      await expect.poll(() => app.github.issues(app.repo).length, SOON).toBe(number);
    }
    await worker.stop();
    expect(await polled()).toEqual([]);
  });

  it("looks each minute whether a sweep is due, and each second whether a poll is", async () => {
    const app = await givenSampleTandem(await open());
    const worker = app.tandem.startWorker();
    const marks = async () =>
      app.sql<Record<string, string | null>>(
        "select polled_at, swept_at, local_swept_at from tandem.connections",
      );
    const missing = async () => {
      const [all = {}] = await marks();
      return Object.entries(all).flatMap(([name, at]) => (at === null ? name : []));
    };
    await expect.poll(missing, SOON).not.toContain("polled_at");
    // Its loops have their first turns, and rest.
    for (let turn = 0; turn < 30; turn += 1) await app.status();
    await app.sql(
      "update tandem.connections set polled_at = null, swept_at = '2000-01-01', local_swept_at = '2000-01-01'",
    );
    app.clock.advance(1_000);
    await expect.poll(missing, SOON).toEqual([]);
    const swept = async () =>
      app.sql("select from tandem.connections where swept_at > '2001-01-01'");
    const sweptHere = async () =>
      app.sql("select from tandem.connections where local_swept_at > '2001-01-01'");
    for (let turn = 0; turn < 30; turn += 1) await app.status();
    expect(await Promise.all([swept(), sweptHere()])).toEqual([[], []]);
    app.clock.advance(59_000);
    await expect.poll(async () => (await swept()).length, SOON).toBe(1);
    await expect.poll(async () => (await sweptHere()).length, SOON).toBe(1);
    await worker.stop();
  });

  it("that drains an edit sends it at once", async () => {
    const app = await givenSampleTandem(await open());
    const worker = app.tandem.startWorker();
    const id = await app.addTask({ title: "Fix it" });
    worker.wake("changes");
    await expect.poll(() => app.github.issues(app.repo).length, SOON).toBe(1);
    await expect
      .poll(async () => (await app.story(`record=tasks:${id}`)).join())
      .toMatch(/completed/);
    await worker.stop();
  });

  it("hears at once of what it wrote as a webhook came in, for another resource of the record", async () => {
    const app = await givenSampleTandem(await open(), withoutAuthors);
    await connect(app, "acme/mirror", "1");
    app.github.as("mona").openIssue(app.repo, { title: "Old" });
    await app.settle();
    await app.advance(60_000);
    await app.settle();
    expect(app.github.issues("acme/mirror")).toMatchObject([{ title: "Old" }]);
    const worker = app.tandem.startWorker();
    // Its loops have their first turns, and rest.
    for (let turn = 0; turn < 30; turn += 1) await app.status();

    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    await app.release(...app.held());
    await expect
      .poll(() => app.github.issues("acme/mirror"), SOON)
      .toMatchObject([{ title: "New" }]);
    await worker.stop();
  });

  it("that cannot hear of work says so, and looks for it instead", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), undefined, {
      log,
      wrapStore: (store) => ({ ...store, onWork: () => Promise.reject(new Error("not heard")) }),
    });
    const worker = app.tandem.startWorker();
    await app.addTask({ title: "Found" });
    await expect
      .poll(() => {
        app.clock.advance(300);
        return app.github.issues(app.repo).length;
      }, SOON)
      .toBe(1);
    await worker.stop();
    expect(lines).toContainEqual({
      message: "notifications about work are not available; the worker polls for it",
      error: "not heard",
    });
  });

  it("sends the next edit while the answer to the one before is merged", async () => {
    let takeIn: () => void = () => undefined;
    const takenIn = new Promise<void>((resolve) => {
      takeIn = resolve;
    });
    const app = await givenSampleTandem(await open(), undefined, {
      failpoints: { reach: async (point) => (point === "after:send" ? takenIn : undefined) },
    });
    for (const title of ["One", "Two", "Three"]) await app.addTask({ title });
    const worker = app.tandem.startWorker({ concurrency: 1 });
    await expect.poll(() => app.github.issues(app.repo).length, SOON).toBe(2);
    // It does not go on and on: answers under way count again if there are as many as places.
    for (let turn = 0; turn < 30; turn += 1) await app.status();
    expect(app.github.issues(app.repo)).toHaveLength(2);
    takeIn();
    await expect.poll(() => app.github.issues(app.repo).length, SOON).toBe(3);
    await worker.stop();
  });
});
