/** Who may use the API: this machine, whoever has the token, and a page that logged in with it. */
import { describe, expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_TABLES } from "../../src/demo/sample-tables.ts";
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
const statusOf = (request: Request, token: string | null): number | null =>
  guard(request, token)?.status ?? null;

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
