/** The API of a server with a token: its header, the dashboard's login, and how often wrong tokens may be tried. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleConfig } from "../../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../../src/demo/sample-schema.ts";
import { SAMPLE_TABLES } from "../../../src/demo/sample-tables.ts";
import type {
  ApiAct,
  ApiAudit,
  ApiProblem,
  ApiSessions,
} from "../../../src/server/protocol/api-types.ts";
import { calledFrom } from "../../../src/server/access/caller.ts";
import { createTandem, type Tandem } from "../../../src/server/tandem.ts";
import { createMemoryDatabase } from "../../../src/store/memory/memory-database.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";

const TOKEN = "a long random token";
const SITE = "https://tandem.example.com";
const DAY_MS = 24 * 3_600_000;

interface Asking {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The address it comes from. */
  readonly from?: string;
  readonly site?: string;
}

/** Asks as a client at an address does. */
async function ask(tandem: Tandem, path: string, asking: Asking = {}): Promise<Response> {
  const { method = "GET", headers = {}, body, from = "192.0.2.7", site = SITE } = asking;
  const { host } = new URL(site);
  const given = body === undefined ? {} : { body };
  const request = new Request(`${site}${path}`, {
    method,
    headers: { host, ...headers },
    ...given,
  });
  return tandem.fetch(request, calledFrom(from));
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function logIn(tandem: Tandem, token = TOKEN, asking: Asking = {}): Promise<Response> {
  return ask(tandem, "/api/login", { method: "POST", body: JSON.stringify({ token }), ...asking });
}

/** The cookie as a browser sends it back. */
async function cookieOf(tandem: Tandem): Promise<{ readonly cookie: string }> {
  const kept = (await logIn(tandem)).headers.get("set-cookie") ?? "";
  return { cookie: kept.split(";")[0] ?? "" };
}

async function errorOf(answer: Response): Promise<ApiProblem["error"]> {
  return ((await answer.json()) as ApiProblem).error;
}

async function sessionsOf(tandem: Tandem): Promise<ApiSessions["sessions"]> {
  const answer = await ask(tandem, "/api/sessions", { headers: bearer(TOKEN) });
  return ((await answer.json()) as ApiSessions).sessions;
}

async function actsOf(tandem: Tandem): Promise<readonly ApiAct[]> {
  const answer = await ask(tandem, "/api/audit?limit=500", { headers: bearer(TOKEN) });
  return ((await answer.json()) as ApiAudit).acts;
}

describe("a server with a token", () => {
  let clock: VirtualClock;
  let tandem: Tandem;

  beforeEach(async () => {
    clock = new VirtualClock();
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES, now: () => clock.now() });
    tandem = await createTandem(sampleConfig(database), { apiToken: TOKEN, clock });
  });
  afterEach(() => tandem.stop());

  const status = async (headers: Readonly<Record<string, string>>, asking: Asking = {}) =>
    (await ask(tandem, "/api/status", { headers, ...asking })).status;
  const sync = async (headers: Readonly<Record<string, string>>) =>
    (await ask(tandem, "/api/sync", { method: "POST", headers })).status;

  it("answers a client that sends it, from anywhere", async () => {
    expect(await status(bearer(TOKEN))).toBe(200);
    expect(await status({ ...bearer(TOKEN), "x-forwarded-for": "192.0.2.9" })).toBe(200);
    expect(await sync(bearer(TOKEN))).toBe(200);
    expect(await status(bearer("guess"))).toBe(401);
    expect(await status({})).toBe(401);
  });

  it("an empty one is refused when the server starts", async () => {
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
    const opening = createTandem(sampleConfig(database), { apiToken: "" });
    await expect(opening).rejects.toMatchObject({
      code: "empty_token",
      message: expect.stringMatching(
        /apiToken.*is empty, so every client would have access/,
      ) as string,
      hint: expect.stringContaining("a long random text") as string,
    });
  });

  it("has a login; one without a token has none, and says how to get it", async () => {
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
    const open = await createTandem(sampleConfig(database), { environment: {} });
    const answer = await logIn(open);
    expect(answer.status).toBe(404);
    expect(await errorOf(answer)).toEqual({
      code: "no_login",
      message: "this server was started without a token, so there is no login",
      hint: "Start it with TANDEM_API_TOKEN, or use the API without a login.",
    });
    await open.stop();
  });

  describe("login", () => {
    it("gives a cookie that scripts cannot read and other sites do not send", async () => {
      const answer = await logIn(tandem);
      expect(answer.status).toBe(204);
      const cookie = answer.headers.get("set-cookie") ?? "";
      expect(cookie).toMatch(/HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/);
      expect(decodeURIComponent(cookie)).not.toContain(TOKEN);
      expect(await status({ cookie: `other=1; ${cookie.split(";")[0] ?? ""}` })).toBe(200);
    });

    it("sends the cookie without TLS only where the page came without", async () => {
      const plain = await logIn(tandem, TOKEN, { site: "http://127.0.0.1:4400" });
      expect(plain.headers.get("set-cookie")).not.toContain("Secure");
    });

    it("refuses a wrong token, and a body that is none", async () => {
      const wrong = await logIn(tandem, "guess");
      expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
      expect((await logIn(tandem, "", { body: "<form>" })).status).toBe(401);
      const large = JSON.stringify({ token: TOKEN, more: "x".repeat(10_000) });
      expect((await logIn(tandem, "", { body: large })).status).toBe(401);
    });

    it("lends its cookie to no page from elsewhere", async () => {
      const cookie = await cookieOf(tandem);
      expect(await sync({ ...cookie, origin: "https://elsewhere.example" })).toBe(403);
      expect(await sync({ ...cookie, origin: "null" })).toBe(403);
      expect(await sync({ ...cookie, origin: SITE })).toBe(200);
    });
  });

  describe("wrong tokens", () => {
    const tries = async (count: number, attempt: () => Promise<Response>) => {
      const statuses: number[] = [];
      for (let index = 0; index < count; index += 1) statuses.push((await attempt()).status);
      return statuses;
    };
    const refused = (count: number) => Array.from({ length: count }, () => 401);

    it("are limited per address, by login and by header alike", async () => {
      expect(await tries(5, () => logIn(tandem, "guess"))).toEqual(refused(5));
      const guess = () => ask(tandem, "/api/status", { headers: bearer("guess") });
      expect(await tries(6, guess)).toEqual([...refused(5), 429]);

      const answer = await logIn(tandem, TOKEN);
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "30"]);
      expect(await errorOf(answer)).toEqual({
        code: "too_many_attempts",
        message: expect.stringContaining("30 s") as string,
        hint: expect.stringContaining("TANDEM_API_TOKEN") as string,
      });
      expect(await status(bearer(TOKEN))).toBe(429);
      expect(await status(bearer(TOKEN), { from: "192.0.2.8" })).toBe(200);
      clock.advance(30_000);
      expect(await status(bearer(TOKEN))).toBe(200);
    });

    it("are counted one by one, though they come at the same time", async () => {
      const guesses = Array.from({ length: 30 }, () => logIn(tandem, "guess"));
      const statuses = (await Promise.all(guesses)).map((answer) => answer.status);
      expect(statuses.filter((one) => one === 401)).toHaveLength(10);
    });

    it("are limited in all, from however many addresses", async () => {
      let peer = 0;
      const elsewhere = () => logIn(tandem, "guess", { from: `198.51.100.${String((peer += 1))}` });
      expect((await tries(101, elsewhere)).slice(-2)).toEqual([401, 429]);
      clock.advance(1_000);
      expect((await elsewhere()).status).toBe(401);
    });

    it("lock out no login, and right tokens do not count", async () => {
      const cookie = await cookieOf(tandem);
      for (let index = 0; index < 20; index += 1) await status(bearer(TOKEN));
      await tries(11, () => logIn(tandem, "guess"));
      expect(await status(bearer(TOKEN))).toBe(429);
      expect(await status(cookie)).toBe(200);
    });

    it("leave few rows in the audit, which tell of all of them", async () => {
      let peer = 0;
      const elsewhere = () => logIn(tandem, "guess", { from: `198.51.100.${String((peer += 1))}` });
      await tries(60, elsewhere);
      clock.advance(600_000);
      await elsewhere();
      const failures = (await actsOf(tandem)).filter((act) => act.status === 401);
      expect(failures).toHaveLength(11);
      expect(failures[0]).toMatchObject({ actor: "unknown", act: "login", subject: "51 attempts" });
      expect(failures[1]).toMatchObject({ subject: "", origin: "198.51.100.10" });
      expect(JSON.stringify(failures)).not.toContain("guess");
    });
  });

  describe("sessions", () => {
    it("end after 7 days without a request, and 30 days after their login", async () => {
      const cookie = await cookieOf(tandem);
      for (let days = 6; days < 30; days += 6) {
        clock.advance(6 * DAY_MS);
        expect(await status(cookie)).toBe(200);
      }
      clock.advance(6 * DAY_MS);
      expect(await status(cookie)).toBe(401);
      const idle = await cookieOf(tandem);
      clock.advance(7 * DAY_MS);
      expect(await status(idle)).toBe(401);
    });

    it("are listed with where they began, when they were used, and when they end", async () => {
      const { cookie } = await cookieOf(tandem);
      const sessions = async (headers: Readonly<Record<string, string>>) => {
        const answer = await ask(tandem, "/api/sessions", { headers });
        return ((await answer.json()) as ApiSessions).sessions;
      };
      const [began] = await sessions(bearer(TOKEN));
      const at = (days: number) =>
        new Date(Date.parse(began?.created_at ?? "") + days * DAY_MS).toISOString().slice(0, 19);
      const about = (days: number) => expect.stringContaining(at(days)) as string;
      const own = { id: began?.id, origin: "192.0.2.7", created_at: began?.created_at };
      expect(own.id).toMatch(/^[0-9a-f]{32}$/);
      expect(began).toEqual({ ...own, used_at: about(0), expires_at: about(7), current: false });

      // A week after it was last used, and in any case thirty days after it began.
      for (let days = 0; days < 24; days += 6) {
        clock.advance(6 * DAY_MS);
        expect(await sessions({ cookie })).toEqual([
          {
            ...own,
            used_at: about(days + 6),
            expires_at: about(Math.min(days + 13, 30)),
            current: true,
          },
        ]);
      }
    });

    it("go on where a client with the token logs out, which has none", async () => {
      const cookie = await cookieOf(tandem);
      const logout = { method: "POST", headers: bearer(TOKEN) } as const;
      const answer = await ask(tandem, "/api/logout", logout);
      expect(answer.status).toBe(204);
      expect(answer.headers.get("set-cookie")).toMatch(/Max-Age=0/);
      expect(await status(cookie)).toBe(200);
    });

    it("end by logging out, and the browser forgets the cookie", async () => {
      const cookie = await cookieOf(tandem);
      const answer = await ask(tandem, "/api/logout", { method: "POST", headers: cookie });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("set-cookie")).toMatch(/^tandem_session=; .*Max-Age=0; Secure$/);
      expect(await status(cookie)).toBe(401);
    });

    it("end the streams they have opened", async () => {
      const cookie = await cookieOf(tandem);
      const opened = await ask(tandem, "/api/stream", { headers: cookie });
      const other = await ask(tandem, "/api/stream", { headers: bearer(TOKEN) });
      const stream = (opened.body as ReadableStream<Uint8Array>).getReader();
      const others = (other.body as ReadableStream<Uint8Array>).getReader();
      await stream.read();
      await others.read();
      await ask(tandem, "/api/sessions/revoke", { method: "POST", headers: bearer(TOKEN) });
      const ended = stream.closed.then(() => "ended");
      for (let looks = 0; looks < 40; looks += 1) {
        clock.advance(400);
        await tandem.services.store.ledger.now();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await Promise.race([ended, Promise.resolve("open")])).toBe("ended");
      expect(await Promise.race([others.closed, Promise.resolve("open")])).toBe("open");
      await others.cancel();
    });
  });
});

describeOnOneDatabase("sessions of several servers", (open) => {
  const opened: Tandem[] = [];
  let source: string | object;

  async function server(apiToken = TOKEN): Promise<Tandem> {
    const tandem = await createTandem(sampleConfig(source), { apiToken });
    opened.push(tandem);
    return tandem;
  }
  beforeEach(async () => {
    const database = await open();
    await database.sql(SAMPLE_SCHEMA);
    const given = database.pglite ?? database.url;
    if (given === undefined) throw new Error("the database has neither a PGlite nor a URL");
    source = given;
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((tandem) => tandem.stop()));
  });

  const statusWith = async (tandem: Tandem, headers: { readonly cookie: string }) =>
    (await ask(tandem, "/api/status", { headers })).status;

  it("are known to all, are listed without what could log in, and end one by one or all", async () => {
    const [here, there] = [await server(), await server()];
    const [first, second, third] = [
      await cookieOf(here),
      await cookieOf(there),
      await cookieOf(here),
    ];
    expect(await statusWith(there, first)).toBe(200);
    const listed = await sessionsOf(there);
    expect(listed).toHaveLength(3);
    const seen = await here.services.store.sessions.list();
    for (const { cookie } of [first, second, third]) {
      expect(JSON.stringify([listed, seen])).not.toContain(cookie.split("=")[1]);
    }

    const own = await ask(here, "/api/sessions", { headers: second });
    const { sessions } = (await own.json()) as ApiSessions;
    const current = sessions.find((session) => session.current)?.id ?? "";
    const revoke = (path: string) =>
      ask(here, `/api/sessions/${path}`, { method: "POST", headers: bearer(TOKEN) });
    const revoked = await revoke(`${current}/revoke`);
    expect(revoked.status).toBe(200);
    const living = ((await revoked.json()) as ApiSessions).sessions.map(({ id }) => id);
    expect(living).toEqual(listed.map(({ id }) => id).filter((id) => id !== current));
    const again = await revoke(`${current}/revoke`);
    expect(again.status).toBe(404);
    expect(await errorOf(again)).toMatchObject({
      code: "no_session",
      message: `there is no login ${current}`,
      hint: expect.stringContaining("/api/sessions lists active logins") as string,
    });
    expect((await revoke("nonsense/revoke")).status).toBe(400);
    expect(await statusWith(there, second)).toBe(401);
    expect(await statusWith(there, first)).toBe(200);

    expect((await revoke("revoke")).status).toBe(200);
    expect([await statusWith(here, first), await statusWith(there, third)]).toEqual([401, 401]);
    const acts = (await actsOf(here)).map(({ act, subject, status }) => [act, subject, status]);
    expect(acts.slice(0, 3)).toEqual([
      ["sessions.revoke", "", 200],
      ["session.revoke", current, 404],
      ["session.revoke", current, 200],
    ]);
  });

  it("end when the token is another", async () => {
    const cookie = await cookieOf(await server());
    const next = await server("the next token");
    expect(await statusWith(next, cookie)).toBe(401);
    expect(await next.services.store.sessions.list()).toEqual([]);
  });
});
