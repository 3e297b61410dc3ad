/** A comment that is on its way to an issue while that is transferred out of reach (S40, found by simulation). */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { catchRequest, dieSending, POST_COMMENT } from "../../harness/in-flight.ts";
import {
  ELSEWHERE,
  expectAtRest,
  givenElsewhere,
  type Pair,
  said,
  SITE,
  transfer,
} from "../../harness/projects.ts";

const SAID = ["I see it too.", "On it.", "On its way"];

async function givenComment(database: TestDatabase): Promise<Pair> {
  const app = await givenElsewhere(database);
  await app.addComment(app.taskId, "On its way");
  return app;
}

/** Out of reach nothing is written there, and nothing of it is deleted here. */
async function expectOutOfReach(app: Pair): Promise<void> {
  await app.settleWithin(1);
  expect(said(app, ELSEWHERE)).toEqual(SAID);
  const gone = (await app.events("state=completed")).filter(
    ({ reason }) => reason === "moved_away",
  );
  expect(gone.filter((event) => event.record_type === "comments")).toHaveLength(3);
  app.github.clearRequests();
  const [, , last] = await app.comments();
  await app.sql("update comments set markdown = 'Edited meanwhile' where id = $1", [last?.id]);
  await app.settle();
  await app.tandem.sweepNow();
  await app.settleWithin(10);
  expect(app.writes()).toBe(0);
  expect((await app.comments()).map(({ markdown }) => markdown)).toEqual([
    ...SAID.slice(0, 2),
    "Edited meanwhile",
  ]);
  await expectAtRest(app);
}

describeOnOneDatabase("a comment that is on its way as its issue goes out of reach", (open) => {
  it("S40 went along: nothing deletes it, and it is in step again once the issue is back", async () => {
    const app = await givenComment(await open());
    const request = await catchRequest(app, POST_COMMENT);
    app.holdWebhooks();
    request.hold.apply();
    transfer(app, SITE, 1, ELSEWHERE);
    const [comment, ...move] = app.held();
    await app.release(...move);
    await app.settle();
    await request.answer();
    if (comment !== undefined) await app.release(comment);
    app.github.clearFaults();
    await expectOutOfReach(app);

    transfer(app, ELSEWHERE, 1, SITE);
    await app.settleWithin(10);
    expect(said(app, SITE)).toEqual([...SAID.slice(0, 2), "Edited meanwhile"]);
    expect(await app.comments()).toHaveLength(3);
    await expectAtRest(app);
  });

  it("S40 the same where its worker died, and its webhook tells of it after the transfer's", async () => {
    const app = await givenComment(await open());
    const request = await dieSending(app, POST_COMMENT);
    app.holdWebhooks();
    request.apply();
    transfer(app, SITE, 1, ELSEWHERE);
    const [comment, ...move] = app.held();
    await app.release(...move);
    await app.settle();
    if (comment !== undefined) await app.release(comment);
    app.github.clearFaults();
    await app.advance(60_000);
    await app.settleWithin(10);
    await expectOutOfReach(app);
  });
});
