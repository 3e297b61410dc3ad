/** Issues of ours that are transferred before their create was answered: what simulated histories showed. */
import { expect, it } from "vitest";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { givenTokens, MONAS, said, wrote } from "../../harness/author-tokens.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { catchRequest, POST_ISSUE } from "../../harness/in-flight.ts";
import {
  APP,
  connect,
  ELSEWHERE,
  expectAtRest,
  givenProjects,
  issuesOf,
  SITE,
  storyAt,
  transfer,
  unfinished,
} from "../../harness/projects.ts";
import type { SampleTandem } from "../../harness/sample-tandem.ts";

/** Two repositories, and an app that may have Mona's own token. */
async function givenAuthor(database: TestDatabase, own: boolean): Promise<SampleTandem> {
  if (!own) return givenProjects(database);
  const app = await givenTokens(database, () => ({ token: MONAS }));
  await app.sql("insert into projects (name) values ('App'), ('Nowhere')");
  await connect(app, APP, "2");
  return app;
}

/** A create has made issue 1 and is not answered; no webhook reported the issue. */
async function givenUnanswered(app: SampleTandem) {
  app.github.createRepository({ owner: "acme", name: "elsewhere" });
  app.github.clearRequests();
  const taskId = await app.addTask({ title: "Written once" });
  const sent = await catchRequest(app, POST_ISSUE);
  app.holdWebhooks();
  sent.hold.apply();
  const opened = app.held();
  app.github.clearFaults();
  return { app: { ...app, taskId }, sent, opened };
}

describeOnOneDatabase(
  "an issue of ours that is transferred before its create is answered",
  (open) => {
    it.each([
      ["the account made", false],
      ["an author's own token made", true],
    ])("which %s: the task follows it, and makes no other", async (_, own) => {
      const { app, sent, opened } = await givenUnanswered(await givenAuthor(await open(), own));
      transfer(app, SITE, 1, APP);
      await app.settle();
      await sent.answer();
      await app.release(...opened);
      await app.settle();

      expect(await app.tasks()).toMatchObject([{ id: app.taskId, project_id: "2" }]);
      expect(issuesOf(app, SITE)).toEqual([]);
      expect(issuesOf(app, APP)).toEqual(["open: Written once"]);
      expect(wrote(app)).toEqual([own ? "POST mona" : `POST ${TEST_LOGIN}`]);
      expect(await storyAt(app, APP)).toEqual([
        "outbound completed nothing_to_send",
        "inbound canceled superseded",
        "inbound completed followed_move",
      ]);
      // The issue and its comments where it is; and whose token it is.
      expect(app.reads()).toBe(own ? 3 : 2);
      await expectAtRest(app);

      await app.editTask(app.taskId, { markdown: "Edited" });
      await app.settle();
      // A text that an author wrote under a token of their own needs no line that names them.
      expect(said(app.github.issue(APP, 1)?.body)).toBe("Edited");
    });

    it("and is deleted there: its task is archived, and no other is made", async () => {
      const { app, sent } = await givenUnanswered(await givenAuthor(await open(), true));
      transfer(app, SITE, 1, APP);
      await app.settle();
      await sent.answer();
      app.github.as("acme").deleteIssue(APP, 1);
      await app.settle();

      const [task, ...others] = await app.tasks();
      expect([task?.id, task?.deleted_at === null]).toEqual([app.taskId, false]);
      expect(others).toEqual([]);
      expect(wrote(app)).toEqual(["POST mona"]);
      await expectAtRest(app);
    });

    it("to where nothing is connected: the task stays without it, and follows it once it is back", async () => {
      const { app, sent } = await givenUnanswered(await givenAuthor(await open(), false));
      transfer(app, SITE, 1, ELSEWHERE);
      await app.settle();
      await sent.answer();
      expect(await unfinished(app)).toEqual([]);
      expect(await app.task()).toMatchObject({ project_id: "1", deleted_at: null });
      expect(issuesOf(app, SITE)).toEqual([]);

      transfer(app, ELSEWHERE, 1, APP);
      await app.settle();
      expect(await app.task()).toMatchObject({ id: app.taskId, project_id: "2" });
      expect(app.github.calls(POST_ISSUE)).toBe(1);
      await expectAtRest(app);
    });

    it("and its task is deleted meanwhile: it is closed where it is", async () => {
      const { app, sent } = await givenUnanswered(await givenAuthor(await open(), false));
      await app.sql("update tasks set deleted_at = tandem.now()");
      transfer(app, SITE, 1, APP);
      await app.settle();
      await sent.answer();

      expect(issuesOf(app, APP)).toEqual(["closed: Written once"]);
      expect(app.github.calls(POST_ISSUE)).toBe(1);
      expect(await app.task()).toMatchObject({ id: app.taskId });
      await expectAtRest(app);
    });
  },
);
