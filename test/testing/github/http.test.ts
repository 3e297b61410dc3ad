/** The simulator over real HTTP, on the real clock. */
import { createAdaptorServer } from "@hono/node-server";
import { verify } from "@octokit/webhooks-methods";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/runtime/services/system-clock.ts";
import { createGitHubSimulator, type Listening } from "../../../src/testing/github/index.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { asker, received, type Received, SECRET, SITE, TOKEN } from "./stage.ts";

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(basePath = ""): Promise<{
  sim: ReturnType<typeof createGitHubSimulator>;
  listening: Listening;
  ask: ReturnType<typeof asker>;
}> {
  const sim = createGitHubSimulator({ clock: systemClock, random: seededRandom(1), basePath });
  sim.createRepository({ owner: "acme", name: "site" });
  sim.token(TOKEN, { login: "mona" });
  const listening = await sim.listen();
  open.push(listening);
  return { sim, listening, ask: asker(globalThis.fetch, listening.url) };
}

describe("over HTTP", () => {
  it("serves the API with links that lead back to it", async () => {
    const { sim, listening, ask } = await start("/api/v3");
    const created = await ask("POST", `${SITE}/issues`, { json: { title: "Over the wire" } });
    expect(created.status).toBe(201);
    expect(created.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(created.headers.get("location")).toBe(`${listening.url}${SITE}/issues/1`);
    sim.as("mona").openIssue("acme/site", { title: "Second" });
    const list = await ask("GET", `${SITE}/issues?per_page=1`);
    expect(list.headers.get("link")).toContain(
      `<${listening.url}${SITE}/issues?per_page=1&page=2>`,
    );
    const etag = list.headers.get("etag") ?? "";
    const same = await ask("GET", `${SITE}/issues?per_page=1`, {
      headers: { "if-none-match": etag },
    });
    expect(same.status).toBe(304);
    sim.renameRepository("acme/site", "website");
    const renamed = await ask("PATCH", `${SITE}/issues/1`, { json: { state: "closed" } });
    expect(renamed.body).toMatchObject({ state: "closed" });
  });

  it("breaks connections: reset, lost answer, refused", async () => {
    const { sim, ask, listening } = await start();
    const create = (): ReturnType<typeof ask> =>
      ask("POST", `${SITE}/issues`, { json: { title: "New" } });
    sim.failNext({ with: "reset" });
    await expect(create()).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
    expect(sim.issues("acme/site")).toHaveLength(0);
    sim.failNext({ with: "lost-answer" });
    await expect(create()).rejects.toThrow("fetch failed");
    expect(sim.issues("acme/site")).toHaveLength(1);
    sim.faults.api.refuseConnections = true;
    await expect(create()).rejects.toThrow("fetch failed");
    sim.clearFaults();
    expect((await create()).status).toBe(201);
    expect(sim.issues("acme/site")).toHaveLength(2);
    await listening.refuse();
    await expect(create()).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await listening.accept();
    expect((await create()).status).toBe(201);
  });

  it("answers nothing until the caller gives up", async () => {
    const { sim, ask } = await start();
    sim.failNext({ with: "timeout" });
    const patience = new AbortController();
    const answer = ask("GET", SITE, { signal: patience.signal });
    const logged = new Promise<void>((resolve) => {
      sim.on("request", () => {
        resolve();
      });
    });
    await logged;
    patience.abort(new Error("gave up"));
    await expect(answer).rejects.toThrow("gave up");
  });

  it("delivers webhooks to a URL", async () => {
    const inbox: Received[] = [];
    const server = createAdaptorServer({
      fetch: async (request) => {
        inbox.push(await received(request));
        return new Response("taken", { status: 202 });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push({
      close: () =>
        new Promise((resolve) =>
          server.close(() => {
            resolve();
          }),
        ),
    });
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { sim } = await start();
    sim.faults.webhooks.delayMs = 0;
    sim.addHook({ url: `http://127.0.0.1:${String(port)}/hooks`, secret: SECRET });
    sim.addHook({ url: "http://127.0.0.1:1/nobody", secret: SECRET });
    sim.as("mona").openIssue("acme/site", { title: "Over the wire" });
    await sim.idle();
    const [only] = inbox;
    const signature = only?.headers.get("x-hub-signature-256") ?? "";
    expect(await verify(SECRET, only?.body ?? "", signature)).toBe(true);
    expect(sim.deliveries).toMatchObject([
      { state: "delivered", statusCode: 202, response: { body: "taken" } },
      { state: "failed", statusCode: 502 },
    ]);
  });
});
