/** Accounts: who they are, which repositories they find, and how an App's installation logs in. */
import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { github } from "../../../src/integrations/github/index.ts";
import { SECOND } from "../../../src/model/instant.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { alwaysAnswering, connectTo, failureOf, givenSite, issue, SITE } from "./given.ts";
import { givenApp, privateKey } from "./given-app.ts";

const otherKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
  type: "pkcs8",
  format: "pem",
});

describe("an account with a token", () => {
  test("is the token's user", async () => {
    const { account } = givenSite();
    const identity = await account.identity();
    expect(identity.login).toBe("tandem[bot]");
    expect(identity.id).toMatch(/^\d+$/);
  });

  test("finds a repository by its name, in any case, and by its id", async () => {
    const { account, sim } = givenSite();
    const found = { id: String(sim.repository(SITE).id), name: SITE };
    expect(await account.findContainer("Acme/Site")).toEqual(found);
    expect(await account.findContainer(found.id)).toEqual(found);
  });

  test("finds a repository by its former name", async () => {
    const { account, sim } = givenSite();
    sim.renameRepository(SITE, "www");
    expect(await account.findContainer(SITE)).toMatchObject({ name: "acme/www" });
  });

  test("follows a redirect to no other host", async () => {
    const hosts: string[] = [];
    const astray: typeof fetch = (input) => {
      hosts.push(new URL(input instanceof Request ? input.url : input).host);
      const headers = { location: "https://evil.example/repositories/42" };
      return Promise.resolve(new Response(null, { status: 301, headers }));
    };
    const account = connectTo(astray, new VirtualClock(), { token: "t0ken" });
    const failure = await failureOf(account.findContainer(SITE));
    expect(failure).toMatchObject({
      kind: "retryable",
      code: "foreign_address",
      applied: "no",
      message:
        "GitHub's answer leads away from https://api.github.com, to https://evil.example/repositories/42.",
      hint: expect.stringContaining("Tandem sent nothing there") as string,
    });
    expect(hosts).toEqual(["api.github.com"]);
  });

  test("says which repository it does not find", async () => {
    const { account } = givenSite();
    const failure = await failureOf(account.findContainer("acme/nothing"));
    expect(failure).toMatchObject({
      kind: "not_found",
      code: "repository_not_found",
      message: "GitHub shows this account no repository acme/nothing.",
      hint: expect.stringContaining("Check the spelling") as string,
      applied: "no",
      status: 404,
      requestId: expect.stringMatching(/./) as string,
      cause: expect.objectContaining({ code: "not_found" }) as Error,
    });
  });

  test("takes no repository for missing because it could not be asked for", async () => {
    const { account, sim } = givenSite();
    sim.failNext({ with: 403 });
    const refused = { kind: "permanent", code: "forbidden" };
    expect(await failureOf(account.findContainer(SITE))).toMatchObject(refused);
    sim.failNext({ with: 503 });
    const down = { kind: "retryable", code: "server_error" };
    expect(await failureOf(account.findContainer(SITE))).toMatchObject(down);
  });

  test("is refused a redirect that leads nowhere", async () => {
    const astray = alwaysAnswering("{}", { status: 302 });
    const account = connectTo(astray, new VirtualClock(), { token: "t0ken" });
    const failure = await failureOf(account.findContainer(SITE));
    expect(failure).toMatchObject({ code: "foreign_address" });
    expect(failure.message).toMatch(/to nowhere\.$/);
  });

  test.each(["site", "https://github.com/acme/site", "acme/..", ""])(
    "asks GitHub nothing about %j",
    async (name) => {
      const { account, sim } = givenSite();
      const failure = await failureOf(account.findContainer(name));
      expect(failure).toMatchObject({
        kind: "permanent",
        code: "invalid_repository_name",
        message: `${JSON.stringify(name)} is no repository of GitHub.`,
        hint: expect.stringContaining("Give owner/name") as string,
      });
      expect(sim.calls()).toBe(0);
    },
  );

  test("reaches GitHub Enterprise Server below its own address", async () => {
    const apiUrl = "https://github.example.com/api/v3";
    const story = givenSite({ basePath: "/api/v3", apiUrl, baseUrl: `${apiUrl}/` });
    story.sim.as("mona").openIssue(SITE, { title: "Broken link" });
    expect(await story.account.findContainer(SITE)).toMatchObject({ name: SITE });
    expect(await story.site.read(issue(1))).toMatchObject({ externalId: "1" });
  });
});

describe("an account that is given no clock to wait by", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const connect = (fetch: typeof globalThis.fetch) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const now = () => new VirtualClock().now();
    return github().connect({ name: "acme", credentials: { token: "t" }, fetch, now });
  };

  test("gives a request up after ten seconds", async () => {
    const silent = connect(
      (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => {
            reject(new DOMException("", "AbortError"));
          });
        }),
    );
    const failure = failureOf(silent.identity());
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await failure).toMatchObject({ code: "timed_out" });
  });

  test("has no timer left after an answer, which would keep its process alive", async () => {
    const account = connect(alwaysAnswering('{"id":1,"login":"mona"}'));
    expect(await account.identity()).toEqual({ id: "1", login: "mona" });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("an account of a GitHub App", () => {
  test("is the App's bot", async () => {
    const { account, sim } = givenApp();
    const bot = sim.as("tandem[bot]");
    expect(await account.identity()).toMatchObject({ login: bot.login });
  });

  test("makes one token and keeps it until shortly before it expires", async () => {
    const { clock, sim, site } = givenApp();
    const minted = () => sim.calls({ method: "POST", path: /access_tokens$/ });
    sim.as("mona").openIssue(SITE, { title: "Broken link" });

    await Promise.all([site.read(issue(1)), site.read(issue(1)), site.read(issue(1))]);
    clock.advance(59 * 60_000 - 1_000);
    await site.read(issue(1));
    expect(minted()).toBe(1);

    clock.advance(1_000);
    await site.read(issue(1));
    expect(minted()).toBe(2);
  });

  test("speaks for itself by a token that GitHub takes though the clocks differ a little", async () => {
    const { clock, sim, installation } = givenApp();
    const sent: string[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      sent.push(new Headers(init?.headers).get("authorization") ?? "");
      return sim.fetch(input, init);
    };
    const credentials = { appId: "Iv1.tandem", privateKey, installationId: installation.id };
    await failureOf(connectTo(fetch, clock, credentials).identity());
    const [header = "", claims = ""] = sent[0]?.replace(/^Bearer /, "").split(".") ?? [];
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
    expect(read(header)).toEqual({ alg: "RS256", typ: "JWT" });
    // GitHub takes none from the future, and none that lives for more than ten minutes.
    const now = clock.now() / SECOND;
    expect(read(claims)).toEqual({ iat: now - 60, exp: now + 480, iss: "Iv1.tandem" });
  });

  test("dates such a token by GitHub's clock, once an answer has told how far that is ahead", async () => {
    const { clock, sim, installation } = givenApp();
    const dated: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const bearer = new Headers(init?.headers).get("authorization") ?? "";
      const claims = Buffer.from(bearer.split(".")[1] ?? "", "base64url").toString();
      dated.push((JSON.parse(claims) as { readonly iat: unknown }).iat);
      const { body, status, headers } = await sim.fetch(input, init);
      const date = new Date(clock.now() / 1_000 + 600_000).toUTCString();
      return new Response(body, { status, headers: { ...Object.fromEntries(headers), date } });
    };
    const credentials = { appId: "Iv1.tandem", privateKey, installationId: installation.id };
    const account = connectTo(fetch, clock, credentials);
    await failureOf(account.identity());
    await failureOf(account.identity());
    const now = clock.now() / SECOND;
    expect([dated[0], dated.at(-1)]).toEqual([now - 60, now + 600 - 60]);
  });

  test("tells its own budget, not the one the App has for making tokens", async () => {
    const { account, sim, site } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    const remaining: unknown[] = [];
    account.onTelemetry((told) => remaining.push(told.remaining));
    await site.read(issue(1));
    expect(remaining).toEqual([null, 4_999]);
  });

  test("with another App's key needs attention", async () => {
    const { site } = givenApp({ privateKey: otherKey.toString() });
    const failure = await failureOf(site.read(issue(1)));
    expect(failure).toMatchObject({
      kind: "credentials",
      code: "bad_credentials",
      message: expect.stringMatching(/^GitHub answered 401 to POST .*access_tokens/) as string,
      hint: expect.stringMatching(/./) as string,
      applied: "no",
      status: 401,
      requestId: expect.stringMatching(/./) as string,
      cause: expect.objectContaining({ code: "bad_credentials" }) as Error,
    });
  });

  test("that is installed no more needs attention; its issues are not taken for deleted", async () => {
    const { site } = givenApp({ installationId: 1 });
    const failure = await failureOf(site.read(issue(1)));
    expect(failure).toMatchObject({
      kind: "credentials",
      code: "installation_unavailable",
      message: expect.stringContaining("/app/installations/1/access_tokens") as string,
      hint: expect.stringContaining("uninstalled or suspended") as string,
    });
  });

  test("that is suspended needs attention", async () => {
    const { sim, site, installation } = givenApp();
    sim.suspendInstallation(installation);
    const failure = await failureOf(site.read(issue(1)));
    expect(failure).toMatchObject({ kind: "credentials", code: "installation_unavailable" });
  });

  test("needs no attention while its server does not answer, and waits as it is told", async () => {
    const { sim, site } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.failNext({ method: "POST", path: /access_tokens$/, with: 503 });
    expect(await failureOf(site.read(issue(1)))).toMatchObject({
      kind: "retryable",
      code: "server_error",
      status: 503,
    });
    sim.failNext({ method: "POST", path: /access_tokens$/, with: "secondary-limit" });
    const limited = await failureOf(site.read(issue(1)));
    expect(limited).toMatchObject({ kind: "rate_limited", retryAfterMs: 60_000 });
    expect(await site.read(issue(1))).toMatchObject({ externalId: "1" });
  });

  test("knows that nothing was written when no token could be made", async () => {
    const { sim, site } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.failNext({ method: "POST", path: /access_tokens$/, with: "reset" });
    const failure = await failureOf(site.patch(issue(1), { title: "Mended" }, {}, null));
    expect(failure).toMatchObject({ kind: "retryable", code: "connection_lost", applied: "no" });
    expect(await site.patch(issue(1), { title: "Mended" }, {}, null)).toMatchObject({
      content: { title: "Mended" },
    });
  });

  test("tries once more with a new token after its kept token is refused, when asked again", async () => {
    const { sim, site } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    await site.read(issue(1));
    sim.failNext({ path: /issues/, with: 401 });
    expect(await failureOf(site.read(issue(1)))).toMatchObject({
      kind: "retryable",
      code: "token_expired",
      message: expect.stringContaining("GitHub answered 401 to GET") as string,
      hint: "Tandem retries the request with a new installation token.",
      applied: "no",
      status: 401,
      requestId: expect.stringMatching(/./) as string,
      cause: expect.objectContaining({ code: "bad_credentials" }) as Error,
    });
    expect(await site.read(issue(1))).toMatchObject({ externalId: "1" });
    expect(sim.calls({ method: "POST", path: /access_tokens$/ })).toBe(2);
  });

  test("keeps its new token if the former one is refused late", async () => {
    const { clock, sim, site } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    await site.read(issue(1));
    // Used shortly before a new one is made, and refused shortly after.
    clock.advance(59 * 60_000 - 1_000);
    sim.faults.api.latencyMs = 8_000;
    sim.failNext({ path: /issues/, with: 401 });
    const late = failureOf(site.read(issue(1)));
    await expect.poll(() => sim.calls({ path: /issues/ })).toBe(2);
    sim.faults.api.latencyMs = 0;
    clock.advance(4_000);
    await site.read(issue(1));
    clock.advance(4_000);
    expect(await late).toMatchObject({ code: "token_expired" });
    await site.read(issue(1));
    expect(sim.calls({ method: "POST", path: /access_tokens$/ })).toBe(2);
  });
});
