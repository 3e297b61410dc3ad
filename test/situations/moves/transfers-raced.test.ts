/** A transfer that is followed while another transaction commits what belongs to the issue. */
import { expect, it } from "vitest";
import type { Store, StoreTransaction } from "../../../src/store/store.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { APP, ELSEWHERE, givenPaired, said, SITE, transfer } from "../../harness/projects.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

interface Interrupted extends SampleTandem {
  /** Happens once, behind the next look for what belongs to a resource: before its lanes are locked. */
  between: (deed: () => Promise<void>) => void;
}

/** An issue with a comment, both paired, whose followers can be interrupted. */
async function givenInterrupted(database: TestDatabase): Promise<Interrupted> {
  let deed: (() => Promise<void>) | null = null;
  const interrupting = (tx: StoreTransaction): StoreTransaction => ({
    ...tx,
    async findLanes(query) {
      const found = await tx.findLanes(query);
      if (query.kind !== "children") return found;
      const now = deed;
      deed = null;
      await now?.();
      return found;
    },
  });
  const app = await givenSampleTandem(database, undefined, {
    wrapStore: (store: Store): Store => ({
      ...store,
      transaction: (work, beginning) =>
        store.transaction((tx, seen) => work(interrupting(tx), seen), beginning),
    }),
  });
  app.github.createRepository({ owner: "acme", name: "elsewhere" });
  app.github.as("mona").openIssue(SITE, { title: "Broken link" });
  await app.settle();
  app.github.as("mona").comment(SITE, 1, "I see it too.");
  await app.settle();
  await app.advance(60_000);
  return {
    ...app,
    between(next) {
      deed = next;
    },
  };
}

describeOnOneDatabase("an issue that is transferred out of reach", (open, kind) => {
  // PGlite has one session, so that nothing commits within another transaction.
  it.runIf(kind === "postgres")(
    "S40: takes along a comment that comes in while the transfer is followed, and comes back with it",
    async () => {
      const app = await givenInterrupted(await open());
      app.holdWebhooks();
      app.github.as("mona").comment(SITE, 1, "Said just before.");
      const [commented] = app.held();
      app.github.as("acme").transferIssue(SITE, 1, ELSEWHERE);
      const [, ...transferred] = app.held();
      app.github.clearFaults();
      if (commented === undefined) throw new Error("no webhook is held");
      let cameIn = 0;
      app.between(async () => {
        await app.release(commented);
        await app.tandem.settle();
        cameIn = (await app.comments()).length;
      });
      await app.release(...transferred);
      await app.settle();

      // It came in within the transfer, and not before or after it.
      expect(cameIn).toBe(2);
      expect(await app.story("record=comments:2")).toEqual([
        "inbound completed created_record",
        "inbound completed moved_away",
      ]);

      await app.advance(5_000);
      app.github.as("acme").transferIssue(ELSEWHERE, 1, SITE);
      await app.settle();
      await app.sql("update comments set markdown = markdown || ' Really.'");
      await app.settle();
      expect(said(app, SITE)).toEqual(["I see it too. Really.", "Said just before. Really."]);
      expect(await app.comments()).toHaveLength(2);
      expect(await app.events("state=errored")).toEqual([]);
    },
  );
});

describeOnOneDatabase("an issue that got a second task where it was transferred to", (open) => {
  it("S40: says what was written into that and never sent, before that task goes", async () => {
    const app = await givenPaired(await open());
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    const moved = app.held();
    await app.advance(2_000);
    app.github.as("mona").editIssue(APP, 1, { title: "Theirs there" });
    await app.release(...app.held().filter(({ action }) => action === "edited"));
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id: app.taskId }, { title: "Theirs there" }]);
    // No trigger fires, as in a restore, so that nothing is sent of it.
    await app.sql("alter table tasks disable trigger user");
    await app.sql("update tasks set title = 'Ours there' where project_id = 2");
    await app.sql("alter table tasks enable trigger user");
    await app.release(...moved);
    app.github.clearFaults();
    await app.settle();

    expect(await app.tasks()).toMatchObject([
      { id: app.taskId, project_id: "2", title: "Theirs there" },
    ]);
    const followed = (await app.events()).find(({ reason }) => reason === "followed_move");
    expect(followed?.conflicts).toMatchObject([
      {
        ...{ field: "title", winner: "resource", why: "record_deleted" },
        ...{ kept: "Theirs there", lost: "Ours there" },
      },
    ]);
    expect(app.github.issues(APP)).toMatchObject([{ title: "Theirs there" }]);
    expect(app.writes()).toBe(0);
  });
});
