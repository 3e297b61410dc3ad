/** Situation 71, at run time: what was named where an account was connected is not there. */
import { expect, it } from "vitest";
import { TEST_REPOSITORY, TEST_TOKEN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** As a process that was started without a variable that the account's credentials name. */
async function givenWithoutToken(database: TestDatabase) {
  const environment: Record<string, string> = {};
  const app = await givenSampleTandem(database, undefined, { environment });
  const credentials = { token: { env: "GITHUB_TOKEN" }, baseUrl: app.github.apiUrl };
  await app.sql("update tandem.accounts set credentials = $1", [JSON.stringify(credentials)]);
  return { app, setToken: () => (environment.GITHUB_TOKEN = TEST_TOKEN) };
}

async function account(app: SampleTandem) {
  const [only] = (await app.status()).accounts;
  return only;
}

describeOnOneDatabase("a token that is missing at run time", (open) => {
  it("S71 the account needs attention and names the variable; its events wait, and go on once it is set", async () => {
    const { app, setToken } = await givenWithoutToken(await open());
    const id = await app.addTask({ title: "Written without a token" });
    await app.tandem.settle();
    expect(await account(app)).toMatchObject({
      state: "needs_attention",
      reason: "the environment variable GITHUB_TOKEN is not set",
    });
    const [waiting] = await app.events(`record=tasks:${id}`);
    expect(waiting).toMatchObject({
      state: "queued",
      reason: "account_paused",
      attempts: 0,
      error: { code: "missing_secret", retryable: true },
    });
    expect(waiting?.error?.hint).toContain("GITHUB_TOKEN");

    // It may take as long as it takes: nothing is used up.
    for (let hour = 0; hour < 12; hour += 1) {
      await app.advance(3_600_000);
      await app.tandem.settle();
    }
    expect(await app.events(`record=tasks:${id}`)).toMatchObject([
      { state: "queued", attempts: 0 },
    ]);

    setToken();
    await app.advance(60_000);
    await app.settle();
    expect(app.github.issues(TEST_REPOSITORY)).toMatchObject([
      { title: "Written without a token" },
    ]);
    expect(await account(app)).toMatchObject({ state: "active", reason: null });
    expect(await app.story(`record=tasks:${id}&direction=outbound`)).toContain(
      "outbound completed created_resource",
    );
  });

  it("S71 a poll says the same, and what was made at GitHub comes in once it is set", async () => {
    const { app, setToken } = await givenWithoutToken(await open());
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "Opened without a token" });
    await expect(app.tandem.syncNow()).rejects.toMatchObject({ code: "missing_secret" });
    expect(await app.tasks()).toEqual([]);
    setToken();
    await app.tandem.syncNow();
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Opened without a token" });
  });
});
