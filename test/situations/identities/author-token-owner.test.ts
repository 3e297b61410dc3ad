/** The owner of an author's own token is the record's current author, and never the account. */
import { expect, it } from "vitest";
import { BODY_LIMIT } from "../../../src/integrations/github/index.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { givenTokens, MONAS, wrote } from "../../harness/author-tokens.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import type { SampleTandem } from "../../harness/sample-tandem.ts";
import { catchRequest, POST_ISSUE } from "../../harness/in-flight.ts";

/** The token that the account logs in with. */
const ACCOUNTS = "ghs_test";
const OCTOS = "ghp_octos_own";

describeOnOneDatabase("an author's own token", (open) => {
  it("S24 is never another's: the app may name another author while it is asked", async () => {
    let app: SampleTandem | null = null;
    const named: unknown[] = [];
    app = await givenTokens(await open(), async ({ user }) => {
      named.push(user.name);
      if (user.name === "Octo") return { token: OCTOS };
      await app?.sql("insert into users (name, github_login) values ('Octo', 'octo')");
      await app?.sql("update tasks set owner_id = (select id from users where name = 'Octo')");
      return { token: MONAS };
    });
    app.github.token(OCTOS, { login: "octo" });
    await app.addTask({ title: "Octo's" });
    await app.settle();
    expect(named).toEqual(["Mona", "Octo"]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Octo's", author: "octo" }]);
    expect((await app.story())[0]).toBe("outbound completed created_as_author");
    expect(wrote(app)).toEqual(["POST octo"]);
  });

  it("S24 is not another's either once it was refused", async () => {
    const app = await givenTokens(await open(), ({ user }) => ({
      token: user.name === "Octo" ? OCTOS : MONAS,
    }));
    app.github.token(OCTOS, { login: "octo" });
    await app.sql("insert into users (name, github_login) values ('Octo', 'octo')");
    await app.addTask({ title: "Octo's" });
    const { answer } = await catchRequest(app, POST_ISSUE);
    await app.sql("update tasks set owner_id = (select id from users where name = 'Octo')");
    app.github.blockUser(app.repo, "mona");
    await answer();
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Octo's", author: "octo" }]);
    expect(wrote(app)).toEqual(["POST mona", "POST octo"]);
  });

  it("S24 is none where it is the account's own: it writes, with the line", async () => {
    const app = await givenTokens(await open());
    app.github.token(MONAS, { login: TEST_LOGIN });
    const task = await app.addTask({ title: "Mona's", markdown: "Text" });
    await app.settle();
    await app.advance(5_000);
    await app.editTask(task, { markdown: "Edited" });
    await app.settle();
    expect(app.github.issue(app.repo, 1)?.body).toMatch(/^\*\*Mona\*\* wrote:.*\n\nEdited\n\n/);
    expect((await app.story())[0]).toBe("outbound completed created_resource");
    expect(app.lines).toEqual([]);
  });

  it("was the account's before the account had another: what left without our token is found", async () => {
    const app = await givenTokens(await open());
    app.github.faults.webhooks.drop = 1;
    app.github.failNext({ ...POST_ISSUE, with: "reset" });
    const task = await app.addTask({ title: "Growing" });
    await app.settle();
    // From now on the account logs in as Mona.
    app.github.token(ACCOUNTS, { login: "mona" });
    await app.sql("update tandem.accounts set identity = null");
    await app.editTask(task, { markdown: "x".repeat(BODY_LIMIT - 10) });
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    await app.settleWithin(2);
    expect(wrote(app)).toEqual(["POST mona", "POST mona"]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Growing", author: "mona" }]);
    expect(await app.pairings(task)).toMatchObject([{ integration_external_id: "1" }]);
  });
});
