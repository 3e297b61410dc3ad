/** Situations 43 and 44: which user of the app stands for an author at the integration. */
import pg from "pg";
import { expect, it } from "vitest";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { saveAsAnOrm, withHooks } from "../../harness/sample-hooks.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { tally } from "../../harness/tally.ts";

async function restart(app: SampleTandem, event: string): Promise<void> {
  const url = `http://localhost/api/events/${event}/restart`;
  const answer = await app.tandem.fetch(new Request(url, { method: "POST" }));
  expect(answer.status).toBe(200);
}

describeOnOneDatabase("two users of one author", (open) => {
  it("S43 are an explicit error that names both; mended, the event goes on", async () => {
    const app = await givenSampleTandem(await open());
    // The app's own unique constraint minds the case, and GitHub does not.
    await app.sql("insert into users (name, github_login) values ('Mona again', 'Mona')");
    app.github.as("mona").openIssue(app.repo, { title: "Whose?" });
    await app.settle();
    app.github.as("octocat").openIssue(app.repo, { title: "Octocat's" });
    await app.settle();

    const [event] = await app.events();
    expect(event).toMatchObject({
      state: "errored",
      reason: "failed",
      error: {
        code: "ambiguous_actor",
        message: "users 1 and users 2 both have the login mona",
        hint: "Leave github_login to one of them, then restart the event.",
        retryable: false,
      },
    });
    // Other people's events do not wait, and no person is guessed.
    expect(await app.story()).toEqual([
      "inbound errored failed",
      "inbound completed created_record",
    ]);
    expect(await app.tasks()).toMatchObject([{ title: "Octocat's", owner_id: "3" }]);
    expect((await app.status()).accounts).toMatchObject([{ state: "active" }]);

    // Restarted before it was mended, it says so again.
    await restart(app, event?.id ?? "");
    await app.settle();
    expect(await app.events()).toMatchObject([
      { id: event?.id, state: "errored", error: { code: "ambiguous_actor" } },
      { state: "completed" },
    ]);

    await app.sql("update users set github_login = null where id = 1");
    await restart(app, event?.id ?? "");
    await app.settle();

    expect(await app.tasks()).toMatchObject([
      { title: "Octocat's", owner_id: "3" },
      { title: "Whose?", owner_id: "2" },
    ]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed created_record",
    ]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Whose?", author: "mona" });
    expect(app.writes()).toBe(0);
    // A restarted event reads the issue again, each time.
    expect(app.reads()).toBe(2);
  });

  it("S43 three are all named, and what the record has already is no matter", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Before" });
    await app.settle();
    await app.sql("insert into users (name, github_login) values ('B', 'Mona'), ('C', 'MONA')");
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited" });
    await app.settle();
    app.github.as("mona").openIssue(app.repo, { title: "After" });
    await app.settle();

    // The task has its owner; only a new one asks whose it is.
    expect(await app.tasks()).toMatchObject([{ title: "Edited", owner_id: "1" }]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed updated_record",
      "inbound errored failed",
    ]);
    expect((await app.events())[2]?.error).toMatchObject({
      code: "ambiguous_actor",
      message: "users 1, users 2 and users 3 all have the login mona",
    });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Edited" }, { title: "After" }]);
    expect(app.writes() + app.reads()).toBe(0);
  });
});

/** Octocat's, as they were opened: who stands for their author here is no matter there. */
function expectIssues(app: SampleTandem, ...titles: readonly string[]): void {
  expect(app.github.issues(app.repo)).toMatchObject(
    titles.map((title) => ({ title, state: "open", author: "octocat" })),
  );
}

const CONNECT = `
  begin;
  update users set github_login = null where github_login = 'octocat';
  insert into users (name, github_login) values ('Octavia', 'octocat');
  commit`;

describeOnOneDatabase("a placeholder that is connected to a user", (open, kind) => {
  /** Two issues and a comment by octocat, whom nobody knows. */
  async function givenAStranger(
    change: Parameters<typeof givenSampleTandem>[1] = (config) => config,
    database?: TestDatabase,
    options: Parameters<typeof givenSampleTandem>[2] = {},
  ): Promise<SampleTandem> {
    const app = await givenSampleTandem(database ?? (await open()), change, options);
    const octocat = app.github.as("octocat");
    octocat.openIssue(app.repo, { title: "One" });
    await app.settle();
    octocat.openIssue(app.repo, { title: "Two" });
    octocat.comment(app.repo, 1, "And this");
    app.github.as("mona").comment(app.repo, 1, "Mona's");
    await app.settle();
    expect(await app.users()).toMatchObject([
      { id: "1", github_login: "mona" },
      { id: "2", github_login: "octocat", placeholder: true },
    ]);
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["2", "2"]);
    return app;
  }

  /** A placeholder was connected to its user while the app held a row in a transaction of its own. */
  async function givenHeldRow(row: string, database: TestDatabase) {
    const app = await givenAStranger((config) => config, database);
    await app.sql(CONNECT);
    const session = new pg.Client({ connectionString: database.url });
    await session.connect();
    await session.query(`begin; select from ${row} for update`);
    await app.settle();
    return { app, letGo: () => session.end() };
  }
  const authors = async (app: SampleTandem) =>
    Object.fromEntries(
      (await app.comments()).map(({ markdown, author_id }) => [markdown, author_id]),
    );

  it("S44 their tasks and comments move, and the row is kept without its login", async () => {
    const app = await givenAStranger();
    const before = await app.story();
    await app.sql(CONNECT);
    await app.settle();

    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3"]);
    expect(await authors(app)).toEqual({ "And this": "3", "Mona's": "1" });
    expect(await app.users()).toMatchObject([
      { id: "1", github_login: "mona" },
      { id: "2", name: "octocat", github_login: null, placeholder: true },
      { id: "3", name: "Octavia", github_login: "octocat" },
    ]);
    // Told of each record, and nothing is sent.
    expect((await app.story()).slice(before.length)).toEqual([
      "inbound completed author_linked",
      "inbound completed author_linked",
      "inbound completed author_linked",
    ]);
    expect((await app.events()).slice(before.length)).toMatchObject([
      {
        record_type: "tasks",
        record_id: "1",
        changes: [{ field: "owner_id", from: "2", to: "3" }],
      },
      { record_type: "tasks", record_id: "2" },
      { record_type: "comments", changes: [{ side: "record", field: "author_id" }] },
    ]);
    expect(app.writes() + app.reads()).toBe(0);

    // Later issues are the user's, and their earlier ones still sync both ways.
    await app.advance(5_000);
    app.github.as("octocat").openIssue(app.repo, { title: "Three" });
    app.github.as("octocat").editIssue(app.repo, 1, { title: "One, edited" });
    await app.settle();
    await app.editTask("2", { title: "Two, edited" });
    await app.settle();
    expect(await app.tasks()).toMatchObject([
      { title: "One, edited", owner_id: "3" },
      { title: "Two, edited", owner_id: "3" },
      { title: "Three", owner_id: "3" },
    ]);
    expect(app.github.issue(app.repo, 2)).toMatchObject({ title: "Two, edited" });
    expect(await app.users()).toHaveLength(3);
    expect(app.writes()).toBe(1);
  });

  it("S44 the same where both have the login, in whatever case: no error of Tandem's making", async () => {
    const app = await givenAStranger();
    const before = await app.story();
    await app.sql("insert into users (name, github_login) values ('Octavia', 'OctoCat')");
    // Before the drain has seen it, the author comes again.
    app.github.as("octocat").openIssue(app.repo, { title: "Three" });
    await app.settle();

    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3", "3"]);
    expect(await app.users()).toMatchObject([
      { github_login: "mona" },
      { id: "2", github_login: null, placeholder: true },
      { id: "3", github_login: "OctoCat" },
    ]);
    expect(tally((await app.story()).slice(before.length))).toEqual({
      "inbound completed created_record": 1,
      "inbound completed author_linked": 3,
    });
    expectIssues(app, "One", "Two", "Three");
    expect(app.writes() + app.reads()).toBe(0);
  });

  it("S44 the placeholder's own row becomes the user: nothing is to be done", async () => {
    const app = await givenAStranger();
    const before = await app.story();
    await app.sql("update users set name = 'Octavia', placeholder = false where id = 2");
    app.github.as("octocat").openIssue(app.repo, { title: "Three" });
    await app.settle();

    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["2", "2", "2"]);
    expect((await app.story()).slice(before.length)).toEqual(["inbound completed created_record"]);

    // It is a user like any other now: a second one of that login is a riddle (S43), and no link.
    await app.sql("insert into users (name, github_login) values ('Impostor', 'OCTOCAT')");
    app.github.as("octocat").openIssue(app.repo, { title: "Four" });
    await app.settle();
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["2", "2", "2"]);
    expect((await app.events()).at(-1)).toMatchObject({
      state: "errored",
      error: { message: "users 2 and users 3 both have the login octocat" },
    });
    expectIssues(app, "One", "Two", "Three", "Four");
    expect(app.writes() + app.reads()).toBe(0);
  });

  it("S44 what the app's table refuses is come back to, and holds up nothing else", async () => {
    const { log, lines } = keptLog();
    const app = await givenAStranger(undefined, await open(), { log });
    const before = await app.story();
    await app.sql("alter table tasks add constraint closed check (id <> 1 or owner_id <> 3)");
    await app.sql(CONNECT);
    await app.settle();
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["2", "3"]);
    expect(lines).toContainEqual({
      message: "a placeholder's record could not be given to its user; it is tried again",
      ...{ record: "tasks 1", user: "3", error: expect.stringContaining("closed") as string },
    });
    expect(await authors(app)).toMatchObject({ "And this": "3" });

    await app.sql("alter table tasks drop constraint closed");
    await app.advance(10 * 60_000);
    await app.settle();
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3"]);
    expect(await app.sql("select * from tandem.links")).toEqual([]);
    expect(tally((await app.story()).slice(before.length))).toEqual({
      "inbound completed author_linked": 3,
    });
    expectIssues(app, "One", "Two");
    expect(app.writes() + app.reads()).toBe(0);
  });

  it("S44 what the app's own code refuses is come back to, and holds up nothing else", async () => {
    let isClosed = true;
    const app = await givenAStranger(
      withHooks({
        apply: async (tx, operation) => {
          const { op, event } = operation;
          if (isClosed && op === "update" && event.reason === "author_linked") {
            isClosed = false;
            throw new Error("the books are closed");
          }
          return saveAsAnOrm(tx, operation);
        },
      }),
    );
    await app.sql(CONNECT);
    await app.settle();
    expect((await app.tasks()).map(({ owner_id }) => owner_id).sort()).toEqual(["2", "3"]);

    await app.advance(10 * 60_000);
    await app.settle();
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3"]);
    expect(await app.sql("select * from tandem.links")).toEqual([]);
  });

  it("S44 a database in trouble is no refusal: nothing is skipped, and all of it is done later", async () => {
    const app = await givenAStranger();
    await app.sql(`
      create function full_disk() returns trigger language plpgsql as $$
      begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
      create trigger full_disk before update on tasks for each row
        when (old.id = 1 and new.owner_id = 3) execute function full_disk();`);
    await app.sql(CONNECT);
    await expect(app.settle()).rejects.toThrow("could not extend file");
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["2", "2"]);

    await app.sql("drop trigger full_disk on tasks");
    await app.advance(10 * 60_000);
    await app.settle();
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3"]);
    expect(await app.sql("select * from tandem.links")).toEqual([]);
  });

  it("S44 the app's own code writes the move where it writes the record", async () => {
    const seen: unknown[] = [];
    const followed: string[] = [];
    const app = await givenAStranger(
      withHooks({
        apply: async (tx, operation) => {
          const { op, patch, event } = operation;
          if (op === "update") seen.push([patch, event.reason]);
          return saveAsAnOrm(tx, operation);
        },
        afterCommit: ({ op, id, event }) => {
          if (event.reason === "author_linked") followed.push(`${op} ${id}`);
        },
      }),
    );
    await app.sql(CONNECT);
    await app.settle();
    expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3"]);
    expect(seen).toEqual([
      [{ owner_id: "3" }, "author_linked"],
      [{ owner_id: "3" }, "author_linked"],
    ]);
    expect(followed.sort()).toEqual(["update 1", "update 2"]);
    expect((await app.story()).filter((line) => line.endsWith("author_linked"))).toEqual(
      Array.from({ length: 3 }, () => "inbound completed author_linked"),
    );
    expectIssues(app, "One", "Two");
    expect(app.writes()).toBe(0);
  });

  it.runIf(kind === "postgres")(
    "S44 a placeholder's row that the app holds is connected a second after it is free",
    async () => {
      const { app, letGo } = await givenHeldRow("users where id = 2", await open());
      await letGo();
      expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["2", "2"]);
      await app.advance(1_000);
      await app.settle();
      expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3"]);
    },
  );

  it.runIf(kind === "postgres")(
    "S44 a row that the app holds follows when it is free",
    async () => {
      const { app, letGo } = await givenHeldRow("tasks where id = 1", await open());
      expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["2", "3"]);
      await letGo();
      await app.advance(2_000);
      await app.settle();
      expect((await app.tasks()).map(({ owner_id }) => owner_id)).toEqual(["3", "3"]);
      expect(app.writes()).toBe(0);
    },
  );
});
