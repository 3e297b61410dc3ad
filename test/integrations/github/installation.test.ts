/** An App's webhooks about its installation, and about the repositories that it was given. */
import { describe, expect, test } from "vitest";
import type { InstallationClient } from "../../../src/integrations/integration.ts";
import { connectTo, failureOf, givenSite, issue, SITE } from "./given.ts";
import { givenApp, privateKey } from "./given-app.ts";
import { knowingNamesOnly } from "./given-names-only.ts";

function givenInstallation(change: Parameters<typeof givenApp>[0] = {}) {
  const story = givenApp(change);
  const client = story.account.installation;
  if (client === undefined) throw new Error("the account has no installation");
  const { id } = story.sim.repository(SITE);
  return { ...story, client, siteId: String(id) };
}

/** Every question at once: each is asked of GitHub by a request of its own. */
async function failuresOf(client: InstallationClient, siteId: string) {
  return [await failureOf(client.state()), await failureOf(client.includes(siteId))];
}

describe("an App's installation", () => {
  test("is active, suspended, and active again", async () => {
    const { sim, client, installation } = givenInstallation();
    expect(await client.state()).toBe("active");
    sim.suspendInstallation(installation);
    expect(await client.state()).toBe("suspended");
    sim.unsuspendInstallation(installation);
    expect(await client.state()).toBe("active");
  });

  test("that GitHub does not know is gone, and has no repository", async () => {
    const { client, siteId } = givenInstallation({ installationId: 1 });
    expect(await client.state()).toBe("gone");
    expect(await client.includes(siteId)).toBe(false);
  });

  test("includes the repositories that it was given, and no others", async () => {
    const { sim, client, installation, siteId } = givenInstallation();
    expect(await client.includes(siteId)).toBe(true);
    expect(await client.includes("404")).toBe(false);
    sim.createRepository({ owner: "acme", name: "docs" });
    sim.selectRepositories(installation, ["acme/docs"]);
    expect(await client.includes(siteId)).toBe(false);
  });

  test("is asked for by the App itself, without a token of the installation", async () => {
    const { sim, client, siteId } = givenInstallation();
    await client.state();
    await client.includes(siteId);
    expect(sim.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      expect.stringMatching(/^GET \/app\/installations\/\d+$/),
      `GET /repositories/${siteId}/installation`,
    ]);
  });

  test("is not taken for gone where GitHub could not say", async () => {
    const { sim, client, siteId } = givenInstallation();
    sim.failNext({ with: 503 }, 2);
    for (const failure of await failuresOf(client, siteId)) {
      expect(failure).toMatchObject({ kind: "retryable", code: "server_error" });
    }
  });

  test("stops asking when its caller does", async () => {
    const { sim, client, siteId } = givenInstallation();
    const stopped = AbortSignal.abort();
    expect(await failureOf(client.state(stopped))).toMatchObject({ code: "aborted" });
    expect(await failureOf(client.includes(siteId, stopped))).toMatchObject({ code: "aborted" });
    expect(sim.calls()).toBe(0);
  });

  test("is asked about a repository by name where the server knows no numbers", async () => {
    const { clock, sim, installation, siteId } = givenInstallation();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    const credentials = { appId: 1_001, privateKey, installationId: Number(installation.id) };
    const account = connectTo(knowingNamesOnly(sim), clock, credentials);
    await account.container({ id: siteId, name: SITE }).read(issue(1));
    sim.clearRequests();
    expect(await account.installation?.includes(siteId)).toBe(true);
    expect(sim.requests.map(({ path }) => path)).toEqual([`/repos/${SITE}/installation`]);
  });

  test("is none where the account has a token of a user", () => {
    expect(givenSite().account.installation).toBeUndefined();
  });
});
