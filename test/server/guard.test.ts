/** Who may use the API: this machine, whoever has the token, and a page that logged in with it. */
import { describe, expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_TABLES } from "../../src/demo/sample-tables.ts";
import type { Caller } from "../../src/server/caller.ts";
import { guard } from "../../src/server/guard.ts";
import { login } from "../../src/server/session.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { createMemoryDatabase } from "../../src/store/memory/memory-database.ts";

const TOKEN = "a long random token";

function ask(
  method: "GET" | "POST",
  headers: Readonly<Record<string, string>> = {},
  host = "tandem.example.com",
): Request {
  return new Request(`https://${host}/api/status`, { method, headers: { host, ...headers } });
}
const HERE: Caller = { peer: "127.0.0.1", isOldProxy: false };
const ELSEWHERE: Caller = { peer: "192.0.2.7", isOldProxy: false };
const statusOf = (request: Request, token: string | null, caller = HERE): number | null =>
  guard(request, token, caller)?.status ?? null;

async function logIn(token: string, url = "https://tandem.example.com/api/login") {
  const body = JSON.stringify({ token });
  return login(new Request(url, { method: "POST", body }), TOKEN);
}
async function cookieOf(token = TOKEN): Promise<string> {
  const cookie = (await logIn(token)).headers.get("set-cookie") ?? "";
  return cookie.split(";")[0] ?? "";
}

describe("without a token", () => {
  it("this machine may, by any of its names, and no other", () => {
    for (const host of ["localhost:4400", "127.0.0.1:4400", "[::1]:4400"]) {
      expect(statusOf(ask("GET", {}, host), null)).toBe(null);
    }
    expect(statusOf(ask("GET"), null)).toBe(403);
  });

  it.each(["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])(
    "a peer at %s is this machine",
    (peer) => {
      const request = ask("GET", {}, "localhost:4400");
      expect(statusOf(request, null, { ...HERE, peer })).toBe(null);
    },
  );

  it.each(["192.0.2.7", "172.17.0.1", "::ffff:192.0.2.7", "2001:db8::1", "127.0.0.1.example", ""])(
    "a peer at %j is refused, though it asks as localhost",
    async (peer) => {
      const refusal = guard(ask("GET", {}, "localhost:4400"), null, { ...HERE, peer });
      expect(refusal?.status).toBe(403);
      expect(await refusal?.json()).toMatchObject({
        error: { code: "not_local", hint: expect.stringContaining("TANDEM_API_TOKEN") as string },
      });
    },
  );

  it.each([
    ["x-forwarded-for", "192.0.2.7"],
    ["x-forwarded-host", "localhost"],
    ["x-forwarded-proto", "https"],
    ["x-real-ip", "127.0.0.1"],
    ["forwarded", "for=127.0.0.1"],
    ["via", "1.1 proxy"],
  ])("what a proxy passes on is refused: %s", (name, value) => {
    expect(statusOf(ask("GET", { [name]: value }, "localhost:4400"), null)).toBe(403);
    const asked = ask("GET", { [name]: value, authorization: `Bearer ${TOKEN}` });
    expect(statusOf(asked, TOKEN, ELSEWHERE)).toBe(null);
  });

  it("HTTP/1.0 is refused, which nginx speaks to what is behind it", () => {
    const old = { ...HERE, isOldProxy: true };
    expect(statusOf(ask("GET", {}, "localhost:4400"), null, old)).toBe(403);
  });

  it("where nothing tells the peer nobody may, and the answer names the ways in", async () => {
    const refusal = guard(ask("GET", {}, "localhost:4400"), null, { ...HERE, peer: null });
    expect(refusal?.status).toBe(403);
    expect(await refusal?.text()).toContain("authorize");
  });

  it("a page from elsewhere changes nothing", () => {
    const foreign = { origin: "https://elsewhere.example" };
    expect(statusOf(ask("POST", foreign, "localhost:4400"), null)).toBe(403);
    const own = { origin: "http://localhost:4400" };
    expect(statusOf(ask("POST", own, "localhost:4400"), null)).toBe(null);
  });
});

describe("with a token", () => {
  it("whoever sends it may, from anywhere", () => {
    expect(statusOf(ask("POST", { authorization: `Bearer ${TOKEN}` }), TOKEN)).toBe(null);
    expect(statusOf(ask("GET", { authorization: "Bearer guess" }), TOKEN)).toBe(401);
    expect(statusOf(ask("GET"), TOKEN)).toBe(401);
  });

  it("a page logs in with it, and its cookie tells nobody the token", async () => {
    const answer = await logIn(TOKEN);
    expect(answer.status).toBe(204);
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/);
    expect(decodeURIComponent(cookie)).not.toContain(TOKEN);
    const request = ask("GET", { cookie: `other=1; ${await cookieOf()}` });
    expect(statusOf(request, TOKEN)).toBe(null);
  });

  it("a wrong one gets no cookie, and a body that is none is refused alike", async () => {
    const wrong = await logIn("guess");
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
    const nonsense = new Request("https://x/api/login", { method: "POST", body: "<form>" });
    expect((await login(nonsense, TOKEN)).status).toBe(401);
  });

  it("whoever is not known yet cannot fill the memory", async () => {
    const body = JSON.stringify({ token: TOKEN, more: "x".repeat(10_000) });
    const request = new Request("https://x/api/login", { method: "POST", body });
    expect((await login(request, TOKEN)).status).toBe(401);
  });

  it("an empty one is refused when the server starts", async () => {
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
    const opening = createTandem(sampleConfig(database), { apiToken: "" });
    await expect(opening).rejects.toMatchObject({ code: "empty_token" });
  });

  it("a session ends when the token is another", async () => {
    const request = ask("GET", { cookie: await cookieOf() });
    expect(statusOf(request, "the next token")).toBe(401);
  });

  it("the browser's cookie does not lend itself to a page from elsewhere", async () => {
    const cookie = await cookieOf();
    expect(statusOf(ask("POST", { cookie, origin: "https://elsewhere.example" }), TOKEN)).toBe(403);
    expect(statusOf(ask("POST", { cookie, origin: "null" }), TOKEN)).toBe(403);
    expect(statusOf(ask("POST", { cookie, origin: "https://tandem.example.com" }), TOKEN)).toBe(
      null,
    );
  });

  it("the cookie travels without TLS only where the page did", async () => {
    const plain = await logIn(TOKEN, "http://127.0.0.1:4400/api/login");
    expect(plain.headers.get("set-cookie")).not.toContain("Secure");
  });
});
