/**
 * Situation 24, where the author is to be seen at GitHub too: what a user writes is created under
 * their own token, and all else is done by the account.
 */
import { expect, it } from "vitest";
import { BODY_LIMIT } from "../../../src/integrations/github/index.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import {
  asked,
  givenLabels,
  givenTokens,
  MONAS,
  said,
  wrote,
} from "../../harness/author-tokens.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import {
  catchRequest,
  dieSending,
  outliveSender,
  POST_COMMENT,
  POST_ISSUE,
} from "../../harness/in-flight.ts";

describeOnOneDatabase("an author's own token", (open) => {
  it("S24 creates issue and comment in their name, and the account does the rest", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Mona's", markdown: "Text" });
    await app.settle();
    const comment = await app.addComment(task, "Mona's too");
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Mona's", author: "mona" });
    expect(said(app.github.issue(app.repo, 1)?.body)).toBe("Text");
    expect(app.github.comments(app.repo)).toMatchObject([{ author: "mona" }]);
    expect(said(app.github.comments(app.repo)[0]?.body)).toBe("Mona's too");
    expect(wrote(app)).toEqual(["POST mona", "POST mona"]);
    // Tandem asked for the token's user once, whatever is created under it.
    expect(asked(app)).toBe(1);
    expect(app.reads()).toBe(1);

    await app.advance(5_000);
    await app.editTask(task, { title: "Edited", markdown: "Edited" });
    await app.sql("update comments set markdown = 'Edited', modified_at = tandem.now()");
    await app.settle();
    await app.advance(5_000);
    app.github.as("octocat").editIssue(app.repo, 1, { body: "By another" });
    await app.settle();
    await app.editTask(task, { deleted_at: "2026-01-01" });
    await app.sql("delete from comments where id = $1", [comment]);
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ id: task, markdown: "By another", owner_id: "1" }]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Edited", state: "closed" });
    expect(app.github.comments(app.repo)).toEqual([]);
    expect(await app.users()).toHaveLength(1);
    expect(wrote(app).slice(2).sort()).toEqual([
      `DELETE ${TEST_LOGIN}`,
      `PATCH ${TEST_LOGIN}`,
      `PATCH ${TEST_LOGIN}`,
      `PATCH ${TEST_LOGIN}`,
    ]);
    const edits = app.github.requests.filter(({ method }) => method === "PATCH");
    // The author wrote all of it: no line names them, though the account edits.
    expect(edits.filter(({ body }) => body.includes("wrote:"))).toEqual([]);
    const story = await app.story(`record=tasks:${task}`);
    expect(story.slice(0, 2)).toEqual([
      "outbound completed created_as_author",
      "inbound duplicate same_content",
    ]);
    expect((await app.events()).filter(({ state }) => state === "errored")).toEqual([]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
  });

  it("S24 is kept nowhere: not in the ledger, not in the log", async () => {
    const database = await open();
    const app = await givenTokens(database, () => ({ token: MONAS }));
    await app.addTask({ title: "One" });
    await app.settle();
    app.github.revokeToken(MONAS);
    await app.addTask({ title: "Two" });
    await app.settle();
    expect(wrote(app)).toEqual(["POST mona", "POST nobody", `POST ${TEST_LOGIN}`]);
    const tables = await app.sql<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
       where table_schema in ('tandem', 'public') and table_type = 'BASE TABLE'`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      const rows = await app.sql<{ text: string }>(`select t::text as text from ${name} as t`);
      expect(rows.filter(({ text }) => text.includes(MONAS))).toEqual([]);
    }
    expect(app.lines).not.toEqual([]);
    expect(JSON.stringify(app.lines)).not.toContain(MONAS);
  });

  it("S24 says nothing of who in the app its login is", async () => {
    const app = await givenTokens(await open());
    app.github.token(MONAS, { login: "mona-at-work" });
    const task = await app.addTask({ title: "Mona's" });
    await app.settle();
    await app.advance(5_000);
    app.github.as("octocat").editIssue(app.repo, 1, { title: "Edited" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ author: "mona-at-work" });
    expect(await app.tasks()).toMatchObject([{ id: task, title: "Edited", owner_id: "1" }]);
    expect(await app.users()).toHaveLength(1);
    expect(wrote(app)).toEqual(["POST mona-at-work"]);
  });

  it("S24 leaves those who have none to the account, with the line that names them", async () => {
    const app = await givenTokens(await open(), () => Promise.resolve(null));
    await app.addTask({ title: "Mona's", markdown: "Text" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ author: TEST_LOGIN });
    expect(said(app.github.issue(app.repo, 1)?.body)).toMatch(/^\*\*Mona\*\* wrote:.*\n\nText$/);
    expect((await app.story())[0]).toBe("outbound completed created_resource");
    expect(wrote(app)).toEqual([`POST ${TEST_LOGIN}`]);
    expect(asked(app)).toBe(0);
    expect(app.lines).toEqual([]);
  });

  it("S24 is not used where there is no room for our token: nothing else would tell it", async () => {
    const app = await givenTokens(await open());
    await app.addTask({ title: "Long", markdown: "x".repeat(BODY_LIMIT - 10) });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ author: TEST_LOGIN });
    expect((await app.story())[0]).toBe("outbound completed created_resource");
    expect(wrote(app)).toEqual([`POST ${TEST_LOGIN}`]);
    expect(app.reads()).toBe(0);
  });

  it("S24 is given up where the text has outgrown its room while the app was asked", async () => {
    const app = await givenTokens(await open(), async () => {
      await app.sql("update tasks set markdown = repeat('x', $1)", [BODY_LIMIT - 10]);
      return { token: MONAS };
    });
    await app.addTask({ title: "Growing" });
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);
    expect(wrote(app)).toEqual([`POST ${TEST_LOGIN}`]);
  });

  it("S17 its echo overtakes the response: one task, one issue", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Mona's", markdown: "Text" });
    const { land, answer } = await catchRequest(app, POST_ISSUE);
    await land();
    await answer();
    await app.advance(5_000);
    await app.editTask(task, { markdown: "Edited" });
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id: task, owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ number: 1, author: "mona" }]);
    expect(said(app.github.issue(app.repo, 1)?.body)).toBe("Edited");
    expect((await app.story())[0]).toBe("outbound completed created_as_author");
    expect(wrote(app)).toEqual(["POST mona", `PATCH ${TEST_LOGIN}`]);
  });

  it("S19 its answer is lost: it is found under either name, and written once", async () => {
    const app = await givenTokens(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const task = await app.addTask({ title: "Mona's", markdown: "Text" });
    await app.settleWithin(1);
    app.github.failNext({ ...POST_COMMENT, with: "lost-answer" });
    await app.addComment(task, "Mona's too");
    await app.settleWithin(1);

    expect(await app.tasks()).toMatchObject([{ id: task, owner_id: "1" }]);
    expect(await app.comments()).toMatchObject([{ markdown: "Mona's too", author_id: "1" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ author: "mona" }]);
    expect(app.github.comments(app.repo)).toMatchObject([{ author: "mona" }]);
    expect(await app.story()).toEqual([
      "outbound completed adopted_resource",
      "outbound completed adopted_resource",
    ]);
    expect(wrote(app)).toEqual(["POST mona", "POST mona"]);
    // The token's user, and a list for each of the two.
    expect(app.reads()).toBe(3);
  });

  it("S20 its worker dies before it is recorded: found by who wrote it", async () => {
    const app = await givenTokens(await open());
    app.github.faults.webhooks.drop = 1;
    const task = await app.addTask({ title: "Mona's" });
    const hold = await dieSending(app, POST_ISSUE);
    hold.apply();
    await app.advance(60_000);
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id: task, title: "Mona's", owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ author: "mona" }]);
    expect(await app.story()).toEqual(["outbound completed adopted_resource"]);
    expect(wrote(app)).toEqual(["POST mona"]);
    // The token's user, and the list.
    expect(app.reads()).toBe(2);
  });

  it("S21 a dead worker's POST lands after its successor's: the sweep leaves one open issue", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Posted twice" });
    const late = await outliveSender(app, POST_ISSUE);
    late.apply();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([
      { author: "mona", state: "open" },
      { author: "mona", state: "open" },
    ]);
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, state: "open" },
      { number: 2, state: "closed", stateReason: "not_planned" },
    ]);
    expect(await app.tasks()).toMatchObject([{ id: task, title: "Posted twice", status: "todo" }]);
    expect((await app.story(`record=tasks:${task}`)).slice(0, 4)).toEqual([
      "outbound completed created_as_author",
      "inbound duplicate same_content",
      "inbound ignored surplus",
      "inbound ignored surplus",
    ]);
    // It is the account that closes it, and says why.
    expect(wrote(app).slice(0, 2)).toEqual(["POST mona", "POST mona"]);
    expect(wrote(app).slice(2).sort()).toEqual([`PATCH ${TEST_LOGIN}`, `POST ${TEST_LOGIN}`]);

    // A copy of their own making, long after: theirs, and a task of its own.
    await app.advance(30 * 60_000);
    const { body } = app.github.issue(app.repo, 1) ?? {};
    app.github.as("mona").openIssue(app.repo, { title: "Copied", body: body ?? "" });
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issue(app.repo, 3)).toMatchObject({ title: "Copied", state: "open" });
    expect(await app.tasks()).toMatchObject([{ id: task }, { title: "Copied", owner_id: "1" }]);
    expect(app.writes()).toBe(4);
  });

  it("S21 the same where the successor's goes as the account: either may be the late one", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Posted twice", markdown: "Text" });
    const late = await dieSending(app, POST_ISSUE);
    app.github.revokeToken(MONAS);
    await app.advance(60_000);
    await app.settle();
    app.github.token(MONAS, { login: "mona" });
    late.apply();
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, author: TEST_LOGIN, state: "open" },
      { number: 2, author: "mona", state: "closed" },
    ]);
    expect(await app.tasks()).toMatchObject([{ id: task, status: "todo" }]);
    expect((await app.story())[0]).toBe("outbound completed author_token_refused");

    // The account wrote what is left of it, so the line stays where it was put.
    await app.advance(5_000);
    await app.editTask(task, { markdown: "Edited" });
    await app.settle();
    expect(said(app.github.issue(app.repo, 1)?.body)).toMatch(/^\*\*Mona\*\* wrote:.*\n\nEdited$/);
  });

  it("S25 a copy by the author's own hand is a new resource, and never closed", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Original", markdown: "Text" });
    await app.settle();
    const { body } = app.github.issue(app.repo, 1) ?? {};
    await app.advance(5_000);
    app.github.as("mona").openIssue(app.repo, { title: "Copy", body: body ?? "" });
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([
      { title: "Original", state: "open" },
      { title: "Copy", state: "open" },
    ]);
    expect(await app.tasks()).toMatchObject([
      { id: task, title: "Original" },
      { title: "Copy", markdown: "Text", owner_id: "1" },
    ]);
    expect(await app.story()).toEqual([
      "outbound completed created_as_author",
      "inbound duplicate same_content",
      "inbound completed created_record",
    ]);
    expect(wrote(app)).toEqual(["POST mona"]);
  });

  it("S25 a copy by another's hand is nobody's but theirs, also while the create is under way", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Original" });
    const { hold, answer } = await catchRequest(app, POST_ISSUE);
    const [marker = ""] = /<!-- tandem:\w+ -->/.exec((await hold.arrived).body) ?? [];
    app.github.as("octocat").openIssue(app.repo, { title: "Copy", body: `Mine\n\n${marker}` });
    await app.settle();
    await answer();
    expect(await app.tasks()).toMatchObject([
      { id: task, title: "Original", owner_id: "1" },
      { title: "Copy", markdown: "Mine", owner_id: "2" },
    ]);
    expect(app.github.issues(app.repo).map(({ author }) => author)).toEqual(["octocat", "mona"]);
    expect(wrote(app)).toEqual(["POST mona"]);
  });

  it("S37 labels that a user without push access may not set are set by the account", async () => {
    const app = await givenLabels(await open());
    app.github.token(MONAS, { login: "mona", push: false });
    const task = await app.addTask({ title: "Labeled" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ author: "mona", labels: ["bug"] });
    expect(await app.sql("select labels from tasks")).toEqual([{ labels: ["bug"] }]);
    const outbound = await app.story(`record=tasks:${task}&direction=outbound`);
    expect(outbound).toEqual([
      "outbound completed created_as_author",
      "outbound completed updated_resource",
    ]);
    expect((await app.events()).flatMap(({ conflicts }) => conflicts)).toEqual([]);
    expect(wrote(app)).toEqual(["POST mona", `POST ${TEST_LOGIN}`]);
  });

  it("S37 labels that others add meanwhile stay beside them", async () => {
    const app = await givenLabels(await open());
    app.github.token(MONAS, { login: "mona", push: false });
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    await app.addTask({ title: "Labeled" });
    await app.settle();
    app.github.as("octocat").addLabel(app.repo, 1, "theirs");
    await app.settleWithin(1);
    const remote = { author: "mona", labels: ["theirs", "bug"] };
    expect(app.github.issue(app.repo, 1)).toMatchObject(remote);
    expect(await app.sql("select labels from tasks")).toEqual([{ labels: ["bug", "theirs"] }]);
    expect(wrote(app)).toEqual(["POST mona", `POST ${TEST_LOGIN}`]);
  });

  it("S37 the same where its answer is lost", async () => {
    const app = await givenLabels(await open());
    app.github.token(MONAS, { login: "mona", push: false });
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    await app.addTask({ title: "Labeled" });
    await app.settleWithin(1);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ author: "mona", labels: ["bug"] });
    expect(await app.sql("select labels from tasks")).toEqual([{ labels: ["bug"] }]);
    expect(wrote(app)).toEqual(["POST mona", `POST ${TEST_LOGIN}`]);
  });
});
