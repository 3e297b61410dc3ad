/** Credentials: which forms there are, where they may be sent, and what is said of one that is wrong. */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { GitHubOptions } from "../../../src/integrations/github/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { alwaysAnswering, connectTo, failureOf, givenSite, SITE } from "./given.ts";
import { givenApp, privateKey } from "./given-app.ts";

const INVALID_KEY = expect.objectContaining({
  kind: "credentials",
  code: "invalid_private_key",
  message: "The private key of the GitHub account acme is not a PEM-encoded RSA key.",
  hint: expect.stringContaining("from BEGIN to END") as string,
}) as Error;

describe("credentials", () => {
  test.each([
    ["none", undefined, ": token missing"],
    ["null", null, ": token missing"],
    ["a text", "ghp_mona", ": token missing"],
    ["an empty token", { token: "" }, ": token missing"],
    ["a blank token", { token: " " }, ""],
    ["an App's id alone", { appId: 1 }, ": privateKey, installationId missing"],
    ["an App's key alone", { privateKey }, ": appId, installationId missing"],
    ["an App's installation alone", { installationId: 1 }, ": appId, privateKey missing"],
    ["half an App", { appId: 1, privateKey, installationId: null }, ": installationId missing"],
    ["both forms", { token: "t", appId: 1, privateKey, installationId: 1 }, ""],
  ])("are refused before any request: %s", (_name, credentials, missing) => {
    const connect = () => connectTo(alwaysAnswering("{}"), new VirtualClock(), credentials);
    expect(connect).toThrow(
      expect.objectContaining({
        kind: "credentials",
        code: "invalid_credentials",
        message: `The credentials of the GitHub account acme are incomplete or of the wrong form${missing}.`,
        hint: expect.stringContaining("{ appId, privateKey, installationId }") as string,
      }) as Error,
    );
  });

  test("are not quoted where they are wrong", () => {
    const credentials = { appId: 1, privateKey: "hush-hush", installationId: 1 };
    const connect = () => connectTo(alwaysAnswering("{}"), new VirtualClock(), credentials);
    expect(connect).toThrow(INVALID_KEY);
    expect(connect).toThrow(expect.not.stringContaining("hush-hush"));
  });

  test("have a key of RSA: GitHub's are, and no other signs for it", () => {
    const { privateKey: other } = generateKeyPairSync("ed25519", {
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const credentials = { appId: 1, privateKey: other, installationId: 1 };
    const connect = () => connectTo(alwaysAnswering("{}"), new VirtualClock(), credentials);
    expect(connect).toThrow(INVALID_KEY);
  });

  test("may carry a key whose line breaks an environment variable escaped", async () => {
    const { account } = givenApp({ privateKey: privateKey.replaceAll("\n", String.raw`\n`) });
    expect(await account.identity()).toMatchObject({ login: "tandem[bot]" });
  });
});

describe("an account's own address", () => {
  const opening = (baseUrl: string, options: GitHubOptions = {}) => {
    const fetch = alwaysAnswering("{}");
    return () => connectTo(fetch, new VirtualClock(), { token: "s3cret", baseUrl }, options);
  };

  test.each([
    ["https://api.github.com", {}],
    ["http://127.0.0.1:4401", {}],
    ["http://localhost:4401", {}],
    ["https://github.example.com/api/v3", { hosts: ["github.example.com"] }],
    ["https://github.example.com/api/v3", { baseUrl: "https://github.example.com/api/v3" }],
  ])("is taken where the configuration knows its host: %s", (baseUrl, options) => {
    expect(opening(baseUrl, options)).not.toThrow();
  });

  test.each([
    ["https://attacker.example", {}],
    ["https://api.github.com.attacker.example", {}],
    ["https://api.github.com@attacker.example", {}],
    ["https://api.github.com:8443", {}],
    ["http://127.0.0.1.attacker.example", {}],
    ["http://169.254.169.254/latest", {}],
    ["https://attacker.example", { hosts: ["github.example.com"] }],
  ])("is refused elsewhere, before a token is sent: %s", (baseUrl, options) => {
    const { host } = new URL(baseUrl);
    expect(opening(baseUrl, options)).toThrow(
      expect.objectContaining({
        kind: "credentials",
        code: "host_not_allowed",
        message: `The GitHub account acme is at ${host}, and the configuration allows no token to be sent there.`,
        hint: expect.stringContaining(`github({ hosts: ["${host}"] })`) as string,
      }) as Error,
    );
  });
});

describe("the integration's own address", () => {
  test.each(["ftp://github.example.com", "github.example.com/api/v3", ""])(
    "is refused where it is none that a request can be sent to: %j",
    (baseUrl) => {
      const connect = () =>
        connectTo(alwaysAnswering("{}"), new VirtualClock(), { token: "t" }, { baseUrl });
      expect(connect).toThrow(
        expect.objectContaining({
          kind: "credentials",
          code: "invalid_base_url",
          message: `baseUrl is not an http or https address: "${baseUrl}".`,
          hint: expect.stringContaining("https://github.example.com/api/v3") as string,
        }) as Error,
      );
    },
  );
});

describe("a user's own token", () => {
  test("is who it is and writes as them, at the account's server", async () => {
    const apiUrl = "https://github.example.com/api/v3";
    const { account, sim, telemetry } = givenSite({
      basePath: "/api/v3",
      apiUrl,
      baseUrl: apiUrl,
    });
    sim.token("ghp_mona", { login: "mona" });
    const mona = account.asUser("1", { token: "ghp_mona" });
    expect(await mona.identity()).toMatchObject({ login: "mona" });
    const { id, fullName: name } = sim.repository(SITE);
    const site = mona.container({ id: String(id), name });
    const values = { title: "Broken link", body: "Text" };
    const created = await site.create({ type: "issue", values, parent: null, token: "t" });
    expect(created).toMatchObject({ author: { login: "mona" }, token: "t" });
    expect(created.createdAt).toBe(created.updatedAt);
    // A user's budget and clock are no account's.
    expect(telemetry).toEqual([]);
  });

  test.each([
    ["nothing", {}],
    ["an App's key", { appId: 1, privateKey: "s3cret", installationId: 2 }],
    ["a token that no header can carry", { token: "s3cret\nof two lines" }],
    ["a token of another server", { token: "s3cret", baseUrl: "https://elsewhere.example.com" }],
    ["a text", "s3cret"],
  ])("is refused where it is %s, and never quoted", async (_what, credentials) => {
    const { account, sim } = givenSite();
    const failure = await failureOf(
      Promise.resolve().then(() => account.asUser("mona", credentials).identity()),
    );
    expect(failure).toMatchObject({
      kind: "credentials",
      code: "invalid_credentials",
      message:
        "The credentials of the GitHub user mona are not a token for https://api.github.com.",
      hint: expect.stringContaining("Give { token }") as string,
    });
    expect(`${failure.message} ${failure.hint}`).not.toContain("s3cret");
    expect(sim.calls()).toBe(0);
  });
});
