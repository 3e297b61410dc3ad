/**
 * An author's own token that does not work: the account writes in their place, at once and with the line
 * that names them, and suffers nothing for it.
 */
import { expect, it } from "vitest";
import type { TokenHook } from "../../../src/runtime/settings/hooks.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { asked, givenTokens, MONAS, type TokenTandem, wrote } from "../../harness/author-tokens.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { POST_COMMENT, POST_ISSUE } from "../../harness/in-flight.ts";

const LINE = /^\*\*Mona\*\* wrote:.*\n\n/;

/** The account as it was: nothing waits for it. */
async function expectHealthyAccount(app: TokenTandem): Promise<void> {
  const { accounts } = await app.status();
  expect(accounts).toMatchObject([{ state: "active", reason: null }]);
}

describeOnOneDatabase("an author's own token that", (open, kind) => {
  it.each<[string, number, (app: TokenTandem) => void, readonly string[], reads?: number]>([
    [
      "was revoked after it was known (401)",
      401,
      (app) => {
        app.github.revokeToken(MONAS);
      },
      ["POST nobody", `POST ${TEST_LOGIN}`],
    ],
    [
      "may only read (403)",
      403,
      (app) => {
        app.github.token(MONAS, { login: "mona", access: "read" });
      },
      ["POST mona", `POST ${TEST_LOGIN}`],
    ],
    [
      "does not see the repository (404)",
      404,
      (app) => {
        app.github.failNext({ ...POST_ISSUE, with: 404 });
      },
      ["POST mona", `POST ${TEST_LOGIN}`],
      // The first 404 to a token asks whether this server addresses repositories by number.
      1,
    ],
    [
      "is a blocked user's (422)",
      422,
      (app) => {
        app.github.blockUser(app.repo, "mona");
      },
      ["POST mona", `POST ${TEST_LOGIN}`],
    ],
  ])(
    "%s leaves it to the account, which loses nothing",
    async (_what, status, refuse, writes, reads = 0) => {
      const app = await givenTokens(await open());
      await app.addTask({ title: "Before" });
      await app.settle();
      app.github.clearRequests();
      refuse(app);
      const task = await app.addTask({ title: "Refused", markdown: "Text" });
      await app.settle();

      expect(await app.tasks()).toMatchObject([{}, { id: task, title: "Refused", owner_id: "1" }]);
      expect(app.github.issue(app.repo, 2)).toMatchObject({ title: "Refused", author: TEST_LOGIN });
      expect(app.github.issue(app.repo, 2)?.body).toMatch(LINE);
      expect(app.github.issues(app.repo)).toHaveLength(2);
      expect(await app.story(`record=tasks:${task}`)).toEqual([
        "outbound completed author_token_refused",
        "inbound duplicate same_content",
      ]);
      expect(await app.events(`record=tasks:${task}`)).toMatchObject([
        { attempts: 1, error: null },
        {},
      ]);
      expect(wrote(app)).toEqual(writes);
      expect(app.reads()).toBe(reads);
      await expectHealthyAccount(app);
      expect(app.lines).toMatchObject([
        {
          message: "the account writes in its author's place",
          httpStatus: status,
          integration: "github",
          account: "acme",
          user: "1",
          code: expect.any(String) as string,
          cause: expect.stringContaining("GitHub answered") as string,
          hint:
            status === 422
              ? "GitHub refused a value or has blocked the user; the account tries next, without the user's token."
              : "Let identities.token return a valid token of this user, or give the user access to the repository.",
          connection: app.connection.id,
        },
      ]);
    },
  );

  it("never worked is asked about once a minute, and used when it works", async () => {
    const app = await givenTokens(await open());
    app.github.revokeToken(MONAS);
    for (const title of ["One", "Two"]) {
      await app.addTask({ title });
      await app.settle();
    }
    expect(wrote(app)).toEqual([`POST ${TEST_LOGIN}`, `POST ${TEST_LOGIN}`]);
    expect(asked(app)).toBe(1);
    expect((await app.story()).filter((line) => line.startsWith("outbound"))).toEqual([
      "outbound completed author_token_refused",
      "outbound completed author_token_refused",
    ]);
    expect(app.lines).toHaveLength(1);

    app.github.token(MONAS, { login: "mona" });
    await app.advance(61_000);
    await app.addTask({ title: "Three" });
    await app.settle();
    expect(app.github.issue(app.repo, 3)).toMatchObject({ author: "mona" });
    expect(asked(app)).toBe(2);
    await expectHealthyAccount(app);
  });

  it("has no requests left leaves it to the account, whose lanes go on; and is used after its reset", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Before" });
    await app.settle();
    app.github.clearRequests();
    app.github.setRateLimit("mona", 0, 600);
    await app.addTask({ title: "Limited", markdown: "Text" });
    await app.settle();
    await app.addComment(task, "Limited too");
    await app.settle();

    expect(app.github.issue(app.repo, 2)).toMatchObject({ author: TEST_LOGIN });
    expect(app.github.comments(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);
    expect(app.github.comments(app.repo)[0]?.body).toMatch(LINE);
    // Refused once; the comment does not try.
    expect(wrote(app)).toEqual(["POST mona", `POST ${TEST_LOGIN}`, `POST ${TEST_LOGIN}`]);
    const reasons = (await app.events("direction=outbound")).map(({ reason }) => reason);
    expect(reasons).toEqual(["created_as_author", "author_token_limited", "author_token_limited"]);
    await expectHealthyAccount(app);

    await app.advance(601_000);
    await app.addComment(task, "Free again");
    await app.settle();
    expect(app.github.comments(app.repo).map(({ author }) => author)).toEqual([TEST_LOGIN, "mona"]);
  });

  it("is told to slow down (a secondary limit) does not pause the account either", async () => {
    const app = await givenTokens(await open());
    app.github.failNext({ ...POST_ISSUE, with: "secondary-limit", retryAfterSeconds: 120 });
    await app.addTask({ title: "Limited" });
    await app.settle();
    expect(app.github.issues(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);
    expect((await app.story())[0]).toBe("outbound completed author_token_limited");
    expect(wrote(app)).toEqual(["POST mona", `POST ${TEST_LOGIN}`]);
    await expectHealthyAccount(app);
    expect(app.lines).toMatchObject([
      {
        message: "the account writes in its author's place",
        hint: "Tandem uses it again when its rate limit allows.",
      },
    ]);

    await app.advance(100_000);
    await app.addTask({ title: "Too soon" });
    await app.settle();
    await app.advance(20_000);
    await app.addTask({ title: "In time" });
    await app.settle();
    expect(app.github.issues(app.repo).map(({ author }) => author)).toEqual([
      ...[TEST_LOGIN, TEST_LOGIN, "mona"],
    ]);
  });

  it("is refused for a comment leaves that to the account too", async () => {
    const app = await givenTokens(await open());
    const task = await app.addTask({ title: "Talked about" });
    await app.settle();
    app.github.clearRequests();
    app.github.blockUser(app.repo, "mona");
    const comment = await app.addComment(task, "Text");
    await app.settle();
    expect(app.github.comments(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);
    expect(app.github.comments(app.repo)[0]?.body).toMatch(LINE);
    expect(await app.comments()).toMatchObject([{ id: comment, markdown: "Text", author_id: "1" }]);
    expect((await app.story(`record=comments:${comment}`))[0]).toBe(
      "outbound completed author_token_refused",
    );
    expect(wrote(app)).toEqual(["POST mona", `POST ${TEST_LOGIN}`]);
  });

  it("is refused, and then the account's answer is lost: found, and written once", async () => {
    const app = await givenTokens(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.blockUser(app.repo, "mona");
    app.github.failNext({ ...POST_ISSUE, with: 422 });
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    const task = await app.addTask({ title: "Written once" });
    await app.settleWithin(1);
    expect(await app.tasks()).toMatchObject([{ id: task, owner_id: "1" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ author: TEST_LOGIN, state: "open" }]);
    expect(await app.story()).toEqual(["outbound completed adopted_resource"]);
    expect(wrote(app)).toEqual(["POST mona", `POST ${TEST_LOGIN}`]);
  });

  it("cannot be tried, since GitHub is down, waits for it like everything else", async () => {
    const app = await givenTokens(await open());
    app.github.faults.api.down = true;
    await app.addTask({ title: "Waiting" });
    await app.settle();
    expect(await app.story()).toEqual(["outbound queued retry"]);
    app.github.faults.api.down = false;
    await app.settleWithin(5);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Waiting", author: "mona" }]);
    expect(wrote(app)).toEqual(["POST mona"]);
    await expectHealthyAccount(app);
  });

  it("is refused over and over leaves no hand-made copy of its author to be closed", async () => {
    const app = await givenTokens(await open());
    await app.addTask({ title: "Known" });
    await app.settle();
    app.github.blockUser(app.repo, "mona");
    const task = await app.addTask({ title: "Refused", markdown: "Text" });
    await app.settle();
    const { body } = app.github.issue(app.repo, 2) ?? {};
    app.github.as("mona").openIssue(app.repo, { title: "By hand", body: body ?? "" });
    await app.settle();
    await app.tandem.sweepNow();
    await app.settle();
    expect(app.github.issue(app.repo, 3)).toMatchObject({ title: "By hand", state: "open" });
    expect(await app.tasks()).toMatchObject([{}, { id: task }, { title: "By hand" }]);
  });

  it.each<[string, TokenHook, object]>([
    [
      "a hook that throws",
      () => {
        throw new TypeError("the vault is sealed");
      },
      {
        code: "token_hook_failed",
        cause: "identities.token threw: the vault is sealed",
        hint: "Correct it in tandem.config.ts; return null for users without a token.",
      },
    ],
    [
      "a hook whose credentials throw when they are read",
      () => ({
        get token(): string {
          throw new TypeError("the vault is sealed");
        },
      }),
      {
        code: "token_hook_failed",
        cause: "the vault is sealed",
        hint: "Let identities.token return credentials, or null.",
      },
    ],
    [
      "a hook that gives no credentials",
      () => ({ secret: MONAS }),
      {
        code: "invalid_credentials",
        cause: expect.stringContaining("credentials") as string,
        hint: expect.stringContaining("{ token }") as string,
      },
    ],
    [
      "a hook that names a variable of the environment, which a user may not",
      () => ({ token: { env: "PATH" } }),
      { code: "invalid_credentials", hint: expect.stringContaining("{ token }") as string },
    ],
  ])("comes from %s is done without, and the log says what to do", async (_what, hook, line) => {
    const app = await givenTokens(await open(), hook);
    const task = await app.addTask({ title: "Mona's", markdown: "Text" });
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id: task }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);
    expect(app.github.issue(app.repo, 1)?.body).toMatch(LINE);
    expect(await app.story()).toEqual([
      "outbound completed author_token_unavailable",
      "inbound duplicate same_content",
    ]);
    expect(wrote(app)).toEqual([`POST ${TEST_LOGIN}`]);
    expect(app.reads()).toBe(0);
    expect(app.lines).toMatchObject([
      { message: "the account writes in its author's place", ...line },
    ]);
    expect(JSON.stringify(app.lines)).not.toContain(MONAS);
    await expectHealthyAccount(app);
  });

  it("comes from a hook that never answers is waited for once a minute, and done without", async () => {
    const named: unknown[] = [];
    const app = await givenTokens(await open(), ({ user }) => {
      named.push(user.name);
      return new Promise(() => undefined);
    });
    await app.sql("insert into users (name, github_login) values ('Octo', 'octo')");
    await app.addTask({ title: "Mona's" });
    const settled = app.settle();
    await expect.poll(() => named, { timeout: 10_000 }).toEqual(["Mona"]);
    app.clock.advance(5_000);
    await settled;
    expect(app.github.issues(app.repo)).toMatchObject([{ author: TEST_LOGIN }]);
    expect((await app.story())[0]).toBe("outbound completed author_token_unavailable");
    expect(app.lines).toMatchObject([
      {
        code: "token_hook_too_slow",
        cause: "identities.token did not answer within 5 seconds.",
        hint: "Let it read the token from a fast store, and return null if there is none. Tandem calls it again in a minute.",
      },
    ]);

    // No create waits for it now, whoever wrote: it would hang for them too.
    const octos = await app.addTask({ title: "Octo's" });
    await app.sql("update tasks set owner_id = 2 where id = $1", [octos]);
    await app.addTask({ title: "Mona's second" });
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(3);
    expect(app.github.issue(app.repo, 2)?.body).toMatch(/^\*\*Octo\*\* wrote:/);
    const reasons = (await app.events("direction=outbound")).map(({ reason }) => reason);
    expect(reasons).toEqual(reasons.map(() => "author_token_unavailable"));
    expect(named).toEqual(["Mona"]);
    expect(app.lines).toHaveLength(1);

    await app.advance(61_000);
    await app.addTask({ title: "Mona's third" });
    const again = app.settle();
    await expect.poll(() => named, { timeout: 10_000 }).toEqual(["Mona", "Mona"]);
    app.clock.advance(5_000);
    await again;
    expect(app.writes()).toBe(4);
  });

  it.runIf(kind === "postgres")(
    "the app is asked for by user, integration and account",
    async () => {
      const requests: unknown[] = [];
      const app = await givenTokens(await open(), (request) => {
        requests.push(request);
        return null;
      });
      const task = await app.addTask({ title: "Mona's" });
      await app.settle();
      app.github.failNext({ ...POST_COMMENT, with: "refused" });
      await app.addComment(task, "Text");
      await app.settleWithin(1);
      const asked = { integration: "github", account: "acme", user: { name: "Mona" } };
      // Before each create, and before each new try of one; never for an edit.
      await app.editTask(task, { title: "Edited" });
      await app.settle();
      expect(requests).toMatchObject([asked, asked, asked]);
    },
  );
});
