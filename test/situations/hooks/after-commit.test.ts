/** The hook that follows a commit: at least once, whoever dies when. */
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { claimDue } from "../../../src/runtime/worker/claim-due.ts";
import type { CommittedWrite } from "../../../src/runtime/settings/hooks.ts";
import { processClaimed } from "../../../src/runtime/worker/process-claimed.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { withHooks } from "../../harness/sample-hooks.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const NEVER = new AbortController().signal;

/** Works on what is due, and does not come to what follows the commit. */
async function processOnly({ tandem }: SampleTandem): Promise<void> {
  const book = await DirectorySnapshot.open(tandem.services);
  for (const claimed of await claimDue(tandem.services, book, "doomed", 60_000, 16)) {
    await processClaimed(tandem.services, claimed, book, NEVER);
  }
}

describeOnOneDatabase("afterCommit", (open) => {
  it("hears of each write that was committed, with the row and the event", async () => {
    const heard: CommittedWrite[] = [];
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        onResourceDeleted: "delete",
        afterCommit: (write) => void heard.push(write),
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "One" });
    await app.settle();
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Two" });
    await app.settle();
    await app.advance(5_000);
    mona.deleteIssue(app.repo, 1);
    await app.settle();
    expect(heard.map(({ op, row, event }) => [op, row?.title, event.reason])).toEqual([
      ["insert", "One", "created_record"],
      ["update", "Two", "updated_record"],
      ["delete", "Two", "deleted_record"],
    ]);
    expect(await app.sql("select * from tandem.after_commits")).toEqual([]);
  });

  it("hears of the event that made each write, where several were committed", async () => {
    const heard: CommittedWrite[] = [];
    const app = await givenSampleTandem(
      await open(),
      withHooks({ afterCommit: (write) => void heard.push(write) }),
    );
    app.holdWebhooks();
    for (const title of ["One", "Two", "Three"])
      app.github.as("mona").openIssue(app.repo, { title });
    await app.tandem.syncNow();
    await processOnly(app);
    await app.settle();
    const told = heard.map(({ row, event }) => [row?.title, event.externalId]);
    expect(told.sort()).toEqual([
      ["One", "1"],
      ["Three", "3"],
      ["Two", "2"],
    ]);
  });

  it("runs at another worker where the process died between commit and hook", async () => {
    const heard: string[] = [];
    const app = await givenSampleTandem(
      await open(),
      withHooks({ afterCommit: ({ op, id }) => void heard.push(`${op} ${id}`) }),
    );
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.tandem.syncNow();
    await processOnly(app);
    expect(await app.task()).toMatchObject({ title: "One" });
    expect(heard).toEqual([]);

    await app.settle();
    expect(heard).toEqual([`insert ${(await app.task()).id}`]);
  });

  it("runs again after the lease where the process died within the hook", async () => {
    let calls = 0;
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        // The first worker never comes back from it.
        afterCommit: () => ((calls += 1) === 1 ? new Promise<void>(() => undefined) : undefined),
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.github.answered();
    const doomed = app.tandem.startWorker();
    await expect.poll(() => calls, { timeout: 10_000 }).toBe(1);
    void doomed.kill();
    await app.settle();
    expect(calls).toBe(1);

    await app.advance(61_000);
    await app.settle();
    expect(calls).toBe(2);
    expect(await app.sql("select * from tandem.after_commits")).toEqual([]);
  });

  it("that never ends is given up and run again, by the same worker", async () => {
    let calls = 0;
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        afterCommit: () => ((calls += 1) === 1 ? new Promise<void>(() => undefined) : undefined),
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.github.answered();
    const worker = app.tandem.startWorker();
    await expect.poll(() => calls, { timeout: 10_000 }).toBe(1);
    const passed = async () => {
      await app.advance(2_000);
      return calls;
    };
    await expect.poll(passed, { timeout: 20_000 }).toBe(2);
    await worker.stop();
    expect(await app.sql("select * from tandem.after_commits")).toEqual([]);
  });

  it("is tried again with pauses where it fails, and holds nothing up", async () => {
    const heard: unknown[] = [];
    let broken = true;
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        afterCommit: ({ row }) => {
          if (broken && row?.title === "Bad") throw new Error("no index today");
          heard.push(row?.title);
        },
      }),
      { log },
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Bad" });
    mona.openIssue(app.repo, { title: "Good" });
    await app.settle();
    expect(heard).toEqual(["Good"]);
    expect(await app.sql("select attempts from tandem.after_commits")).toEqual([{ attempts: 1 }]);
    const bad = (await app.tasks()).find(({ title }) => title === "Bad");
    const [created] = await app.events(`record=tasks:${bad?.id ?? ""}`);
    expect(lines).toEqual([
      {
        message: "an afterCommit hook failed; it is run again",
        record: `tasks ${bad?.id ?? ""}`,
        event: created?.id,
        attempts: 1,
        error: "no index today",
      },
    ]);

    // Sooner than its lease would pass it on.
    await app.advance(5_000);
    await app.settle();
    expect(await app.sql("select attempts from tandem.after_commits")).toEqual([{ attempts: 2 }]);

    mona.editIssue(app.repo, 2, { title: "Better" });
    await app.settle();
    expect(await app.story("state=completed")).toHaveLength(3);

    broken = false;
    await app.advance(15 * 60_000);
    await app.settle();
    expect(heard).toEqual(["Good", "Better", "Bad"]);
  });

  it("keeps the order of a record's writes, also where the first of them fails", async () => {
    const tried: string[] = [];
    let broken = true;
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        afterCommit: ({ op }) => {
          tried.push(op);
          if (broken) throw new Error("no index today");
        },
      }),
    );
    app.holdWebhooks();
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "One" });
    await app.tandem.syncNow();
    await processOnly(app);
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Two" });
    await app.tandem.syncNow();
    await processOnly(app);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Two" });
    expect(tried).toEqual(["insert"]);

    broken = false;
    await app.advance(15 * 60_000);
    await app.settle();
    expect(tried).toEqual(["insert", "insert", "update"]);
    expect(await app.sql("select * from tandem.after_commits")).toEqual([]);
  });

  it("costs nothing where no mapping has one", async () => {
    const app = await givenSampleTandem(await open());
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.tandem.syncNow();
    await processOnly(app);
    expect(await app.tasks()).toHaveLength(1);
    expect(await app.sql("select * from tandem.after_commits")).toEqual([]);
  });
});
