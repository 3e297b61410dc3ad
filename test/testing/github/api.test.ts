/** How the API behaves: times, bumps, redirects, refusals, tags, pages, limits. */
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formatInstant } from "../../../src/model/instant.ts";
import { answerErrors, webhookErrors } from "./published-schemas.ts";
import { setStage, SITE } from "./stage.ts";

interface IssueBody {
  readonly id: number;
  readonly number: number;
  readonly title: string;
  readonly updated_at: string;
  readonly comments: number;
}

describe("times", () => {
  it("cuts them to the second", async () => {
    const { ask, sim } = setStage();
    const { number, updatedAt } = sim.as("mona").openIssue("acme/site", { title: "Broken" });
    const { body } = await ask("GET", `${SITE}/issues/${String(number)}`);
    expect(body).toMatchObject({ updated_at: "2026-03-02T09:00:00Z" });
    expect(formatInstant(updatedAt)).toBe("2026-03-02T09:00:00.000000Z");
  });

  it("moves the issue's time with every comment, its edit and its deletion", () => {
    const { clock, sim } = setStage();
    const mona = sim.as("mona");
    const { number } = mona.openIssue("acme/site", { title: "Broken" });
    const time = (): string =>
      formatInstant(sim.issue("acme/site", number)?.updatedAt ?? clock.now());
    clock.advance(1_000);
    const { id } = mona.comment("acme/site", number, "Seen.");
    expect(time()).toBe("2026-03-02T09:00:01.000000Z");
    clock.advance(1_000);
    mona.editComment("acme/site", id, "Seen and noted.");
    expect(time()).toBe("2026-03-02T09:00:02.000000Z");
    clock.advance(1_000);
    mona.deleteComment("acme/site", id);
    expect(time()).toBe("2026-03-02T09:00:03.000000Z");
    expect(sim.issue("acme/site", number)).toMatchObject({ title: "Broken", comments: 0 });
  });

  it("answers a patch that changes nothing with 200, and moves nothing", async () => {
    const { ask, clock, inbox, pass, sim } = setStage();
    const { number, updatedAt } = sim.as("mona").openIssue("acme/site", { title: "Broken" });
    await pass(5_000);
    const reply = await ask("PATCH", `${SITE}/issues/${String(number)}`, {
      json: { title: "Broken", state: "open" },
    });
    expect(reply.status).toBe(200);
    expect(sim.issue("acme/site", number)?.updatedAt).toBe(updatedAt);
    clock.advance(50);
    expect(inbox).toHaveLength(1);
  });

  it("sends the deletion of an issue with the time of the change before", async () => {
    const { clock, inbox, pass, sim } = setStage();
    const mona = sim.as("mona");
    const { number } = mona.openIssue("acme/site", { title: "Broken" });
    clock.advance(60_000);
    mona.deleteIssue("acme/site", number);
    await pass(50);
    expect(inbox.at(-1)?.payload).toMatchObject({
      action: "deleted",
      issue: { updated_at: "2026-03-02T09:00:00Z" },
    });
  });
});

describe("ids", () => {
  it("goes above 2^31, and above 2^53 without losing a digit", async () => {
    const { ask, inbox, pass, sim } = setStage();
    sim.startIdsAt("issue", 2 ** 31 + 7);
    sim.startIdsAt("comment", 2n ** 53n + 1n);
    const mona = sim.as("mona");
    const issue = mona.openIssue("acme/site", { title: "Large" });
    const comment = mona.comment("acme/site", issue.number, "Larger.");
    await pass(50);
    expect(issue.id).toBe(2_147_483_655);
    expect(inbox.at(-1)?.body).toContain('"id":9007199254740993,');
    const reply = await ask("GET", `${SITE}/issues/comments/${String(comment.id)}`);
    expect(reply.body).toMatchObject({ body: "Larger." });
  });
});

describe("names and places", () => {
  it("leads from a former name to the numeric id, keeping the method of a write", async () => {
    const { ask, sim } = setStage();
    const { id } = sim.createRepository({ owner: "acme", name: "old" });
    const { number } = sim.as("mona").openIssue("acme/old", { title: "Broken" });
    sim.renameRepository("acme/old", "new");
    const path = `/repos/acme/old/issues/${String(number)}`;
    const read = await ask("GET", path, { redirect: "manual" });
    expect(read.status).toBe(301);
    expect(read.headers.get("location")).toBe(
      `https://api.github.com/repositories/${String(id)}/issues/${String(number)}`,
    );
    const followed = await ask("PATCH", path, { json: { title: "Mended" } });
    expect(followed.body).toMatchObject({ title: "Mended" });
    expect(sim.requests.map(({ method, status }) => `${method} ${String(status)}`)).toEqual([
      "GET 301",
      "PATCH 307",
      "PATCH 200",
    ]);
  });

  it("leads from a transferred issue to where it is", async () => {
    const { ask, sim } = setStage();
    sim.createRepository({ owner: "acme", name: "shop" });
    const mona = sim.as("mona");
    const issue = mona.openIssue("acme/site", { title: "Misplaced" });
    mona.comment("acme/site", issue.number, "Wrong place.");
    const moved = mona.transferIssue("acme/site", issue.number, "acme/shop");
    const { status } = await ask("GET", `${SITE}/issues/1`, { redirect: "manual" });
    expect(status).toBe(301);
    const { body } = await ask("GET", `${SITE}/issues/1`);
    expect(body).toMatchObject({ id: moved.id, title: "Misplaced", comments: 1 });
    expect(moved.id).not.toBe(issue.id);
    expect(sim.comments("acme/shop", moved.number)).toMatchObject([{ body: "Wrong place." }]);
    expect(sim.issues("acme/site")).toEqual([]);
  });

  it("shows pull requests among the issues, under an id of their own", async () => {
    const { ask, sim } = setStage();
    const mona = sim.as("mona");
    mona.openIssue("acme/site", { title: "Issue" });
    const pull = mona.openPullRequest("acme/site", { title: "Pull" });
    const list = await ask("GET", `${SITE}/issues?direction=asc`);
    expect(list.body).toMatchObject([{ number: 1 }, { number: 2, pull_request: {} }]);
    const one = await ask("GET", `${SITE}/pulls/2`);
    expect((one.body as IssueBody).id).not.toBe(pull.id);
  });

  it("answers under the base path of an Enterprise server only", async () => {
    const { ask, sim } = setStage({ basePath: "/api/v3" });
    sim.as("mona").openIssue("acme/site", { title: "Broken" });
    const inside = await ask("GET", `/api/v3${SITE}/issues/1`);
    expect(inside.body).toMatchObject({ url: `https://api.github.com/api/v3${SITE}/issues/1` });
    expect((await ask("GET", `${SITE}/issues/1`)).status).toBe(404);
  });
});

describe("refusals", { timeout: 30_000 }, () => {
  it("says 401, 403 and 404 as GitHub does", async () => {
    const { ask, sim } = setStage();
    sim.createRepository({ owner: "acme", name: "vault", private: true });
    sim.token("ghp_reader", { login: "rita", access: "read" });
    sim.token("ghp_site", { login: "sid", repositories: ["acme/site"] });
    const write = { json: { title: "New" } };
    const statuses = [
      (await ask("GET", `${SITE}/issues`, { token: "ghp_unknown" })).status,
      (await ask("GET", `${SITE}/issues`, { token: null })).status,
      (await ask("POST", `${SITE}/issues`, { ...write, token: null })).status,
      (await ask("POST", `${SITE}/issues`, { ...write, token: "ghp_reader" })).status,
      (await ask("GET", "/repos/acme/vault", { token: "ghp_site" })).status,
      (await ask("GET", "/repos/acme/vault", { token: null })).status,
      (await ask("GET", "/repos/acme/vault")).status,
    ];
    expect(statuses).toEqual([401, 200, 401, 403, 404, 404, 200]);
  });

  it("says 400 for a body that is no JSON object, 415 for a form it cannot answer in", async () => {
    const { sim, ask } = setStage();
    const post = (body: string): Promise<Response> =>
      sim.fetch(`https://api.github.com${SITE}/issues`, {
        method: "POST",
        headers: { authorization: "token ghp_mona" },
        body,
      });
    const malformed = await post('{"title":');
    expect(malformed.status).toBe(400);
    expect(await malformed.json()).toMatchObject({ message: "Problems parsing JSON" });
    expect((await post('"text"')).status).toBe(400);
    const xml = await ask("GET", `${SITE}/issues`, { headers: { accept: "application/xml" } });
    expect(xml.status).toBe(415);
  });

  it("counts the 65,536 characters of a body by code point", async () => {
    const { ask } = setStage();
    const create = (body: string): ReturnType<typeof ask> =>
      ask("POST", `${SITE}/issues`, { json: { title: "Long", body } });
    expect((await create("😀".repeat(65_536))).status).toBe(201);
    const refused = await create("x".repeat(65_537));
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({
      errors: [{ resource: "Issue", field: "body", code: "custom" }],
    });
    expect(answerErrors("post", "/repos/{owner}/{repo}/issues", 422, refused.body)).toEqual([]);
  });

  it("passes over those who cannot be assigned, except where an issue is written whole", async () => {
    const { ask, sim } = setStage();
    sim.as("mona").openIssue("acme/site", { title: "Broken" });
    const json = { assignees: ["nobody", "mona"] };
    expect((await ask("PATCH", `${SITE}/issues/1`, { json })).status).toBe(422);
    const added = await ask("POST", `${SITE}/issues/1/assignees`, { json });
    expect(added.body).toMatchObject({ assignees: [{ login: "mona" }] });
  });
});

describe("conditional requests", () => {
  it("answers 304 free of charge until something changes", async () => {
    const { ask, clock, sim } = setStage();
    const mona = sim.as("mona");
    mona.openIssue("acme/site", { title: "Broken" });
    const first = await ask("GET", `${SITE}/issues`);
    const etag = first.headers.get("etag") ?? "";
    const headers = { "if-none-match": etag };
    const second = await ask("GET", `${SITE}/issues`, { headers });
    expect(second.status).toBe(304);
    expect(second.body).toBeNull();
    expect(second.headers.get("x-ratelimit-remaining")).toBe("4999");
    clock.advance(1_000);
    mona.comment("acme/site", 1, "Seen.");
    const third = await ask("GET", `${SITE}/issues`, { headers });
    expect(third.status).toBe(200);
    expect(third.headers.get("etag")).not.toBe(etag);
    expect(third.headers.get("x-ratelimit-remaining")).toBe("4998");
  });

  it("knows if-modified-since", async () => {
    const { ask, clock, sim } = setStage();
    sim.as("mona").openIssue("acme/site", { title: "Broken" });
    const first = await ask("GET", `${SITE}/issues/1`);
    const headers = { "if-modified-since": first.headers.get("last-modified") ?? "" };
    expect((await ask("GET", `${SITE}/issues/1`, { headers })).status).toBe(304);
    clock.advance(1_000);
    sim.as("mona").closeIssue("acme/site", 1);
    expect((await ask("GET", `${SITE}/issues/1`, { headers })).status).toBe(200);
  });
});

describe("lists", () => {
  it("leads through the pages by Link, none twice and none left out", async () => {
    const { ask, sim } = setStage();
    for (let n = 1; n <= 7; n += 1) sim.as("mona").openIssue("acme/site", { title: String(n) });
    const seen: string[] = [];
    let path: string | undefined = `${SITE}/issues?per_page=3&direction=asc`;
    const rels: string[][] = [];
    while (path !== undefined) {
      const { body, headers } = await ask("GET", path);
      seen.push(...(body as IssueBody[]).map(({ title }) => title));
      const link = headers.get("link") ?? "";
      rels.push([...link.matchAll(/rel="(\w+)"/g)].map(([, rel = ""]) => rel));
      path = /<https:\/\/api\.github\.com([^>]+)>; rel="next"/.exec(link)?.[1];
    }
    expect(seen).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(rels).toEqual([
      ["next", "last"],
      ["prev", "next", "last", "first"],
      ["prev", "first"],
    ]);
  });

  it("gives 100 a page at most, and no Link where all fits", async () => {
    const { ask, sim } = setStage();
    for (let n = 1; n <= 101; n += 1) sim.as("mona").openIssue("acme/site", { title: String(n) });
    const full = await ask("GET", `${SITE}/issues?per_page=1000`);
    expect(full.body).toHaveLength(100);
    expect(full.headers.get("link")).toContain("page=2");
    const comments = await ask("GET", `${SITE}/issues/comments`);
    expect(comments.headers.get("link")).toBeNull();
  });

  it("finds what changed since a time, oldest change first", async () => {
    const { ask, clock, sim } = setStage();
    const mona = sim.as("mona");
    for (const title of ["a", "b", "c"]) {
      mona.openIssue("acme/site", { title });
      clock.advance(10_000);
    }
    mona.comment("acme/site", 1, "Bump.");
    const query = "state=all&sort=updated&direction=asc&since=2026-03-02T09:00:10Z";
    const { body } = await ask("GET", `${SITE}/issues?${query}`);
    expect((body as IssueBody[]).map(({ title }) => title)).toEqual(["b", "c", "a"]);
    const comments = await ask("GET", `${SITE}/issues/comments?since=2026-03-02T09:00:31Z`);
    expect(comments.body).toEqual([]);
  });
});

describe("limits", () => {
  it("counts down, refuses at nothing left, and restarts when the hour is over", async () => {
    const { ask, clock, sim } = setStage();
    sim.setRateLimit("mona", 1, 600);
    const last = await ask("GET", SITE);
    expect(last.headers.get("x-ratelimit-remaining")).toBe("0");
    const refused = await ask("GET", SITE);
    expect(refused.status).toBe(403);
    expect(refused.headers.get("x-ratelimit-remaining")).toBe("0");
    expect(Number(refused.headers.get("x-ratelimit-reset"))).toBe(1_772_442_600);
    const free = await ask("GET", "/rate_limit");
    expect(free.body).toMatchObject({ rate: { remaining: 0, limit: 5_000 } });
    clock.advance(601_000);
    expect((await ask("GET", SITE)).headers.get("x-ratelimit-remaining")).toBe("4999");
  });

  it("slows down who writes too much at once", async () => {
    const { ask, clock } = setStage({ writeLimit: { perMinute: 2, perHour: 500 } });
    const create = (): ReturnType<typeof ask> =>
      ask("POST", `${SITE}/issues`, { json: { title: "One of many" } });
    await create();
    clock.advance(20_000);
    await create();
    const refused = await create();
    expect(refused.status).toBe(403);
    expect(refused.headers.get("retry-after")).toBe("40");
    expect(refused.headers.get("x-ratelimit-remaining")).not.toBe("0");
    clock.advance(40_000);
    expect((await create()).status).toBe(201);
  });
});

describe("the app", { timeout: 30_000 }, () => {
  it("takes a JWT signed with its key, mints tokens for an hour, and acts as its bot", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const { ask, clock, sim } = setStage({ app: { id: 77, slug: "tandem", publicKey } });
    const installation = sim.installApp("acme");
    const encode = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = `${encode({ alg: "RS256", typ: "JWT" })}.${encode({ iss: "77" })}`;
    const signature = sign("RSA-SHA256", Buffer.from(claims), privateKey).toString("base64url");
    const jwt = `${claims}.${signature}`;

    const path = `/app/installations/${String(installation.id)}/access_tokens`;
    expect((await ask("POST", path, { token: `${claims}.Zm9yZ2Vk` })).status).toBe(401);
    const minted = await ask("POST", path, { token: jwt });
    expect(minted.body).toMatchObject({ expires_at: "2026-03-02T10:00:00Z" });

    const { token } = minted.body as { token: string };
    const opened = await ask("POST", `${SITE}/issues`, { token, json: { title: "By the bot" } });
    expect(opened.body).toMatchObject({
      user: { login: "tandem[bot]", type: "Bot" },
      performed_via_github_app: { slug: "tandem" },
    });
    clock.advance(3_600_000);
    expect((await ask("GET", SITE, { token })).status).toBe(401);
  });

  it("sees only the repositories it is installed on", async () => {
    const { ask, sim } = setStage();
    sim.createRepository({ owner: "acme", name: "shop" });
    sim.createRepository({ owner: "acme", name: "vault", private: true });
    const installation = sim.installApp("acme", ["acme/site"]);
    const jwt = "e30.e30.c2ln";
    const path = `/app/installations/${String(installation.id)}/access_tokens`;
    const { token } = (await ask("POST", path, { token: jwt })).body as { token: string };
    const list = await ask("GET", "/installation/repositories", { token });
    expect(list.body).toMatchObject({ total_count: 1, repositories: [{ name: "site" }] });
    expect((await ask("GET", "/repos/acme/vault", { token })).status).toBe(404);
    const refused = await ask("POST", "/repos/acme/shop/issues", { token, json: { title: "No" } });
    expect(refused.status).toBe(403);
    sim.setRateLimit(installation, 0);
    expect((await ask("GET", SITE, { token })).headers.get("x-ratelimit-remaining")).toBe("0");
  });

  it("loses its access when suspended or removed, and says so in published form", async () => {
    const { ask, inbox, pass, sim } = setStage();
    const installation = sim.installApp("acme");
    const path = `/app/installations/${String(installation.id)}/access_tokens`;
    const jwt = "e30.e30.c2ln";
    const { token } = (await ask("POST", path, { token: jwt })).body as { token: string };
    const read = async (): Promise<number> => (await ask("GET", SITE, { token })).status;
    const statuses = [await read()];
    sim.suspendInstallation(installation);
    statuses.push(await read());
    sim.unsuspendInstallation(installation);
    statuses.push(await read());
    sim.uninstallApp(installation);
    statuses.push(await read());
    expect(statuses).toEqual([200, 403, 200, 401]);
    await pass(50);
    const told = inbox.map(({ payload }) => String(payload.action));
    expect(told).toEqual(["created", "suspend", "unsuspend", "deleted"]);
    for (const { payload } of inbox) {
      expect(webhookErrors(`installation$${String(payload.action)}`, payload)).toEqual([]);
    }
  });
});
