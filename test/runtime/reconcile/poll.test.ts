/** The poll: what it asks for, what it saves of the answers, and when it is due. */
import { expect, it } from "vitest";
import { addMillis, formatInstant } from "../../../src/model/instant.ts";
import { pollConnection, pollDue } from "../../../src/runtime/reconcile/poll.ts";
import {
  type Contact,
  DirectorySnapshot,
} from "../../../src/runtime/services/directory-snapshot.ts";
import { pairedBy } from "../../harness/backfilled.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { connect, join } from "../../harness/projects.ts";
import { givenIssue, givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { givenTwoAccounts, SHOP } from "../../harness/two-accounts.ts";

const MINUTE = 60_000;

async function contactOf(app: SampleTandem, container: string = app.repo): Promise<Contact> {
  const { contacts } = await DirectorySnapshot.open(app.tandem.services);
  const found = contacts.find(({ connection }) => connection.containerName === container);
  if (found === undefined) throw new Error(`${container} is not connected`);
  return found;
}

async function poll(app: SampleTandem, container?: string) {
  app.github.clearRequests();
  return pollConnection(app.tandem.services, await contactOf(app, container));
}

/** The times since which issues and comments were asked for. */
function askedSince(app: SampleTandem): readonly (string | null)[] {
  return app.github.requests
    .filter(({ path }) => path.endsWith("/issues") || path.endsWith("/issues/comments"))
    .map(({ query }) => new URLSearchParams(query).get("since"));
}

const backfillsOf = async (app: SampleTandem, container: string) => {
  const { connection } = await contactOf(app, container);
  return (await app.tandem.backfills()).filter(
    ({ connectionId }) => connectionId === connection.id,
  );
};

describeOnOneDatabase("a poll", (open) => {
  it("asks for what was updated since the latest it has seen, and ten minutes before", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "First" });
    const firstAt = app.github.issue(app.repo, 1)?.updatedAt ?? app.clock.now();
    // A first poll lists everything, whatever its time.
    expect(await poll(app)).toEqual({ seen: 1, unchanged: 0, restarted: 0 });
    expect(askedSince(app)).toEqual([null, null]);
    const seenAt = (await contactOf(app)).connection.highWater;
    expect(Object.keys(seenAt)).toEqual(["issue"]);
    await app.settle();

    await app.advance(60 * MINUTE);
    expect(await poll(app)).toEqual({ seen: 1, unchanged: 1, restarted: 0 });
    const since = Date.parse(formatInstant(addMillis(firstAt, -10 * MINUTE)));
    expect(askedSince(app).map((one) => one && Date.parse(one))).toEqual([since, null]);
    expect((await contactOf(app)).connection.highWater).toEqual(seenAt);

    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited" });
    app.github.as("mona").comment(app.repo, 1, "A comment");
    expect(await poll(app)).toEqual({ seen: 2, unchanged: 0, restarted: 0 });
    const { highWater, etags } = (await contactOf(app)).connection;
    expect(Object.keys(highWater).sort()).toEqual(["issue", "issue_comment"]);
    expect(Number(highWater.issue)).toBeGreaterThan(Number(seenAt.issue));
    expect(Object.keys(etags).sort()).toEqual(["issue", "issue_comment"]);

    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Edited" });
    expect(await app.comments()).toHaveLength(1);
    const polled = (await app.events()).filter(({ source }) => source === "poll");
    expect(polled).toHaveLength(2);
  });

  it("takes an answer that nothing has changed for the end of the list", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "First" });
    await poll(app);
    await app.settle();
    // The same question twice: its answer is kept by its validator.
    await poll(app);
    const before = (await contactOf(app)).connection;
    await app.advance(MINUTE);
    expect(await poll(app)).toEqual({ seen: 0, unchanged: 0, restarted: 0 });
    expect(app.github.requests.map(({ status }) => status)).toEqual([304, 304]);
    const after = (await contactOf(app)).connection;
    expect([after.highWater, after.etags]).toEqual([before.highWater, before.etags]);
    expect(after.polledAt).toBe(app.clock.now());
    expect(after.polledWellAt).toBe(app.clock.now());
  });

  it("lists a new repository by a backfill of its own, which creates nothing", async () => {
    const app = await givenSampleTandem(await open(), pairedBy("title"));
    await app.sql("alter table tasks disable trigger user");
    await app.addTask({ title: "Here only" });
    await app.sql("alter table tasks enable trigger user");
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").openIssue(app.repo, { title: "There only" });
    app.github.as("mona").openIssue(app.repo, { title: "There too" });
    app.github.as("mona").comment(app.repo, 1, "Said");
    expect(await poll(app)).toMatchObject({ seen: 3 });
    expect(await backfillsOf(app, app.repo)).toMatchObject([
      { resourceType: "issue", pairs: true, creates: false, progress: { listed: 2 } },
      { resourceType: "issue_comment", pairs: true, creates: false },
    ]);
    await app.settle();
    expect(app.writes()).toBe(0);

    await connect(app, "acme/empty", "1");
    await poll(app, "acme/empty");
    await app.settle();
    const first = await backfillsOf(app, "acme/empty");
    expect(first.map(({ finishedAt }) => finishedAt !== null)).toEqual([true, true]);
    // It found nothing, so there is no time to ask from; it is not listed for the first time again.
    await app.advance(MINUTE);
    await poll(app, "acme/empty");
    expect(await backfillsOf(app, "acme/empty")).toEqual(first);

    app.github.createRepository({ owner: "acme", name: "later" });
    await join(app, "acme/later", "1");
    await poll(app, "acme/later");
    expect(await backfillsOf(app, "acme/later")).toHaveLength(2);
  });

  it("lists each type for the first time, whatever became of the other's first list", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ method: "GET", path: /issues\/comments$/, with: 503 });
    await expect(poll(app)).rejects.toThrow("503");
    const finished = async () =>
      (await backfillsOf(app, app.repo)).map(({ finishedAt }) => finishedAt !== null);
    expect(await finished()).toEqual([true, false]);
    await app.advance(MINUTE);
    await poll(app);
    expect(await finished()).toEqual([true, true]);
    // A poll saves its validator, and the first list none.
    expect(Object.keys((await contactOf(app)).connection.etags)).toEqual(["issue"]);
  });

  it("restarts the errored events that may succeed now, and counts them", async () => {
    const app = await givenIssue(await open(), "First");
    const { id } = await app.task();
    app.github.failNext({ method: "PATCH", path: /issues/, with: 503 }, 100);
    await app.editTask(id, { title: "Edited" });
    await app.settleWithin(24 * 60);
    await app.sql("alter table tasks add constraint short check (length(title) < 100)");
    app.github.as("mona").openIssue(app.repo, { title: "x".repeat(200) });
    await app.settle();
    const errored = await app.events("state=errored");
    expect(errored.map(({ error }) => error?.retryable)).toEqual([true, false]);

    expect(await poll(app)).toMatchObject({ restarted: 1 });
    expect(await app.story()).toContain("outbound queued restarted");
    expect(await poll(app)).toMatchObject({ restarted: 0 });
  });

  it("learns its account's identity first", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("update tandem.accounts set identity = null");
    await poll(app);
    expect((await contactOf(app)).account.identity).toMatchObject({ login: "tandem-bot" });
  });
});

describeOnOneDatabase("polls that are due", (open) => {
  it("are all made although one fails, and the failure is told of its own connection", async () => {
    const { log, lines } = keptLog();
    const app = await givenTwoAccounts(await open(), { log });
    const { services } = app.tandem;
    app.github.revokeToken("ghs_test");
    expect(await pollDue(services, MINUTE)).toBe(2);
    const [site, shop] = [await contactOf(app), await contactOf(app, SHOP)];
    expect(site.connection).toMatchObject({ polledAt: app.clock.now(), polledWellAt: null });
    expect(site.connection.pollError).toContain("401");
    expect(site.account).toMatchObject({
      state: "needs_attention",
      reason: site.connection.pollError,
    });
    expect(shop.connection).toMatchObject({ polledWellAt: app.clock.now(), pollError: null });
    expect(shop.account).toMatchObject({ state: "active", reason: null, pausedUntil: null });
    expect(lines).toMatchObject([
      { message: "a poll failed", connection: site.connection.id, container: app.repo },
    ]);

    // The paused account is not asked; the other one is due again, and no earlier.
    await app.advance(MINUTE - 1);
    expect(await pollDue(services, MINUTE)).toBe(0);
    await app.advance(1);
    app.github.clearRequests();
    expect(await pollDue(services, MINUTE)).toBe(2);
    await services.store.directory.updateAccount(site.account.id, {
      pausedUntil: addMillis(app.clock.now(), MINUTE + 1),
    });
    await app.advance(MINUTE);
    expect(await pollDue(services, MINUTE)).toBe(1);
    await app.advance(1);
    expect(await pollDue(services, MINUTE)).toBe(1);
  });

  it("leave out a connection that takes nothing in", async () => {
    const app = await givenSampleTandem(await open());
    await app.tandem.pause(app.connection.id, "a look");
    expect(await pollDue(app.tandem.services, MINUTE)).toBe(0);
  });

  it("end without a word when the worker is killed meanwhile", async () => {
    const { log, lines } = keptLog();
    const app = await givenTwoAccounts(await open(), { log });
    const killed = new AbortController();
    const held = app.github.holdNext({ method: "GET" });
    const polling = pollDue(app.tandem.services, MINUTE, killed.signal);
    await held.arrived;
    killed.abort();
    held.release();
    expect(await polling).toBe(0);
    expect(lines).toEqual([]);
    expect((await contactOf(app)).connection).toMatchObject({ polledAt: null, pollError: null });
    expect((await contactOf(app, SHOP)).connection.polledAt).toBeNull();
  });
});
