/** The database holds no account's secrets, and a row in it cannot get at them. */
import { expect, it } from "vitest";
import { TEST_SECRET, TEST_TOKEN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { join } from "../../harness/projects.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("an account's secrets", (open) => {
  it("are nowhere in the database, though they were given literally, and work", async () => {
    const app = await givenSampleTandem(await open());
    await join(app, app.repo, "1");
    const [stored] = await app.sql<{ text: string; secrets: number }>(
      `select accounts::text as text, jsonb_array_length(webhook_secrets) as secrets
       from tandem.accounts`,
    );
    expect(stored?.text).not.toContain(TEST_TOKEN);
    expect(stored?.text).not.toContain(TEST_SECRET);
    // The same one, given again, takes no other's place.
    expect(stored?.secrets).toBe(1);

    await app.addTask({ title: "Sent" });
    await app.settle();
    app.github.as("mona").editIssue(app.repo, 1, { body: "Received" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Sent", markdown: "Received" });
  });

  it("are sent nowhere by a row that somebody wrote", async () => {
    const app = await givenSampleTandem(await open());
    const rows = [
      { token: { env: "DATABASE_URL" } },
      { token: { env: "TANDEM_ENCRYPTION_KEY" } },
      { token: TEST_TOKEN, baseUrl: "https://attacker.example" },
    ];
    for (const credentials of rows) {
      await app.sql("update tandem.accounts set credentials = $1::jsonb", [
        JSON.stringify(credentials),
      ]);
      app.github.clearRequests();
      await app.addTask({ title: "Not sent" });
      await app.settle();
      expect(app.github.requests).toEqual([]);
    }
  });
});
