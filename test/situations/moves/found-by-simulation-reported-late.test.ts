/**
 * Simulated histories that ended badly after a late report or a late write: the resource had moved or been
 * closed by then, or the reader did not know that the connection was on again. Each schedule is told here
 * alone, without the chance.
 */
import { expect, it } from "vitest";
import { deliveryId } from "../../../src/model/ids.ts";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { admitArrivals } from "../../../src/runtime/admission/admit-batch.ts";
import { readDelivery } from "../../../src/runtime/receive/read-delivery.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { catchRequest, dieSending, PATCH_ISSUE } from "../../harness/in-flight.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenPaired,
  givenProjects,
  issuesOf,
  moveTo,
  type Pair,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";

/** Nothing is paired; webhooks are held. */
async function givenNothing(database: TestDatabase): Promise<Pair> {
  const app = await givenProjects(database);
  app.github.createRepository({ owner: "acme", name: "elsewhere" });
  app.holdWebhooks();
  return { ...app, taskId: "" };
}

describeOnOneDatabase("an issue that is transferred before anybody heard of it", (open) => {
  it("makes no second task by late webhooks of its old place, and its comments come along", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    app.github.as("mona").comment(SITE, 1, "I see it too.");
    const late = app.held();
    transfer(app, SITE, 1, APP);
    await app.release(...app.held().filter((one) => !late.includes(one)));
    await app.settle();
    await app.release(...late);
    app.github.clearFaults();
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ title: "Misfiled", project_id: "2" }]);
    expect(await app.comments()).toMatchObject([{ markdown: "I see it too." }]);
    await expectAtRest(app);
  });

  it("makes no task while it is out of reach, and makes one once it is back", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    const late = app.held();
    transfer(app, SITE, 1, ELSEWHERE);
    await app.release(...app.held().filter((one) => !late.includes(one)));
    await app.settle();
    await app.release(...late);
    app.github.clearFaults();
    await app.settle();
    expect(await app.tasks()).toEqual([]);
    expect(await unfinished(app)).toEqual([]);

    transfer(app, ELSEWHERE, 1, SITE);
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ title: "Misfiled", project_id: "1" }]);
    await expectAtRest(app);
  });

  it("a comment of which nothing was heard, since the connection was paused, is waited for by nobody", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    app.github.as("mona").comment(SITE, 1, "I see it too.");
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(...app.held());
    await app.settle();
    await app.tandem.enable(app.connection.id);
    transfer(app, SITE, 1, APP);
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ title: "Misfiled", project_id: "2" }]);
    expect(await app.comments()).toMatchObject([{ markdown: "I see it too." }]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("the task that a poll has made of it keeps it, whatever waits at its old place", async () => {
    const app = await givenNothing(await open());
    app.github.as("mona").openIssue(SITE, { title: "Misfiled" });
    const late = app.held();
    transfer(app, SITE, 1, APP);
    await app.tandem.syncNow();
    await app.settle();
    const { id } = await app.task();
    await app.tandem.pause(app.connection.id, "a person has paused it");
    await app.release(...late);
    await app.settle();
    await app.release(...app.held());
    app.github.clearFaults();
    await app.settle();
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ id, title: "Misfiled", project_id: "2" });
    expect(await app.pairings(id)).toMatchObject([{ connection: APP, in_sync: true }]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("an issue that was transferred, and its first look failed", (open) => {
  it("is heard of again while an edit of ours is on its way: the task follows all the same", async () => {
    const app = await givenPaired(await open());
    app.github.failNext({ method: "GET", path: /\/issues\/1$/, with: 422 });
    transfer(app, SITE, 1, APP);
    await app.settle();
    app.holdWebhooks();
    await app.editTask(app.taskId, { title: "Ours" });
    await app.settle();
    const echo = app.held();
    await app.advance(5_000);
    await app.editTask(app.taskId, { title: "Ours again" });
    const patch = await catchRequest(app, PATCH_ISSUE);
    await app.release(...echo);
    await patch.land();
    await patch.answer();
    app.github.clearFaults();
    await app.settle();

    expect(await app.task()).toMatchObject({ project_id: "2", title: "Ours again" });
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("a task whose issue was deleted", (open) => {
  it("is taken back elsewhere, and comes home: another issue is made there", async () => {
    const app = await givenPaired(await open());
    app.github.as("mona").deleteIssue(SITE, 1);
    await app.settle();
    await app.sql("update tasks set deleted_at = null, project_id = 2");
    await app.settle();
    expect(issuesOf(app, APP)).toEqual(["open: Broken link"]);
    await app.advance(5_000);
    await moveTo(app, "1");
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(issuesOf(app, APP)).toEqual(["closed: Broken link"]);
    await expectAtRest(app);
  });
});

describeOnOneDatabase("an issue that was closed for its task's sake", (open) => {
  it("and opened by a write of ours that had left before: it is closed again, once", async () => {
    const app = await givenPaired(await open());
    app.github.as("mona").editIssue(SITE, 1, { state: "closed" });
    await app.settle();
    await app.editTask(app.taskId, { status: "doing" });
    const late = await dieSending(app, PATCH_ISSUE);
    await moveTo(app, "3");
    await app.advance(60_000);
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    await app.advance(5_000);
    late.apply();
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["closed: Broken link"]);
    await app.advance(5_000);
    app.github.as("mona").editIssue(SITE, 1, { state: "open" });
    await app.settle();

    expect(issuesOf(app, SITE)).toEqual(["open: Broken link"]);
    expect(await unfinished(app)).toEqual([]);
  });
});

describeOnOneDatabase("a connection that is switched on", (open) => {
  it("while an edit of ours is led there who does not know it yet: it looks again, and follows", async () => {
    const app = await givenPaired(await open());
    const [, { id: there } = app.connection] =
      await app.tandem.services.store.directory.connections();
    await app.tandem.pause(there, "release day");
    app.holdWebhooks();
    transfer(app, SITE, 1, APP);
    await app.editTask(app.taskId, { title: "Dead link" });
    const { answer } = await catchRequest(app, { method: "GET", path: /\/issues\/1$/ });
    await app.tandem.enable(there);
    await answer();
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(await app.task()).toMatchObject({ title: "Dead link", project_id: "2" });
    expect(issuesOf(app, APP)).toEqual(["open: Dead link"]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });

  it("while a receiver that does not know it yet ingests a webhook: that is decided again", async () => {
    const app = await givenNothing(await open());
    const { services } = app.tandem;
    app.github.as("mona").openIssue(SITE, { title: "Heard in between" });
    const [webhook] = app.held();
    await app.tandem.pause(app.connection.id, "a person has paused it");
    const before = await DirectorySnapshot.open(services);
    await app.tandem.enable(app.connection.id);
    const { event = "", body: payload = "" } = webhook ?? {};
    const sent = { integration: "github", event, payload, verifiedBy: null };
    const stored = { ...sent, id: deliveryId("1"), deliveryKey: "1" };
    const reading = readDelivery(stored, before, services);
    const told = reading.kind === "arrivals" ? reading.incoming : [];
    const incoming = told.map((one) => ({ ...one, arrival: { ...one.arrival, deliveryId: null } }));
    const takeIn = (book: DirectorySnapshot) =>
      services.store.transaction((tx) => admitArrivals(tx, incoming, book, services));
    await expect(takeIn(before)).rejects.toThrow(/inbound of connection \d+ was switched on/);
    expect(await app.story()).toEqual([]);
    await takeIn(await DirectorySnapshot.open(services));
    app.github.clearFaults();
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ title: "Heard in between" }]);
    expect(await unfinished(app)).toEqual([]);
    await expectAtRest(app);
  });
});
