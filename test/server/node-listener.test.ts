/** Tandem mounted in other frameworks, as docs/mount.md says: over real HTTP, with a signed webhook. */
import { createHmac } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { createGitHubSimulator } from "../../src/testing/github/index.ts";
import { TEST_ENVIRONMENT, TEST_SECRET, TEST_TOKEN } from "../../src/testing/test-tandem.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import { createTandem, type Tandem } from "../../src/server/tandem.ts";
import { BASE_PATH, inExpress, inFastify, inHono, inNode } from "../docs/examples/mount.ts";

// Bytes that no JSON parser writes: their signature is lost if somebody parses the body before Tandem.
const PAYLOAD = '{ "zen":  "Non\\u002dblocking",\n "n": 1.0 }';

let pglite: PGlite;
let tandem: Tandem;
/** The app's own classes, before and after Tandem was opened. */
let before: readonly unknown[];
let after: readonly unknown[];
const servers: Server[] = [];

beforeAll(async () => {
  pglite = await PGlite.create();
  await pglite.exec(`${SAMPLE_SCHEMA}; insert into projects (name) values ('Site')`);
  const github = createGitHubSimulator({ clock: systemClock, random: seededRandom(1) });
  github.createRepository({ owner: "acme", name: "site" });
  github.token(TEST_TOKEN, { login: github.createUser({ login: "acme-bot", type: "Bot" }).login });
  before = [globalThis.Request, globalThis.Response];
  tandem = await createTandem(sampleConfig(pglite), {
    basePath: BASE_PATH,
    environment: { ...TEST_ENVIRONMENT },
    fetch: github.fetch,
  });
  after = [globalThis.Request, globalThis.Response];
  await tandem.migrate();
  await tandem.connect({
    account: {
      name: "acme",
      integration: "github",
      credentials: { token: TEST_TOKEN, baseUrl: github.apiUrl },
      webhookSecret: TEST_SECRET,
    },
    container: "acme/site",
    scope: "1",
  });
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

afterAll(async () => {
  await tandem.stop();
  await pglite.close();
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serve = (listener: RequestListener) => listen(createServer(listener));

let deliveries = 0;

function webhook(secret = TEST_SECRET) {
  deliveries += 1;
  return {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "ping",
      "x-github-delivery": String(deliveries),
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(PAYLOAD).digest("hex")}`,
    },
    body: PAYLOAD,
  };
}

async function sendWebhook(url: string, secret?: string) {
  const response = await fetch(`${url}${BASE_PATH}/webhooks/github`, webhook(secret));
  return { status: response.status, text: await response.text() };
}

const frameworks: Readonly<Record<string, () => Promise<string>>> = {
  Node: () => listen(inNode(tandem)),
  Express: () => serve(inExpress(tandem) as RequestListener),
  Hono: () => listen(createAdaptorServer({ fetch: inHono(tandem).fetch }) as Server),
  async Fastify() {
    const app = inFastify(tandem);
    await app.ready();
    servers.push(app.server);
    return app.listen({ host: "127.0.0.1", port: 0 });
  },
};

describe.each(Object.entries(frameworks))("mounted in %s", (name, open) => {
  it("serves page, API, probes and signed webhooks below the path, and the app the rest", async () => {
    const url = await open();
    const page = await fetch(`${url}${BASE_PATH}`);
    expect(page.url).toBe(`${url}${BASE_PATH}/`);
    expect(await page.text()).toContain("<title>Tandem</title>");
    expect((await fetch(`${url}${BASE_PATH}/healthz`)).status).toBe(200);
    // The client's address is known: this machine needs no token.
    expect((await fetch(`${url}${BASE_PATH}/api/status`)).status).toBe(200);

    const accepted = await sendWebhook(url);
    expect(accepted).toMatchObject({ status: 202 });
    expect((await sendWebhook(url, "wrong")).text).toContain("signature_mismatch");

    if (name === "Node") return;
    const body = JSON.stringify({ title: "Mine" });
    const headers = { "content-type": "application/json" };
    const task = await fetch(`${url}/tasks`, { method: "POST", headers, body });
    expect(await task.json()).toEqual({ title: "Mine" });
  });
});

it("called with a request alone, as Next does, serves the page and signed webhooks, and the API asks for a token", async () => {
  const url = `http://app.example${BASE_PATH}`;
  expect(await (await tandem.fetch(new Request(`${url}/`))).text()).toContain(
    "<title>Tandem</title>",
  );
  // The client's address is unknown, so the API needs a token.
  expect((await tandem.fetch(new Request(`${url}/api/status`))).status).toBe(403);
  const signed = new Request(`${url}/webhooks/github`, webhook());
  expect(await (await tandem.fetch(signed)).text()).toContain("delivery");
});

it("on a database without a schema answers how to make it", async () => {
  const empty = await PGlite.create();
  const other = await createTandem(sampleConfig(empty), { authorize: () => true });
  const asked = ["/healthz", "/api/status", "/metrics"].map(async (path) => {
    const response = await other.fetch(new Request(`http://app.example${path}`));
    return [response.status, await response.json()] as const;
  });
  for (const [status, body] of await Promise.all(asked)) {
    expect(status).toBe(503);
    expect(body).toMatchObject({
      error: {
        code: "not_migrated",
        hint: expect.stringMatching(
          /^Run `tandem migrate`, or call `tandem.migrate\(\)`/,
        ) as string,
      },
    });
  }
  await other.stop();
  await empty.close();
});

describe("the listener", () => {
  it("refuses a body that the app has read, and says what to do; a body kept as bytes is read", async () => {
    const late = express();
    late.use(express.json());
    late.use(BASE_PATH, tandem.listener);
    const { status, text } = await sendWebhook(await serve(late as RequestListener));
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({
      error: {
        code: "body_already_read",
        hint: expect.stringContaining("before body parsers") as string,
      },
    });

    const kept = express();
    const keep = (request: object, _response: unknown, bytes: Buffer) =>
      void Object.assign(request, { rawBody: bytes });
    kept.use(express.json({ verify: keep }));
    kept.use(BASE_PATH, tandem.listener);
    expect(await sendWebhook(await serve(kept as RequestListener))).toMatchObject({ status: 202 });
  });

  it("leaves the app's Request and Response as they are", () => {
    expect(after).toEqual(before);
  });
});
