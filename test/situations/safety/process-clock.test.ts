/** Situation 10: a process whose own clock is an hour off; its times are the database's, so others read them correctly. */
import { expect, it } from "vitest";
import { addMillis, formatInstant } from "../../../src/model/instant.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

const HOUR_MS = 3_600_000;

describeOnOneDatabase("a process whose clock is wrong", (open) => {
  for (const [direction, processAheadMillis] of [
    ["ahead", HOUR_MS],
    ["behind", -HOUR_MS],
  ] as const) {
    const given = async () =>
      givenSampleTandem(await open(), (config) => config, { processAheadMillis });

    it(`S10 an hour ${direction}: an account pauses for as long as its provider asks`, async () => {
      const app = await given();
      app.github.faults.api.secondaryLimit = { retryAfterSeconds: 30, status: 429 };
      await app.addTask({ title: "Soon" });
      const until = formatInstant(addMillis(app.clock.now(), 30_000));
      await app.tandem.settle();
      const { accounts } = await app.status();
      expect(accounts).toMatchObject([{ state: "paused", paused_until: until }]);
      expect(await app.events()).toMatchObject([{ state: "queued", run_at: until }]);

      app.github.clearFaults();
      await app.advance(30_000);
      await app.settle();
      expect(app.github.issues(app.repo)).toMatchObject([{ title: "Soon" }]);
    });

    it(`S10 an hour ${direction}: a read that lags is told from one that does not`, async () => {
      const app = await given();
      app.github.as("mona").openIssue(app.repo, { title: "Old" });
      await app.settle();
      await app.advance(20_000);
      // Two edits of one second: which is the later, only a read tells.
      app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
      await app.settle();
      app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
      app.github.faults.api.staleReads = { rate: 1, lagMs: { min: 15_000, max: 15_000 } };
      await app.settle();
      expect(await app.events()).toMatchObject([
        {},
        { state: "completed" },
        { state: "queued", reason: "retry", error: { code: "stale_read" } },
      ]);
      expect(await app.task()).toMatchObject({ title: "First" });

      app.github.faults.api.staleReads.rate = 0;
      await app.settleWithin(1);
      expect(await app.task()).toMatchObject({ title: "Second" });
    });

    it(`S10 an hour ${direction}: a backfill leaves half of the budget to others`, async () => {
      const app = await given();
      app.github.faults.webhooks.drop = 1;
      for (let number = 1; number <= 250; number += 1) {
        app.github.as("mona").openIssue(app.repo, { title: `Issue ${String(number)}` });
      }
      await app.tandem.backfill(app.connection.id);
      app.github.on("request", ({ path }) => {
        if (path.endsWith("/issues")) app.github.setRateLimit("tandem-bot", 1_000, 3_000);
      });
      await app.settle();
      // It may have asked for a second page before it heard of the budget, and for no third one.
      expect(app.github.calls({ path: /issues$/ })).toBeLessThan(3);
      expect((await app.tandem.backfills())[0]?.progress.waitsFor).toContain("interactive edits");

      await app.advance(3_001_000);
      await app.settle();
      expect(await app.tasks()).toHaveLength(250);
    });
  }

  for (const [direction, aheadMillis] of [
    ["ahead of", HOUR_MS],
    ["behind", -HOUR_MS],
  ] as const) {
    it(`S10 a provider's clock an hour ${direction} ours: bulk work waits until its budget is reset`, async () => {
      const app = await givenSampleTandem(await open());
      app.setGitHubAhead(aheadMillis);
      app.github.faults.webhooks.drop = 1;
      app.github.as("mona").openIssue(app.repo, { title: "Listed" });
      app.github.setRateLimit("tandem-bot", 100, 3_000);
      await app.addTask({ title: "By hand" });
      await app.settle();
      await app.tandem.backfill(app.connection.id);
      await app.advance(1_000_000);
      await app.settle();
      expect(await app.tasks()).toHaveLength(1);

      await app.advance(2_001_000);
      await app.settle();
      expect((await app.tasks()).map(({ title }) => title)).toEqual(["By hand", "Listed"]);
    });
  }
});
