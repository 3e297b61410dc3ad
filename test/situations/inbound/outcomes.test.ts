/** Situations 1 to 5: what comes in for the first time, and what comes in again. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
import { TEST_SECRET } from "../../../src/testing/test-tandem.ts";

describeOnOneDatabase("inbound", (open) => {
  it("S1 issue opened by an unknown user: placeholder user, one task", async () => {
    const app = await givenSampleTandem(await open());

    app.github.as("octocat").openIssue(app.repo, { title: "Broken link", body: "On the front" });
    await app.settle();

    const users = await app.users();
    expect(users).toHaveLength(2);
    expect(users[1]).toMatchObject({ github_login: "octocat", placeholder: true });
    expect(await app.task()).toMatchObject({
      title: "Broken link",
      markdown: "On the front",
      status: "todo",
      owner_id: users[1]?.id,
    });
    expect(app.github.issue(app.repo, 1)).toMatchObject({
      title: "Broken link",
      body: "On the front",
      state: "open",
      author: "octocat",
    });
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  it("S1 a second issue by the same unknown user: the same placeholder", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("octocat").openIssue(app.repo, { title: "One" });
    app.github.as("octocat").openIssue(app.repo, { title: "Two" });
    await app.settle();

    const users = await app.users();
    expect(users).toHaveLength(2);
    const tasks = await app.tasks();
    expect(tasks.map((task) => task.owner_id)).toEqual([users[1]?.id, users[1]?.id]);
    expect(app.github.issues(app.repo)).toMatchObject([
      { title: "One", author: "octocat" },
      { title: "Two", author: "octocat" },
    ]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed created_record",
    ]);
    expect(app.writes() + app.reads()).toBe(0);
  });

  it("S2 issue opened by a known user: owned by that user", async () => {
    const app = await givenSampleTandem(await open());

    app.github.as("mona").openIssue(app.repo, { title: "Broken link" });
    await app.settle();

    expect(await app.users()).toHaveLength(1);
    expect(await app.task()).toMatchObject({ title: "Broken link", owner_id: "1" });
    expect(app.github.issues(app.repo)).toMatchObject([
      { number: 1, title: "Broken link", body: null, state: "open", author: "mona" },
    ]);
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  for (const [what, act, expected] of [
    ["edited", "edit", { title: "New", status: "todo" }],
    ["closed", "close", { title: "Old", status: "done" }],
    ["reopened", "reopen", { title: "Old", status: "todo" }],
  ] as const) {
    it(`S3 ${what} arrives for an issue never seen: the task is created`, async () => {
      const app = await givenSampleTandem(await open());
      const mona = app.github.as("mona");
      app.github.faults.webhooks.drop = 1;
      mona.openIssue(app.repo, { title: "Old", body: "text" });
      if (act === "reopen") mona.closeIssue(app.repo, 1);
      await app.settle();
      expect(await app.tasks()).toEqual([]);
      app.github.faults.webhooks.drop = 0;

      await app.advance(60_000);
      if (act === "edit") mona.editIssue(app.repo, 1, { title: "New" });
      if (act === "close") mona.closeIssue(app.repo, 1);
      if (act === "reopen") mona.reopenIssue(app.repo, 1);
      await app.settle();

      expect(await app.task()).toMatchObject({ ...expected, markdown: "text", owner_id: "1" });
      expect(app.github.issue(app.repo, 1)).toMatchObject({
        title: expected.title,
        state: expected.status === "done" ? "closed" : "open",
      });
      expect(await app.story()).toEqual(["inbound completed created_record"]);
      expect(app.writes()).toBe(0);
      expect(app.reads()).toBe(0);
    });
  }

  it("S4 the same delivery twice, at once and after an hour: one effect", async () => {
    const app = await givenSampleTandem(await open());
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "Once" });
    const [opened] = app.held();
    if (opened === undefined) throw new Error("no webhook was held");
    const deliverRaw = () =>
      app.tandem.fetch(
        new Request("http://localhost/webhooks/github", {
          method: "POST",
          headers: opened.headers,
          body: opened.body,
        }),
      );

    const answers = await Promise.all([deliverRaw(), deliverRaw()]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    const seen = (await Promise.all(answers.map((answer) => answer.json()))) as {
      readonly delivery: string;
      readonly seen_before: boolean;
    }[];
    expect(seen[0]?.delivery).toBe(seen[1]?.delivery);
    expect(seen.map(({ seen_before }) => seen_before).sort()).toEqual([false, true]);
    await app.settle();

    await app.advance(3_600_000);
    app.github.faults.webhooks.hold = false;
    app.github.redeliver(opened.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Once", owner_id: "1" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Once", state: "open" }]);
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    expect(await app.storedDeliveries()).toMatchObject([
      { event: "issues", action: "opened", state: "translated", times_received: 3 },
    ]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  it("S4 a delivery whose event errored comes again: the event is restarted, and no other is made", async () => {
    const app = await givenSampleTandem(await open(), (config) => ({
      ...config,
      identities: { table: "users", login: { github: "github_login" }, unknown: "error" },
    }));
    app.github.as("octocat").openIssue(app.repo, { title: "By a stranger" });
    await app.settle();
    expect(await app.tasks()).toEqual([]);
    expect(await app.events()).toMatchObject([
      { state: "errored", reason: "failed", error: { code: "unknown_actor", retryable: false } },
    ]);

    await app.advance(3_600_000);
    await app.sql("insert into users (name, github_login) values ('Octo', 'octocat')");
    const [opened] = app.github.deliveries;
    if (opened === undefined) throw new Error("no webhook was sent");
    app.github.redeliver(opened.id);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "By a stranger", owner_id: "2" });
    expect(app.github.issues(app.repo)).toMatchObject([
      { title: "By a stranger", state: "open", author: "octocat" },
    ]);
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    expect(app.writes()).toBe(0);
    // A restarted event never trusts what it brought: it reads the issue again.
    expect(app.reads()).toBe(1);
  });

  it("S5 same content under another delivery id: duplicate, no write", async () => {
    const app = await givenSampleTandem(await open());
    app.github.addHook({
      secret: TEST_SECRET,
      repository: app.repo,
      deliver: (request) =>
        app.tandem.fetch(new Request("http://localhost/webhooks/github", request)),
    });

    app.github.as("mona").openIssue(app.repo, { title: "Heard twice" });
    await app.settle();

    const [first, second] = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound duplicate same_content",
    ]);
    expect(second?.duplicate_of).toBe(first?.id);
    expect(await app.task()).toMatchObject({ title: "Heard twice" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Heard twice", state: "open" }]);
    expect(await app.storedDeliveries()).toMatchObject([
      { state: "translated", times_received: 1 },
      { state: "translated", times_received: 1 },
    ]);
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(0);
  });

  it("S5 the second hook is an hour late: still a duplicate of the first", async () => {
    const app = await givenSampleTandem(await open());
    app.github.addHook({
      secret: TEST_SECRET,
      repository: app.repo,
      deliver: (request) =>
        app.tandem.fetch(new Request("http://localhost/webhooks/github", request)),
    });
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "Heard twice" });
    const [one, two] = app.held();
    if (one === undefined || two === undefined) throw new Error("two webhooks should be held");
    await app.release(one);
    await app.settle();
    await app.advance(3_600_000);
    await app.release(two);
    await app.settle();

    const [first, second] = await app.events();
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound duplicate same_content",
    ]);
    expect(second?.duplicate_of).toBe(first?.id);
    expect(await app.task()).toMatchObject({ title: "Heard twice" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Heard twice", state: "open" }]);
    expect(app.writes() + app.reads()).toBe(0);
  });
});
