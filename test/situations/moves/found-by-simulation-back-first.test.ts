/**
 * An issue that is transferred to where nothing is connected and comes back, and whose coming back is told
 * first: schedules of simulated histories, told alone.
 */
import { expect, it } from "vitest";
import { deliveryId } from "../../../src/model/ids.ts";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { followMove, type KnownMove } from "../../../src/runtime/moves/follow-moves.ts";
import { readDelivery } from "../../../src/runtime/receive/read-delivery.ts";
import type { Services } from "../../../src/runtime/services/services.ts";
import type { Delivery } from "../../../src/testing/github/index.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import {
  APP,
  ELSEWHERE,
  expectAtRest,
  givenElsewhere,
  issuesOf,
  type Pair,
  said,
  SITE,
  transfer,
  unfinished,
} from "../../harness/projects.ts";
import { present } from "../../store/opened-store.ts";

type Told = "transferred" | "opened" | "deleted";

/** The webhooks about an issue that leaves a repository, or arrives there. */
function toldOf(app: Pair, action: Told, repository: string): readonly Delivery[] {
  return app.held().filter((one) => {
    const { repository: at } = JSON.parse(one.body) as { repository: { full_name: string } };
    return one.event === "issues" && one.action === action && at.full_name === repository;
  });
}

interface OutAndBack extends Pair {
  readonly going: readonly Delivery[];
  readonly coming: readonly Delivery[];
}

/** The issue is in a repository again, and nothing of it is told yet. */
async function givenOutAndBack(database: TestDatabase, repository: string): Promise<OutAndBack> {
  const app = await givenElsewhere(database);
  app.holdWebhooks();
  transfer(app, SITE, 1, ELSEWHERE);
  transfer(app, ELSEWHERE, 1, repository);
  const going = toldOf(app, "transferred", SITE);
  return { ...app, going, coming: toldOf(app, "opened", repository) };
}

/** The task and its comments are what they were, and their counterparts where they are now. */
async function expectFollowed(app: Pair, project: string, repository: string, number: number) {
  app.github.clearFaults();
  await app.settleWithin(10);
  expect(await app.tasks()).toMatchObject([
    { id: app.taskId, project_id: project, title: "Broken link", deleted_at: null },
  ]);
  expect((await app.comments()).map(({ task_id, markdown }) => [task_id, markdown])).toEqual([
    [app.taskId, "I see it too."],
    [app.taskId, "On it."],
  ]);
  expect(issuesOf(app, repository)).toEqual(["open: Broken link"]);
  expect(said(app, repository)).toEqual(["I see it too.", "On it."]);
  expect(await app.pairings(app.taskId)).toMatchObject([
    { connection: repository, integration_external_id: String(number), in_sync: true },
  ]);
  expect(app.writes()).toBe(0);
  expect(await unfinished(app)).toEqual([]);
  await expectAtRest(app);
  await app.editTask(app.taskId, { title: "Ours after" });
  await app.settle();
  await app.advance(5_000);
  app.github.as("mona").editIssue(repository, number, { body: "Theirs after" });
  await app.settle();
  expect(app.github.issue(repository, number)).toMatchObject({ title: "Ours after" });
  expect(await app.task()).toMatchObject({ title: "Ours after", markdown: "Theirs after" });
}

function moveOf(delivery: Delivery, book: DirectorySnapshot, services: Services): KnownMove {
  const { event, body: payload } = delivery;
  const sent = { integration: "github", event, payload, verifiedBy: null };
  const stored = { ...sent, id: deliveryId("1"), deliveryKey: "1" };
  const reading = readDelivery(stored, book, services);
  if (reading.kind !== "moved") throw new Error("it tells of no move");
  return { integration: "github", move: reading.move, source: "webhook", deliveryId: null };
}

describeOnOneDatabase("an issue whose coming back is told before its going", (open) => {
  it.each([
    ["where it was", SITE, "1", 2],
    ["in another project", APP, "2", 1],
  ] as const)("%s: its task keeps it, and the second one goes", async (...to) => {
    const [, repository, project, number] = to;
    const app = await givenOutAndBack(await open(), repository);
    await app.release(...app.coming);
    await app.settleWithin(1);
    expect(await app.tasks()).toHaveLength(2);
    await app.release(...app.going);

    await expectFollowed(app, project, repository, number);
  });

  it("before it has a task: it is followed once, however often it is reported", async () => {
    const app = await givenOutAndBack(await open(), APP);
    await app.release(...app.coming, ...app.going);
    await app.settleWithin(1);
    await app.release(...toldOf(app, "transferred", ELSEWHERE));
    await app.release(...toldOf(app, "opened", ELSEWHERE));

    await expectFollowed(app, "2", APP, 1);
    const reasons = (await app.events()).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === "followed_move")).toHaveLength(1);
  });

  it("after a poll had made a task of it", async () => {
    const app = await givenOutAndBack(await open(), APP);
    await app.tandem.syncNow();
    await app.settleWithin(1);
    await app.release(...app.coming);
    await app.settleWithin(1);
    await app.release(...app.going);

    await expectFollowed(app, "2", APP, 1);
  });

  it("and has moved on since", async () => {
    const app = await givenOutAndBack(await open(), APP);
    await app.release(...app.coming);
    await app.settleWithin(1);
    transfer(app, APP, 1, SITE);
    await app.release(...toldOf(app, "opened", SITE));
    await app.settleWithin(1);
    await app.release(...app.going);

    await expectFollowed(app, "1", SITE, 2);
  });

  it("and has moved out of reach again, and comes back from there", async () => {
    const app = await givenOutAndBack(await open(), APP);
    await app.release(...app.coming);
    await app.settleWithin(1);
    transfer(app, APP, 1, ELSEWHERE);
    await app.release(...toldOf(app, "transferred", APP));
    await app.settleWithin(1);
    await app.release(...app.going);
    await app.settleWithin(1);
    transfer(app, ELSEWHERE, 2, SITE);
    await app.release(...toldOf(app, "opened", SITE));

    await expectFollowed(app, "1", SITE, 2);
  });

  it("and only a look finds that it had left", async () => {
    const app = await givenOutAndBack(await open(), APP);
    await app.release(...app.coming);
    await app.settleWithin(1);
    app.github.clearFaults();
    const planned = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(planned.actions).toMatchObject([{ kind: "move_record", recordId: app.taskId }]);
    await app.tandem.sweepNow();

    await expectFollowed(app, "2", APP, 1);
  });

  it("and was deleted since: both tasks are archived", async () => {
    const app = await givenOutAndBack(await open(), APP);
    await app.release(...app.coming);
    await app.settleWithin(1);
    app.github.as("mona").deleteIssue(APP, 1);
    await app.release(...toldOf(app, "deleted", APP));
    await app.settleWithin(1);
    await app.release(...app.going);
    app.github.clearFaults();
    await app.settleWithin(10);

    expect((await app.tasks()).filter(({ deleted_at }) => deleted_at === null)).toEqual([]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("and is deleted before its task has followed: both tasks are archived", async () => {
    const app = await givenOutAndBack(await open(), APP);
    await app.release(...app.coming);
    await app.settleWithin(1);
    expect(await app.tasks()).toHaveLength(2);
    app.github.as("mona").deleteIssue(APP, 1);
    await app.release(...app.going, ...toldOf(app, "deleted", APP));
    app.github.clearFaults();
    await app.settleWithin(10);
    expect((await app.tasks()).filter(({ deleted_at }) => deleted_at === null)).toEqual([]);
    expect(await unfinished(app)).toEqual([]);
  });

  it("and is our own: it gets no second task", async () => {
    const app = await givenElsewhere(await open());
    const id = await app.addTask({ title: "Ours" });
    await app.settle();
    app.holdWebhooks();
    transfer(app, SITE, 2, ELSEWHERE);
    transfer(app, ELSEWHERE, 1, SITE);
    const going = toldOf(app, "transferred", SITE);
    await app.release(...toldOf(app, "opened", SITE));
    await app.settleWithin(1);
    await app.release(...going);
    app.github.clearFaults();
    await app.settleWithin(10);

    expect(await app.tasks()).toMatchObject([{ id: app.taskId }, { id, title: "Ours" }]);
    expect(await app.pairings(id)).toMatchObject([
      { connection: SITE, integration_external_id: "3", in_sync: true },
    ]);
    expect(await unfinished(app)).toEqual([]);
    await app.advance(60_000);
    await app.tandem.sweepNow();
    await app.settle();
    expect(issuesOf(app, SITE)).toEqual(["open: Broken link", "open: Ours"]);
    expect(await app.tasks()).toHaveLength(2);
  });
});

describeOnOneDatabase("an issue whose coming back is told at once with its going", (open) => {
  it.each([
    ["its coming", "coming", "going", "moved_to"],
    ["its going", "going", "coming", "came_from"],
  ] as const)(
    "the transaction that stores %s waits for the other, and looks again",
    async (...order) => {
      const [, second, first, look] = order;
      const app = await givenOutAndBack(await open(), APP);
      const { services } = app.tandem;
      await app.release(...app[first]);
      await app.settleWithin(1);
      const book = await DirectorySnapshot.open(services);
      const known = moveOf(present(app[second][0]), book, services);
      let runs = 0;
      await services.store.transaction(async (tx) => {
        runs += 1;
        // As if the other was saved behind the first look.
        let isSaved = runs > 1;
        const findLanes: typeof tx.findLanes = async (query) => {
          if (query.kind !== look) return tx.findLanes(query);
          const found = isSaved ? await tx.findLanes(query) : [];
          isSaved = true;
          return found;
        };
        await followMove({ ...tx, findLanes }, known, book, services);
      });
      expect(runs).toBe(2);

      await expectFollowed(app, "2", APP, 1);
    },
  );
});
