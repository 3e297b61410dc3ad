/** Situation 41: a repository that is renamed or given to another owner; its number is what counts. */
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const OLD = "acme/site";

/** One task with its issue, and every request forgotten. */
async function givenPair(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenSampleTandem(database);
  await app.addTask({ title: "Before" });
  await app.settle();
  app.github.clearRequests();
  return app;
}

async function connectedTo(app: SampleTandem): Promise<readonly string[]> {
  const { connections } = await app.status();
  return connections.map(({ container }) => container);
}

/** The requests by name, which another repository may bear by now. */
function requestsByName(app: SampleTandem): number {
  return app.github.requests.filter(({ path }) => path.startsWith("/repos/")).length;
}

describeOnOneDatabase("a repository under another name", (open) => {
  for (const [how, change, now] of [
    ["renamed", (app: SampleTandem) => app.github.renameRepository(OLD, "www"), "acme/www"],
    [
      "given to another owner",
      (app: SampleTandem) => app.github.transferRepository(OLD, "globex"),
      "globex/site",
    ],
  ] as const) {
    it(`S41: ${how}, with edits of both sides on their way: the connection follows, all arrives once`, async () => {
      const app = await givenPair(await open());
      const { id } = await app.task();
      app.holdWebhooks();
      // Announced under the old name, and delivered after the new one was.
      app.github.as("mona").editIssue(OLD, 1, { body: "Theirs" });
      const underOldName = app.held();
      change(app);
      await app.editTask(id, { title: "Ours" });
      const [news] = app.held().slice(underOldName.length);
      if (news === undefined) throw new Error("nothing was announced");
      await app.release(news, ...underOldName);
      await app.settle();
      app.github.clearFaults();
      await app.settle();

      expect(await connectedTo(app)).toEqual([now]);
      expect(await app.task()).toMatchObject({ title: "Ours", markdown: "Theirs" });
      expect(app.github.issues(now)).toMatchObject([{ title: "Ours", body: "Theirs" }]);
      expect(await app.story()).toEqual([
        "outbound completed created_resource",
        "inbound duplicate same_content",
        "inbound completed updated_record",
        "outbound completed updated_resource",
      ]);
      expect((await app.events()).filter(({ state }) => state === "errored")).toEqual([]);
      expect(app.writes()).toBe(1);
      expect(requestsByName(app)).toBe(0);
    });

    it(`S41: ${how}, and the webhook lost: a poll goes on by number, and learns the new name`, async () => {
      const app = await givenPair(await open());
      app.github.faults.webhooks.drop = 1;
      change(app);
      await app.advance(60_000);
      app.github.as("mona").editIssue(now, 1, { title: "After" });
      await app.tandem.syncNow();
      await app.settle();

      expect(await connectedTo(app)).toEqual([now]);
      expect(await app.task()).toMatchObject({ title: "After" });
      expect(app.github.issues(now)).toMatchObject([{ number: 1, title: "After", state: "open" }]);
      expect((await app.story()).at(-1)).toBe("inbound completed updated_record");
      expect(app.writes()).toBe(0);
      expect(requestsByName(app)).toBe(0);
    });
  }

  for (const lost of [false, true]) {
    const told = lost ? "with every webhook lost" : "with its webhooks";
    it(`S41: another repository takes the old name, ${told}: it is not taken for the old one`, async () => {
      const app = await givenPair(await open());
      const { id } = await app.task();
      app.github.faults.webhooks.drop = lost ? 1 : 0;
      app.github.renameRepository(OLD, "www");
      app.github.createRepository({ owner: "acme", name: "site" });
      app.github.as("mona").openIssue(OLD, { title: "A stranger with the same number" });
      app.github.as("mona").comment(OLD, 1, "I am new here.");
      await app.editTask(id, { title: "Ours" });
      await app.advance(60_000);
      await app.tandem.syncNow();
      await app.tandem.sweepNow();
      await app.settle();

      expect(await connectedTo(app)).toEqual(["acme/www"]);
      expect(await app.tasks()).toMatchObject([{ title: "Ours" }]);
      expect(await app.comments()).toEqual([]);
      expect(app.github.issues("acme/www")).toMatchObject([{ number: 1, title: "Ours" }]);
      expect(app.github.issues(OLD)).toMatchObject([{ title: "A stranger with the same number" }]);
      const strangers = (await app.storedDeliveries()).filter(
        ({ state, reason }) => state === "irrelevant" && reason === "unknown_container",
      );
      expect(strangers).toHaveLength(lost ? 0 : 2);
      expect(await app.story("direction=outbound")).toEqual([
        "outbound completed created_resource",
        "outbound completed updated_resource",
      ]);
      expect(app.writes()).toBe(1);
      expect(requestsByName(app)).toBe(0);
    });
  }
});
