/** The core stories over each schema of the zoo. */
import { describe, expect, it } from "vitest";
import { describeOnOneMigratedDatabase } from "../harness/databases.ts";
import { APP, givenAnimal, SITE, type ZooApp } from "../harness/zoo-app.ts";
import { zoo } from "../harness/zoo.ts";

function said(app: ZooApp, repository: string): readonly string[] {
  return app.github
    .comments(repository)
    .map(({ body }) => body.replace(/\s*<!--.*$/s, ""))
    .sort();
}

function issuesOf(app: ZooApp, repository: string): readonly string[] {
  return app.github.issues(repository).map(({ state, title }) => `${state}: ${title}`);
}

describeOnOneMigratedDatabase("a zoo of schemas", (open) => {
  describe.each(zoo)("$name", (animal) => {
    it("is created and edited both ways, with comments", async () => {
      const app = await givenAnimal(animal, await open());
      const ours = await app.addTask({ title: "Ours", body: "From here" });
      app.github.as("mona").openIssue(SITE, { title: "Theirs", body: "From there" });
      await app.settle();
      expect((await app.tasks()).map(({ title, body }) => `${title}: ${body}`)).toEqual([
        "Ours: From here",
        "Theirs: From there",
      ]);
      expect([...issuesOf(app, SITE)].sort()).toEqual(["open: Ours", "open: Theirs"]);

      const theirs = (await app.tasks()).find(({ title }) => title === "Theirs")?.id ?? "";
      const numberOf = (title: string) =>
        app.github.issues(SITE).find((issue) => issue.title === title)?.number ?? 0;
      const [our, their] = [numberOf("Ours"), numberOf("Theirs")];
      const comment = await app.addComment(ours, "Said here");
      const remark = app.github.as("mona").comment(SITE, their, "Said there");
      await app.settle();
      await app.advance(60_000);
      await app.editTask(theirs, { title: "Theirs, edited here" });
      app.github.as("mona").editIssue(SITE, our, { body: "Edited there", state: "closed" });
      await app.editComment(comment, "Said here, edited");
      app.github.as("mona").editComment(SITE, remark.id, "Said there, edited");
      await app.settle();

      expect(await app.tasks()).toMatchObject([
        { title: "Ours", body: "Edited there", status: "done" },
        { title: "Theirs, edited here", status: "todo" },
      ]);
      expect(app.github.issue(SITE, their)).toMatchObject({ title: "Theirs, edited here" });
      expect(await app.comments()).toEqual(["Said here, edited", "Said there, edited"]);
      expect(said(app, SITE)).toEqual(["Said here, edited", "Said there, edited"]);

      await app.advance(60_000);
      app.github.as("mona").editIssue(SITE, our, { title: "The colour" });
      await app.settle();
      const kept = animal.writes("The colour");
      expect((await app.tasks()).map(({ title }) => title)).toContain(kept);
      expect(app.github.issue(SITE, our)?.title).toBe(kept);
      await app.expectAtRest();
    });

    it("is deleted both ways", async () => {
      const app = await givenAnimal(animal, await open());
      const one = await app.addTask({ title: "One" });
      await app.addTask({ title: "Two" });
      await app.settle();
      const here = await app.addComment(one, "Deleted here");
      const there = await app.addComment(one, "Deleted there");
      expect(here).not.toBe(there);
      await app.settle();
      const remote = app.github.comments(SITE).find(({ body }) => body.includes("there"));
      await app.removeComment(here);
      app.github.as("mona").deleteComment(SITE, remote?.id ?? 0);
      await app.settle();
      expect(await app.comments()).toEqual([]);
      expect(said(app, SITE)).toEqual([]);

      await app.removeTask(one);
      const two = app.github.issues(SITE).find(({ title }) => title === "Two");
      app.github.as("mona").deleteIssue(SITE, two?.number ?? 0);
      await app.settle();
      expect(await app.tasks()).toMatchObject([{ title: "Two", deleted: true }]);
      expect(issuesOf(app, SITE)).toEqual(["closed: One"]);
      await app.expectAtRest();
    });

    it("moves to another scope and back", async () => {
      const app = await givenAnimal(animal, await open());
      const [site, other] = animal.scopes;
      const id = await app.addTask({ title: "Moves", scope: site });
      await app.settle();
      await app.addComment(id, "Comes along");
      await app.settle();
      await app.editTask(id, { scope: other });
      await app.settle();
      expect(issuesOf(app, SITE)).toEqual(["closed: Moves"]);
      expect(issuesOf(app, APP)).toEqual(["open: Moves"]);
      expect(said(app, APP)).toEqual(["Comes along"]);

      await app.advance(60_000);
      await app.editTask(id, { scope: site, title: "Is back" });
      await app.settle();
      expect(issuesOf(app, SITE)).toEqual(["open: Is back"]);
      expect(issuesOf(app, APP)).toEqual(["closed: Moves"]);
      await app.expectAtRest();
    });

    it("is paired by a backfill with what is there", async () => {
      const app = await givenAnimal(animal, await open(), async ({ addTask }) => {
        for (const title of ["Both", "Only here"]) await addTask({ title });
      });
      app.github.faults.webhooks.drop = 1;
      for (const title of ["Both", "Only there"]) {
        app.github.as("mona").openIssue(SITE, { title });
      }
      await app.settle();
      app.github.faults.webhooks.drop = 0;
      await app.tandem.backfill(app.connection.id);
      await app.settleWithin(10);
      expect((await app.tasks()).map(({ title }) => title)).toEqual([
        "Both",
        "Only here",
        "Only there",
      ]);
      expect([...issuesOf(app, SITE)].sort()).toEqual([
        "open: Both",
        "open: Only here",
        "open: Only there",
      ]);
      await app.expectAtRest();
    });
  });
});
