/** The audit log: each request that may change something adds one row with its actor, act and time. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleConfig } from "../../../src/demo/sample-config.ts";
import { SAMPLE_TABLES } from "../../../src/demo/sample-tables.ts";
import type { HandlerOptions } from "../../../src/server/access/access.ts";
import type { ApiAct, ApiAudit } from "../../../src/server/protocol/api-types.ts";
import { nameAct, recordAct } from "../../../src/server/access/audit.ts";
import { calledFrom } from "../../../src/server/access/caller.ts";
import { createRouter } from "../../../src/server/handler.ts";
import { createTandem, type Tandem } from "../../../src/server/tandem.ts";
import { createMemoryDatabase } from "../../../src/store/memory/memory-database.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { openMemoryStore } from "../../store/opened-store.ts";

const TOKEN = "a long random token";
const NO_EVENT = "0196ffff-0000-7000-8000-000000000001";
const NO_SESSION = "0".repeat(32);

/** Routes that are no act of a person, with the reason. */
const NO_ACTS: Readonly<Record<string, string>> = {
  "/webhooks/:integration": "a provider's; tandem.deliveries keeps it",
};

/** An id for each parameter of a route. */
function pathOf(route: string, connection: string): string {
  return route
    .replace("/events/:id", `/events/${NO_EVENT}`)
    .replace("/connections/:id", `/connections/${connection}`)
    .replace("/sessions/:id", `/sessions/${NO_SESSION}`)
    .replace(":type", "tasks")
    .replaceAll(/:\w+/g, "1");
}

async function actsOf(tandem: Tandem, query = ""): Promise<ApiAudit> {
  const request = new Request(`http://localhost/api/audit?${query}`);
  return (await (await tandem.fetch(request)).json()) as ApiAudit;
}

/** Routes of any method but GET; middleware is none. */
function changingRoutes(tandem: Tandem): readonly { method: string; path: string }[] {
  const { routes } = createRouter(tandem, { apiToken: TOKEN }).app;
  const methods = new Set(["GET", "HEAD", "OPTIONS", "ALL"]);
  return routes.filter(({ method, path }) => !methods.has(method) && !(path in NO_ACTS));
}

describeOnOneDatabase("the audit", (open) => {
  let app: SampleTandem;
  beforeAll(async () => {
    app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
  });
  afterAll(() => app.close());

  const post = (path: string) =>
    app.tandem.fetch(new Request(`http://localhost/api/${path}`, { method: "POST" }));

  it("has one row of every route that may change something, whatever became of it", async () => {
    const routes = changingRoutes(app.tandem);
    expect(routes.length).toBeGreaterThan(14);
    const unaudited: string[] = [];
    const { app: router } = createRouter(app.tandem, { authorize: () => "ada", apiToken: TOKEN });
    for (const { method, path } of routes) {
      const before = (await actsOf(app.tandem, "limit=500")).acts.length;
      const request = new Request(`http://localhost${pathOf(path, app.connection.id)}`, { method });
      const { status } = await router.fetch(request, calledFrom("192.0.2.7"));
      const { acts } = await actsOf(app.tandem, "limit=500");
      const [newest] = acts;
      const isTold =
        acts.length === before + 1 && newest?.status === status && newest.origin === "192.0.2.7";
      if (!isTold) unaudited.push(`${method} ${path}`);
    }
    expect(unaudited).toEqual([]);
  });

  it("names the act, its subject and what became of it", async () => {
    const { id } = app.connection;
    await post(`connections/${id}/pause`);
    await post(`connections/${id}/enable`);
    await post(`connections/${id}/reconcile?dry_run=true`);
    await post("records/tasks/a%2Fb/enable");
    await post("sync");
    const { acts } = await actsOf(app.tandem, "limit=5");
    const told = [...acts].reverse().map(({ act, subject, status }) => [act, subject, status]);
    expect(told).toEqual([
      ["connection.pause", id, 200],
      ["connection.enable", id, 200],
      ["connection.reconcile.dry_run", id, 200],
      ["record.enable", "tasks:a/b", 409],
      ["sync", "", 200],
    ]);
    expect(acts[0]).toMatchObject({ actor: "the app", at: expect.stringMatching(/Z$/) as string });
  });

  it("has the act of a transaction in it: both are there, or neither", async () => {
    await app.sql("alter table tasks add constraint short check (title <> 'Refused')");
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Refused" });
    await app.settle();
    const [errored] = await app.events("state=errored");
    const count = async () => (await actsOf(app.tandem, "act=event.cancel")).acts.length;

    const before = await count();
    const change = (body: string) =>
      app.sql(`create or replace function tandem.refuse_act() returns trigger language plpgsql
        as $$ begin ${body} end $$`);
    await change("raise exception 'no room';");
    await app.sql(`create trigger refuse_act before insert on tandem.audit
      for each row execute function tandem.refuse_act()`);
    expect((await post(`events/${errored?.id ?? ""}/cancel`)).status).toBe(503);
    expect(await app.events("state=errored")).toHaveLength(1);
    await app.sql("drop trigger refuse_act on tandem.audit");

    expect((await post(`events/${errored?.id ?? ""}/cancel`)).status).toBe(200);
    expect(await app.events("state=errored")).toEqual([]);
    expect(await count()).toBe(before + 1);
  });

  it("is read by page, newest first", async () => {
    for (let act = 0; act < 4; act += 1) await post("sync");
    const first = await actsOf(app.tandem, "limit=2");
    const second = await actsOf(app.tandem, `limit=2&before=${first.next ?? ""}`);
    const ids = [...first.acts, ...second.acts].map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(4);
    const query = "http://localhost/api/audit?limit=0&before=yesterday";
    const wrong = await app.tandem.fetch(new Request(query));
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({
      error: {
        code: "bad_query",
        message: expect.stringMatching(/^before: an act's id is a number; limit: \S.*$/) as string,
        hint: "Example: /api/audit?act=connection.pause&limit=50",
      },
    });
  });
});

describe("the actor of an act", () => {
  const tandems: Tandem[] = [];
  afterAll(async () => {
    await Promise.all(tandems.map((tandem) => tandem.stop()));
  });

  async function actBy(
    options: HandlerOptions,
    headers: Record<string, string> = {},
  ): Promise<ApiAct | undefined> {
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
    const tandem = await createTandem(sampleConfig(database), { environment: {}, ...options });
    tandems.push(tandem);
    const host = { host: "localhost" };
    const url = "http://localhost/api/sync";
    const request = new Request(url, { method: "POST", headers: { ...host, ...headers } });
    await tandem.fetch(request, calledFrom("127.0.0.1"));
    const [act] = await tandem.services.store.audit.entries({ limit: 1 });
    return act === undefined ? undefined : { ...act, at: "" };
  }

  it("is this machine, the API token, the app, or as the app names them", async () => {
    expect(await actBy({})).toMatchObject({ actor: "this machine", origin: "127.0.0.1" });
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect(await actBy({ apiToken: TOKEN }, headers)).toMatchObject({ actor: "API token" });
    expect(await actBy({ authorize: () => true })).toMatchObject({ actor: "the app" });
    const named = await actBy({ authorize: () => Promise.resolve("ada@example.com") });
    expect(named).toMatchObject({ actor: "ada@example.com" });
  });

  it("is a login of the dashboard, by the first digits of its id", async () => {
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
    const tandem = await createTandem(sampleConfig(database), { apiToken: TOKEN });
    tandems.push(tandem);
    const from = calledFrom("192.0.2.7");
    const body = JSON.stringify({ token: TOKEN });
    const login = new Request("http://localhost/api/login", { method: "POST", body });
    const kept = (await tandem.fetch(login, from)).headers.get("set-cookie") ?? "";
    const headers = { cookie: kept.split(";")[0] ?? "" };
    const logout = new Request("http://localhost/api/logout", { method: "POST", headers });
    await tandem.fetch(logout, from);
    const acts = await tandem.services.store.audit.entries({ limit: 9 });
    const session = acts.at(-1)?.subject;
    const actor = `login ${session?.slice(0, 8) ?? ""}`;
    expect(acts).toMatchObject([
      { act: "logout", actor, origin: "192.0.2.7", status: 204 },
      { act: "login", actor, subject: session, origin: "192.0.2.7", status: 204 },
    ]);
  });

  it("that was refused leaves no row, and an empty name lets nobody in", async () => {
    expect(await actBy({ apiToken: TOKEN })).toBe(undefined);
    expect(await actBy({ authorize: () => "", apiToken: TOKEN })).toBe(undefined);
  });
});

it("an act that the audit could not keep is in the log, with all that the row would say", async () => {
  const { store } = await openMemoryStore();
  const audit = { ...store.audit, append: () => Promise.reject(new Error("no space left")) };
  const { log, lines } = keptLog();
  const act = {
    actor: "login 1234",
    act: "connection.pause",
    subject: "7",
    origin: "192.0.2.7",
    status: 200,
  };
  await recordAct({ store: { ...store, audit }, log }, act);
  expect(lines).toMatchObject([
    { message: "an act could not be written to the audit", ...act, error: "no space left" },
  ]);
});

describe("the name of an act", () => {
  it.each([
    ["/api/connections/:id/pause", "/api/connections/7/pause", "connection.pause", "7"],
    [
      "/api/records/:type/:id/enable",
      "/api/records/tasks/4%202/enable",
      "record.enable",
      "tasks:4 2",
    ],
    ["/api/sessions/revoke", "/api/sessions/revoke", "sessions.revoke", ""],
    ["/api/instance/approve", "/api/instance/approve", "instance.approve", ""],
    ["/api/sync", "/api/sync", "sync", ""],
  ])("%s is named by its route", (route, path, act, subject) => {
    expect(nameAct(route, path)).toEqual({ act, subject });
  });
});
