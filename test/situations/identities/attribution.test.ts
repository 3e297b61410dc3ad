/** A post names its author in a line, which goes out and never comes in. */
import { expect, it } from "vitest";
import type { AnyConfig, SyncConfig } from "../../../src/config.ts";
import { BODY_LIMIT } from "../../../src/integrations/github/index.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const MARKER = "<!-- tandem-author -->";
const LINE = `**Mona** wrote: ${MARKER}`;
const TOKEN = /\n\n<!-- tandem:\w+ -->$/;

/** The sample, with comments that say who wrote them. */
const withAuthors =
  (identities: Partial<NonNullable<AnyConfig["identities"]>> = {}) =>
  (config: AnyConfig): AnyConfig => {
    const { comments, ...others } = config.records;
    const mapping = comments?.sync?.["github.issue_comment"] as SyncConfig;
    const sync = { "github.issue_comment": { ...mapping, author: "author_id" } };
    if (config.identities === undefined) throw new Error("the sample has identities");
    return {
      ...config,
      identities: { ...config.identities, ...identities },
      records: { ...others, comments: { ...comments, sync } },
    };
  };

/** Every comment at GitHub, without the token at its end. */
const posted = (app: SampleTandem) =>
  app.github.comments(app.repo).map(({ body }) => body.replace(TOKEN, ""));
const texts = async (app: SampleTandem) => (await app.comments()).map(({ markdown }) => markdown);

describeOnOneDatabase("a text that a user wrote and we post", (open) => {
  async function given(config = withAuthors()): Promise<SampleTandem & { readonly talk: string }> {
    const app = await givenSampleTandem(await open(), config);
    const task = await app.addTask({ title: "Talked about", markdown: "Text" });
    await app.settle();
    app.github.clearRequests();
    return { ...app, talk: task };
  }

  it("names them in a line of its own, which survives any number of round trips", async () => {
    const app = await given();
    const id = await app.addComment(app.talk, "First");
    await app.settle();
    expect(posted(app)).toEqual([`${LINE}\n\nFirst`]);
    expect(app.github.comments(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);
    expect(await texts(app)).toEqual(["First"]);
    // The task has no author, only an owner: nobody is said to have written it.
    expect(app.github.issue(app.repo, 1)?.body).toMatch(/^Text\n\n<!-- tandem:\w+ -->$/);

    const [comment] = app.github.comments(app.repo);
    const octocat = app.github.as("octocat");
    for (const turn of ["one", "two", "three"]) {
      await app.advance(5_000);
      const [{ body } = { body: "" }] = app.github.comments(app.repo);
      octocat.editComment(
        app.repo,
        comment?.id ?? 0,
        body.replaceAll("\n", "\r\n").replace("First", `First\r\nGitHub ${turn}`),
      );
      await app.settle();
      expect((await texts(app))[0]).toContain(`GitHub ${turn}`);
      await app.advance(5_000);
      await app.sql(
        "update comments set markdown = markdown || $1, modified_at = tandem.now() where id = $2",
        [`\nApp ${turn}`, id],
      );
      await app.settle();
    }

    const text = "First\nGitHub three\nGitHub two\nGitHub one\nApp one\nApp two\nApp three";
    expect(await texts(app)).toEqual([text]);
    expect(posted(app)).toEqual([`${LINE}\n\n${text}`]);
    expect(await app.comments()).toMatchObject([{ author_id: "1" }]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect((await app.events()).filter(({ state }) => state === "errored")).toEqual([]);
    // The create, and three edits.
    expect(app.writes()).toBe(4);
  });

  it("is theirs alone: a line that is taken away or edited is no news, and comes back", async () => {
    const app = await given();
    await app.addComment(app.talk, "Text");
    await app.settle();
    const [comment] = app.github.comments(app.repo);
    const mona = app.github.as("mona");
    await app.advance(5_000);
    mona.editComment(app.repo, comment?.id ?? 0, (comment?.body ?? "").replace("Mona", "Lisa"));
    await app.settle();
    await app.advance(5_000);
    mona.editComment(app.repo, comment?.id ?? 0, (comment?.body ?? "").replace(`${LINE}\n\n`, ""));
    await app.settle();
    await app.tandem.syncNow();
    await app.settle();
    expect(await texts(app)).toEqual(["Text"]);
    expect(posted(app)).toEqual(["Text"]);
    expect((await app.story()).slice(-2)).toEqual([
      "inbound duplicate same_content",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(1);

    await app.advance(5_000);
    await app.sql("update comments set markdown = 'Edited', modified_at = tandem.now()");
    await app.settle();
    expect(posted(app)).toEqual([`${LINE}\n\nEdited`]);
    expect(await texts(app)).toEqual(["Edited"]);
    expect(app.writes()).toBe(2);
  });

  it("is a copy elsewhere: somebody's own comment loses the line and gets none", async () => {
    const app = await given();
    await app.addComment(app.talk, "Text");
    await app.settle();
    const [ours] = app.github.comments(app.repo);
    await app.advance(5_000);
    app.github.as("octocat").comment(app.repo, 1, ours?.body ?? "");
    await app.settle();
    expect(await app.comments()).toMatchObject([
      { markdown: "Text", author_id: "1" },
      { markdown: "Text", author_id: "2" },
    ]);

    // Tandem does not sign a text that others wrote, whoever edits it in the app.
    await app.advance(5_000);
    await app.sql(
      "update comments set markdown = 'Corrected', modified_at = tandem.now() where author_id = 2",
    );
    await app.settle();
    expect(posted(app)).toEqual([`${LINE}\n\nText`, "Corrected"]);
    expect(await texts(app)).toEqual(["Text", "Corrected"]);
    expect(app.writes()).toBe(2);
  });

  it("is found after a lost answer, and posted once", async () => {
    const app = await given();
    app.github.failNext({ method: "POST", path: /\/comments$/, with: "lost-answer" });
    await app.addComment(app.talk, "Text");
    await app.settleWithin(5);
    expect(posted(app)).toEqual([`${LINE}\n\nText`]);
    expect(await texts(app)).toEqual(["Text"]);
    expect(app.writes()).toBe(1);
  });

  it("goes without where there is no room for it", async () => {
    const app = await given();
    const long = "x".repeat(BODY_LIMIT - 60);
    await app.addComment(app.talk, long);
    await app.settle();
    expect(posted(app)).toEqual([long]);
    expect(await texts(app)).toEqual([long]);
    expect(app.writes()).toBe(1);
  });

  it("is a name and nothing else, whatever it is", async () => {
    const app = await given();
    await app.sql(`update users set name = 'A *bold* <b>name</b> @octocat' where id = 1`);
    await app.addComment(app.talk, "Text");
    await app.settle();
    expect(posted(app)).toEqual([
      `**A \\*bold\\* &lt;b\\>name&lt;/b\\> @\u200Boctocat** wrote: ${MARKER}\n\nText`,
    ]);
    expect(await texts(app)).toEqual(["Text"]);
  });

  it("names nobody where nobody wrote it, or it is us", async () => {
    const app = await given();
    await app.sql("update users set github_login = $1", [TEST_LOGIN]);
    await app.addComment(app.talk, "By the account's own user");
    await app.settle();
    await app.sql("insert into comments (task_id, markdown) values ($1, 'By nobody')", [app.talk]);
    await app.settle();
    expect(posted(app)).toEqual(["By the account's own user", "By nobody"]);
  });

  it("is what the app says, or that the app cannot say it", async () => {
    let attribution: (user: { readonly name?: unknown }) => string | null = (user) =>
      user.name === "Mona" ? "_Mona, in our app_" : null;
    const app = await given(withAuthors({ attribution: (user) => attribution(user) }));
    await app.addComment(app.talk, "One");
    await app.settle();
    await app.sql("update users set name = 'Lisa'");
    await app.addComment(app.talk, "Two");
    await app.settle();
    expect(posted(app)).toEqual([`_Mona, in our app_ ${MARKER}\n\nOne`, "Two"]);

    attribution = () => {
      throw new TypeError("no name");
    };
    await app.addComment(app.talk, "Three");
    await app.settle();
    expect((await app.events()).find(({ state }) => state === "errored")?.error).toMatchObject({
      code: "hook_failed",
      message: "identities.attribution threw for the author of a row of comments: no name",
      hint: "Correct it in tandem.config.ts, then restart the event.",
      retryable: false,
    });
    expect(posted(app)).toHaveLength(2);
  });
});
