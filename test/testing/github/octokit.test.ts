/** GitHub's own client library finds in the simulator what it finds at GitHub. */
import { generateKeyPairSync } from "node:crypto";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/core";
import { describe, expect, it } from "vitest";
import { setStage, TOKEN } from "./stage.ts";

const SITE = { owner: "acme", repo: "site" };
const ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}";

describe("Octokit", () => {
  it("reads and writes with a token", async () => {
    const { sim } = setStage();
    const octokit = new Octokit({ auth: TOKEN, request: { fetch: sim.fetch } });
    const { data } = await octokit.request("POST /repos/{owner}/{repo}/issues", {
      ...SITE,
      title: "From Octokit",
      labels: ["bug"],
    });
    expect(data).toMatchObject({ number: 1, user: { login: "mona" } });
    const read = await octokit.request(`GET ${ISSUE}`, { ...SITE, issue_number: 1 });
    expect(read.url).toBe("https://api.github.com/repos/acme/site/issues/1");
    const again = octokit.request(`GET ${ISSUE}`, {
      ...SITE,
      issue_number: 1,
      headers: { "if-none-match": read.headers.etag ?? "" },
    });
    await expect(again).rejects.toMatchObject({ status: 304 });
  });

  it("sees refusals with their status, and a broken network as such", async () => {
    const { sim } = setStage();
    const octokit = new Octokit({ auth: TOKEN, request: { fetch: sim.fetch } });
    const read = (): Promise<unknown> =>
      octokit.request(`GET ${ISSUE}`, { ...SITE, issue_number: 9 });
    await expect(read()).rejects.toMatchObject({
      status: 404,
      response: { data: { message: "Not Found" } },
    });
    sim.failNext({ with: "secondary-limit", retryAfterSeconds: 30 });
    await expect(read()).rejects.toMatchObject({
      status: 403,
      response: { headers: { "retry-after": "30" } },
    });
    sim.failNext({ with: "reset" });
    await expect(read()).rejects.toThrow("ECONNRESET");
  });

  it("acts as an installation of the app", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const { sim } = setStage({ app: { id: 42, publicKey } });
    const installation = sim.installApp("acme");
    const octokit = new Octokit({
      authStrategy: createAppAuth,
      auth: { appId: 42, privateKey, installationId: installation.id },
      request: { fetch: sim.fetch },
    });
    const { data } = await octokit.request("POST /repos/{owner}/{repo}/issues", {
      ...SITE,
      title: "From the app",
    });
    expect(data.user).toMatchObject({ login: "tandem[bot]", type: "Bot" });
    expect(sim.requests.map(({ login, status }) => [login, status])).toEqual([
      ["app:42", 201],
      ["tandem[bot]", 201],
    ]);
  });
});
