/** Situations 13 and 14: texts and ids at their edges, in both directions. */
import { expect, it } from "vitest";
import type { Id } from "../../../src/testing/github/index.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { type Comment, givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { tally } from "../../harness/tally.ts";

const LONGEST = "x".repeat(65_536);
/** 65,536 characters to GitHub, twice as many to JavaScript. */
const LONGEST_EMOJI = "🦉".repeat(65_536);
const FAMILY = "👩‍👩‍👧‍👦 and é, 漢字, עברית";

/** A body at GitHub, and the task's text that follows from it. */
const INBOUND: readonly (readonly [string, string | null, string])[] = [
  ["a null body", null, ""],
  ["an empty body", "", ""],
  ["65,536 characters", LONGEST, LONGEST],
  ["65,536 emoji", LONGEST_EMOJI, LONGEST_EMOJI],
  ["emoji and other scripts", FAMILY, FAMILY],
  ["CRLF", "one\r\ntwo\r\n\r\nthree\rfour", "one\ntwo\n\nthree\nfour"],
  ["NUL", "a\0b", "a\uFFFDb"],
  ["lone surrogates", "a\uD83Db\uDC00c", "a\uFFFDb\uFFFDc"],
  ["blank lines and spaces at both ends", "\n\n  text  \n\n", "\n\n  text  \n\n"],
  [
    "text that looks like an escape",
    "\\u0000 \\ud800 %s $1 ' \" {}",
    "\\u0000 \\ud800 %s $1 ' \" {}",
  ],
];

/** A task's text, and the body at GitHub that follows from it, without the token. */
const OUTBOUND: readonly (readonly [string, string, string])[] = [
  ["an empty text", "", ""],
  ["emoji and other scripts", FAMILY, FAMILY],
  ["CRLF", "one\r\ntwo\r\n", "one\ntwo\n"],
  ["65,536 characters, which leave no room for a token", LONGEST, LONGEST],
  ["65,536 emoji", LONGEST_EMOJI, LONGEST_EMOJI],
  ["blank lines and spaces at both ends", "\n\n  text  \n\n", "\n\n  text  \n\n"],
];

describeOnOneDatabase("content", (open) => {
  it("S13 bodies at their edges come in as they can be kept, and are left alone at GitHub", async () => {
    const app = await givenSampleTandem(await open());
    for (const [title, body] of INBOUND) app.github.as("mona").openIssue(app.repo, { title, body });
    await app.settle();

    const tasks = await app.tasks();
    for (const [title, body, markdown] of INBOUND) {
      const task = tasks.find((candidate) => candidate.title === title);
      expect(task?.markdown === markdown, title).toBe(true);
      const issue = app.github.issues(app.repo).find((candidate) => candidate.title === title);
      expect(issue?.body === body, title).toBe(true);
    }
    expect(tasks).toHaveLength(INBOUND.length);
    expect(await app.story()).toEqual(INBOUND.map(() => "inbound completed created_record"));
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  it("S13 a local edit beside such a body changes the title alone", async () => {
    const app = await givenSampleTandem(await open());
    for (const [title, body] of INBOUND) app.github.as("mona").openIssue(app.repo, { title, body });
    await app.settle();
    await app.advance(5_000);
    for (const task of await app.tasks()) await app.editTask(task.id, { title: `${task.title}!` });
    await app.settle();

    for (const [title, body] of INBOUND) {
      const issue = app.github.issues(app.repo).find((one) => one.title === `${title}!`);
      expect(issue?.body === body, title).toBe(true);
    }
    expect(app.writes()).toBe(INBOUND.length);
    // Each issue is read once before its title is overwritten.
    expect(app.reads()).toBe(INBOUND.length);
    const endings = new Set(await app.story());
    expect([...endings].sort()).toEqual([
      "inbound completed created_record",
      "inbound duplicate same_content",
      "outbound completed updated_resource",
    ]);
  });

  it("S13 texts at their edges go out once, come back as echoes, and stay as they were written", async () => {
    const app = await givenSampleTandem(await open());
    for (const [title, markdown] of OUTBOUND) await app.addTask({ title, markdown });
    await app.settle();

    const tasks = await app.tasks();
    for (const [title, markdown, body] of OUTBOUND) {
      const issue = app.github.issues(app.repo).find((candidate) => candidate.title === title);
      expect(withoutToken(issue?.body ?? "") === body, title).toBe(true);
      const task = tasks.find((candidate) => candidate.title === title);
      expect(task?.markdown === markdown, title).toBe(true);
    }
    expect(tasks).toHaveLength(OUTBOUND.length);
    expect(app.github.issues(app.repo)).toHaveLength(OUTBOUND.length);
    expect(app.writes()).toBe(OUTBOUND.length);
    expect(app.reads()).toBe(0);
    const story = await app.story();
    const times = (line: string) => story.filter((one) => one === line).length;
    expect(times("outbound completed created_resource")).toBe(OUTBOUND.length);
    expect(times("inbound duplicate same_content")).toBe(OUTBOUND.length);
    expect(story).toHaveLength(2 * OUTBOUND.length);
  });

  it("S13 a text that GitHub finds too long ends as an error that says so, and others go on", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Too long", markdown: `${LONGEST}x` });
    await app.addTask({ title: "Fine" });
    await app.settle();

    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Fine" }]);
    const [refused] = await app.events(`record=tasks:${id}`);
    expect(refused).toMatchObject({
      state: "errored",
      reason: "failed",
      error: { httpStatus: 422, retryable: false },
    });
    expect(refused?.error?.message).toContain("body is too long");
    expect(await app.tasks()).toHaveLength(2);
    expect(app.github.calls({ writes: true, applied: true })).toBe(1);
  });

  it("S13 a title of two lines, or with spaces around it, says the same on both sides", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "  One\r\n  two " });
    await app.settle();
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "One two" });
    await app.advance(5_000);
    await app.editTask(id, { title: "One two" });
    await app.settle();

    expect(app.writes()).toBe(1);
    expect(await app.task()).toMatchObject({ title: "One two" });
    expect((await app.story()).at(-1)).toBe("outbound completed nothing_to_send");
  });

  it("S13 comments at their edges, both ways", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Talk" });
    const bodies = INBOUND.filter(([, body]) => (body ?? "").trim() !== "");
    for (const [, body] of bodies) app.github.as("mona").comment(app.repo, 1, body ?? "");
    await app.settle();

    const inbound = await app.comments();
    expect(inbound).toHaveLength(bodies.length);
    for (const [what, , markdown] of bodies) {
      expect(
        inbound.some((comment) => comment.markdown === markdown),
        what,
      ).toBe(true);
    }
    expect(app.writes()).toBe(0);

    const texts = OUTBOUND.filter(([, markdown]) => markdown !== "");
    for (const [, markdown] of texts) {
      await app.sql("insert into comments (task_id, author_id, markdown) values (1, 1, $1)", [
        markdown,
      ]);
    }
    await app.settle();
    const outbound = app.github.comments(app.repo, 1).slice(bodies.length);
    expect(outbound).toHaveLength(texts.length);
    for (const [what, , body] of texts) {
      expect(
        outbound.some((comment) => withoutToken(comment.body) === body),
        what,
      ).toBe(true);
    }
    expect(await app.comments()).toHaveLength(bodies.length + texts.length);
    expect(app.writes()).toBe(texts.length);
  });

  for (const [what, first] of [
    ["above 2^31", 2 ** 31 + 1],
    ["above 2^53", 2n ** 53n + 1n],
  ] as const) {
    it(`S14 ids ${what} of users, issues, comments and repositories stay apart`, async () => {
      const app = await givenSampleTandem(await open());
      await connectSecondRepository(app, first);
      app.github.startIdsAt("issue", first);
      app.github.startIdsAt("comment", first);
      app.github.startIdsAt("user", first);
      app.github.startIdsAt("label", first);

      for (const repository of ["acme/site", "acme/docs"]) {
        app.github.as("octocat").openIssue(repository, { title: `In ${repository}` });
        app.github.as("hubot").comment(repository, 1, "first");
        app.github.as("octocat").comment(repository, 1, "second");
      }
      await app.settle();

      const tasks = await app.tasks();
      expect(Object.fromEntries(tasks.map((task) => [task.title, task.project_id]))).toEqual({
        "In acme/site": "1",
        "In acme/docs": "2",
      });
      const users = await app.users();
      const logins = new Map(users.map((user) => [user.github_login, user.id]));
      expect([...logins.keys()].sort()).toEqual(["hubot", "mona", "octocat"]);
      const comments = await app.comments();
      expect(byIssue(comments)).toMatchObject(
        tasks.flatMap(({ id }) => [
          { task_id: id, markdown: "first", author_id: logins.get("hubot") },
          { task_id: id, markdown: "second", author_id: logins.get("octocat") },
        ]),
      );
      const ids = app.github.comments("acme/site").map((comment) => String(comment.id));
      expect(ids).toEqual([String(BigInt(first)), String(BigInt(first) + 1n)]);
      const events = await app.events();
      expect(
        events
          .filter((event) => event.resource_type === "issue_comment")
          .map((event) => event.integration_external_id)
          .sort(),
      ).toEqual([0n, 1n, 2n, 3n].map((step) => String(BigInt(first) + step)));
      for (const repository of ["acme/site", "acme/docs"]) {
        expect(app.github.issues(repository)).toMatchObject([
          { title: `In ${repository}`, state: "open", author: "octocat", comments: 2 },
        ]);
      }
      // Each comment brings its issue along, which says nothing new.
      expect(tally(await app.story())).toEqual({
        "inbound completed created_record": 6,
        "inbound duplicate same_content": 4,
      });
      expect(app.writes()).toBe(0);
      expect(app.reads()).toBe(0);

      // And they are found again by what they are called: read, changed and deleted.
      await app.advance(5_000);
      for (const { id, markdown } of comments) {
        await app.sql("update comments set markdown = $1 where id = $2", [`${markdown}!`, id]);
      }
      await app.settle();
      for (const repository of ["acme/site", "acme/docs"]) {
        expect(app.github.comments(repository).map(({ body }) => body)).toEqual([
          "first!",
          "second!",
        ]);
      }
      expect(app.writes()).toBe(4);
      expect(tally(await app.story("direction=outbound"))).toEqual({
        "outbound completed updated_resource": 4,
      });
      const onSite = tasks.find(({ title }) => title === "In acme/site");
      await app.sql("delete from comments where task_id = $1 and markdown = 'first!'", [
        onSite?.id,
      ]);
      await app.settle();
      expect(app.github.comments("acme/site").map(({ body }) => body)).toEqual(["second!"]);
      expect(app.github.comments("acme/docs")).toHaveLength(2);
      expect(app.writes()).toBe(5);
      await app.tandem.syncNow();
      await app.settle();
      expect(await app.comments()).toHaveLength(3);
      expect(await app.tasks()).toEqual(tasks);
      expect((await app.story("direction=outbound")).at(-1)).toBe(
        "outbound completed deleted_resource",
      );
      expect(tally(await app.story())).toEqual({
        "inbound completed created_record": 6,
        "inbound duplicate same_content": 13,
        "inbound ignored tombstoned": 1,
        "outbound completed updated_resource": 4,
        "outbound completed deleted_resource": 1,
      });
      expect(app.writes()).toBe(5);
    });
  }
});

/** A second repository with the given id, for project 2. */
async function connectSecondRepository(app: SampleTandem, id: Id): Promise<void> {
  await app.sql("insert into projects (name) values ('Docs')");
  app.github.startIdsAt("repository", id);
  app.github.createRepository({ owner: "acme", name: "docs" });
  const [account] = await app.tandem.services.store.directory.accounts();
  if (account === undefined) throw new Error("there is no account");
  await app.tandem.services.store.directory.saveConnection({
    accountId: account.id,
    integration: "github",
    containerId: String(id),
    containerName: "acme/docs",
    scope: "2",
  });
}

/** In the order of their tasks; events of one batch are processed in any. */
function byIssue(comments: readonly Comment[]): readonly Comment[] {
  const key = ({ task_id, markdown }: Comment) => `${task_id} ${markdown}`;
  return [...comments].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function withoutToken(body: string): string {
  return body.replace(/(\n\n)?<!-- tandem:[\w-]+ -->$/, "");
}
