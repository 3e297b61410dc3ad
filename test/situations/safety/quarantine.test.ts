/** Situation 53: a field flips back and forth between two systems. */
import { expect, it } from "vitest";
import type { ApiExplanation } from "../../../src/server/protocol/api-types.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { tally } from "../../harness/tally.ts";

const BEFORE_WRITE = `
create function shout() returns trigger language plpgsql as $$
begin
  new.title := upper(new.title);
  return new;
end $$;
create trigger shout before insert or update on tasks for each row execute function shout()`;

/** Another bot of the repository takes back what does not please it. */
function withBot(app: SampleTandem, fixed: (title: string) => string): () => void {
  return app.github.on("change", ({ issueNumber, event, action }) => {
    if (event !== "issues" || issueNumber === null || action === "deleted") return;
    const issue = app.github.issue(app.repo, issueNumber);
    if (issue === undefined || fixed(issue.title) === issue.title) return;
    app.github.as("housekeeper[bot]").editIssue(app.repo, issueNumber, {
      title: fixed(issue.title),
    });
  });
}

async function enable(app: SampleTandem, id: string): Promise<Response> {
  const url = `http://localhost/api/records/tasks/${id}/enable`;
  return app.tandem.fetch(
    new Request(url, { method: "POST", headers: { "content-type": "application/json" } }),
  );
}

/** An app that wants titles in capitals, and a repository whose bot wants them small. */
async function givenFight(database: TestDatabase) {
  const app = await givenSampleTandem(database);
  await app.sql(BEFORE_WRITE);
  const stopBot = withBot(app, (title) => title.toLowerCase());
  const id = await app.addTask({ title: "Fought over" });
  return { app, id, stopBot };
}

describeOnOneDatabase("two systems that fight over a field", (open) => {
  it("S53 the pairing is quarantined, says why, and costs no more calls; all others flow", async () => {
    const { app, id } = await givenFight(await open());
    await app.settle();

    // One create, and a patch for every other flip; the sixth flip is not sent.
    expect(app.writes()).toBe(1 + 3);
    const [stopped] = await app.events("state=disabled");
    expect(stopped).toMatchObject({
      direction: "outbound",
      record_id: id,
      reason: "quarantined",
      error: null,
    });
    expect((await app.status()).disabled_pairings).toEqual({
      count: 1,
      first: [
        {
          connection: "acme/site",
          resource_type: "issue",
          integration_external_id: "1",
          record_type: "tasks",
          record_id: id,
          cause: "quarantined",
          why: 'quarantined: title went back and forth between "FOUGHT OVER" (the record\'s) and "fought over" (the resource\'s) within 10 minutes',
        },
      ],
    });
    const [pairing] = await app.pairings(id);
    expect(pairing).toMatchObject({ in_sync: false });
    expect(pairing?.standing).toMatch(
      /^Switched off: quarantined: title .*\. Remove the cause, then enable the record; Tandem reads the resource first\.$/,
    );

    // Its edits are kept and change nothing; all other records are synced.
    app.github.as("mona").editIssue(app.repo, 1, { body: "Edited meanwhile" });
    await app.editTask(id, { status: "doing" });
    app.github.as("mona").openIssue(app.repo, { title: "41" });
    await app.addTask({ title: "42" });
    await app.settle();
    await app.advance(3_600_000);
    await app.tandem.syncNow();
    await app.settle();
    const live = (await app.status()).live;
    expect(live).toMatchObject({ queued: 0, processing: 0, errored: 0 });
    expect(await app.events("state=disabled&record=tasks:" + id)).toHaveLength(live.disabled);
    expect((await app.tasks())[0]).toMatchObject({ title: "FOUGHT OVER", markdown: "" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "fought over", state: "open" });
    expect(app.github.issue(app.repo, 3)).toMatchObject({ title: "42" });
    expect((await app.tasks()).map(({ title }) => title)).toContain("41");
    expect(app.github.calls({ writes: true, path: /issues\/1$/ })).toBe(3);
    // The create of the other task.
    expect(app.writes()).toBe(1 + 3 + 1);
  });

  it("S53 once one side gives in, the record is enabled: it is read, and nothing of the time between is lost", async () => {
    const { app, id, stopBot } = await givenFight(await open());
    await app.settle();
    app.github.as("mona").editIssue(app.repo, 1, { body: "Edited meanwhile" });
    await app.settle();
    stopBot();
    app.github.clearRequests();

    const answer = await enable(app, id);
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as ApiExplanation).pairings).toMatchObject([
      { integration_external_id: "1" },
    ]);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "FOUGHT OVER", markdown: "Edited meanwhile" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({
      title: "FOUGHT OVER",
      body: expect.stringContaining("Edited meanwhile"),
    });
    // Both that were kept back went on: what the record had to say, and what the issue said meanwhile.
    expect(tally(await app.story())).toEqual({
      "outbound completed created_resource": 1,
      "outbound completed updated_resource": 3 + 1,
      "inbound completed updated_record": 4 + 1,
      "inbound duplicate same_content": 4 + 1,
    });
    expect((await app.status()).disabled_pairings).toEqual({ count: 0, first: [] });
    expect((await app.status()).live).toEqual({
      queued: 0,
      processing: 0,
      errored: 0,
      disabled: 0,
    });
    expect(app.writes()).toBe(1);
    expect((await enable(app, id)).status).toBe(409);
  });

  it("S53 enabling the connection does not set a fight going again", async () => {
    const { app, id } = await givenFight(await open());
    await app.settle();
    await app.tandem.pause(app.connection.id, "a look");
    app.github.clearRequests();
    await app.tandem.enable(app.connection.id);
    await app.settle();

    expect(app.writes()).toBe(0);
    expect((await app.status()).disabled_pairings.count).toBe(1);
    expect(await app.events("state=disabled")).toMatchObject([
      { direction: "outbound", record_id: id, reason: "quarantined" },
    ]);
    expect(await app.task()).toMatchObject({ title: "FOUGHT OVER", status: "todo" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "fought over", state: "open" }]);
  });

  it("S53 a fight that never repeats a value ends too", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql(`
      create function sign() returns trigger language plpgsql as $$
      begin
        if new.title like '%~' then new.title := new.title || '!'; end if;
        return new;
      end $$;
      create trigger sign before insert or update on tasks for each row execute function sign()`);
    withBot(app, (title) => (title.endsWith("!") ? `${title}~` : title));
    const id = await app.addTask({ title: "Longer!" });
    await app.settle();

    expect((await app.status()).disabled_pairings.first).toMatchObject([
      { record_id: id, why: expect.stringContaining("title") },
    ]);
    expect(await app.story("state=disabled")).toEqual(["outbound disabled quarantined"]);
    // Eighteen turns are no fight yet: the bot's are every other one, and it begins.
    expect(await app.task()).toMatchObject({ title: `Longer!${"~!".repeat(10)}` });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: `Longer!${"~!".repeat(9)}~` }]);
    expect(app.writes()).toBe(1 + 9);
  });

  it("S53 is known for a fight where code from before said so in words alone", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Fought over" });
    await app.settle();
    await app.sql("update tandem.lanes set disabled = 'quarantined: title went back and forth'");
    expect((await app.status()).disabled_pairings.first).toMatchObject([
      { record_id: id, cause: "quarantined" },
    ]);
    await app.editTask(id, { title: "Waits" });
    await app.settle();
    await app.tandem.enable(app.connection.id);
    await app.settle();
    expect(await app.story("state=disabled")).toEqual(["outbound disabled quarantined"]);
    expect(await app.task()).toMatchObject({ title: "Waits" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Fought over", state: "open" }]);
    expect(app.writes()).toBe(1);
  });

  it("S53 people who change their minds fight with nobody, however often they do", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "A" });
    await app.settle();
    for (let turn = 0; turn < 10; turn += 1) {
      await app.advance(5_000);
      await app.editTask(id, { status: turn % 2 === 0 ? "done" : "todo" });
      await app.settle();
    }
    for (let turn = 0; turn < 10; turn += 1) {
      await app.advance(5_000);
      app.github.as("mona").editIssue(app.repo, 1, { title: turn % 2 === 0 ? "B" : "A" });
      await app.settle();
    }
    expect((await app.status()).disabled_pairings.count).toBe(0);
    expect(await app.task()).toMatchObject({ title: "A", status: "todo" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "A", state: "open" });
    // Each write of ours is heard of once more.
    expect(tally(await app.story())).toEqual({
      "outbound completed created_resource": 1,
      "outbound completed updated_resource": 10,
      "inbound duplicate same_content": 11,
      "inbound completed updated_record": 10,
    });
    expect(app.writes()).toBe(11);
  });
});
