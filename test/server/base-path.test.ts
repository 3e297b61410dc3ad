/** Tandem mounted below a path of an app: what is below it works, and headers do not move it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PGlite } from "@electric-sql/pglite";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { calledFrom } from "../../src/server/access/caller.ts";
import { createTandem, type Tandem } from "../../src/server/tandem.ts";

// Contains "/api/", because an app may keep its own API there.
const BASE = "/api/ops/tandem";

const HOSTILE: Readonly<Record<string, string>> = {
  "x-forwarded-prefix": "/elsewhere",
  "x-forwarded-host": "evil.example",
  "x-forwarded-proto": "gopher",
  "x-forwarded-uri": "/elsewhere/",
  "x-original-url": "/elsewhere/",
  forwarded: "host=evil.example;proto=gopher",
  host: "evil.example",
};

describe("a base path", () => {
  let pglite: PGlite;
  let tandem: Tandem;

  beforeAll(async () => {
    pglite = await PGlite.create();
    await pglite.exec(SAMPLE_SCHEMA);
    tandem = await createTandem(sampleConfig(pglite), {
      basePath: BASE,
      authorize: (request) => request.headers.has("x-operator"),
    });
    await tandem.migrate();
  });

  afterAll(async () => {
    await tandem.stop();
    await pglite.close();
  });

  async function ask(path: string, init: RequestInit = {}) {
    const request = new Request(`http://app.example${path}`, init);
    const response = await tandem.fetch(request, calledFrom("127.0.0.1"));
    return {
      status: response.status,
      location: response.headers.get("location"),
      text: await response.text(),
    };
  }

  const OPERATOR = { headers: { "x-operator": "ada" } };

  it("serves probes, API and webhooks below it", async () => {
    expect((await ask(`${BASE}/healthz`)).status).toBe(200);
    expect((await ask(`${BASE}/api/events?limit=1`, OPERATOR)).status).toBe(200);
    expect((await ask(`${BASE}/api/events/7`, OPERATOR)).text).toContain("bad_id");
    expect((await ask(`${BASE}/api/status`)).status).toBe(403);
    const webhook = await ask(`${BASE}/webhooks/nobody`, { method: "POST", body: "{}" });
    expect(webhook.text).toContain("unknown_integration");
  });

  it.each([
    "/",
    "/healthz",
    "/api/status",
    `${BASE}s/healthz`,
    "/api/ops/tande%6D/healthz",
    `/x${BASE}/healthz`,
  ])("answers %s with 404, the base path and the remedy", async (path) => {
    const { status, text } = await ask(path, OPERATOR);
    expect(status).toBe(404);
    expect(JSON.parse(text)).toMatchObject({
      error: {
        code: "outside_base_path",
        hint: expect.stringContaining(`Start at ${BASE}/.`) as string,
      },
    });
  });

  it("adds the slash that relative addresses need, and a POST is not redirected", async () => {
    expect(await ask(`${BASE}?a=1`)).toEqual({ status: 308, location: "./tandem/?a=1", text: "" });
    expect((await ask(BASE, { method: "POST" })).status).toBe(404);
  });

  it.each(Object.entries(HOSTILE))("is not moved by the header %s", async (name, value) => {
    const headers = { [name]: value };
    for (const path of [BASE, `${BASE}/`, `${BASE}/healthz`, "/elsewhere/", "/"]) {
      expect(await ask(path, { headers })).toEqual(await ask(path));
    }
  });

  it("may be written with a slash at its end, and the root is the default", async () => {
    for (const basePath of ["/", "/ops/", "/ops"]) {
      const other = await createTandem(sampleConfig(pglite), { basePath });
      const path = `${basePath.replace(/\/$/, "")}/healthz`;
      expect((await other.fetch(new Request(`http://app.example${path}`))).status).toBe(200);
      await other.stop();
    }
  });

  it.each([
    "",
    "ops",
    "//ops",
    "/ops//x",
    "/ops/..",
    "/./ops",
    "/o ps",
    "/ops?x",
    "/%6Fps",
    "https://a/ops",
  ])("refuses %j with the cause and the remedy", async (basePath) => {
    await expect(createTandem(sampleConfig(pglite), { basePath })).rejects.toMatchObject({
      code: "bad_base_path",
      message: `basePath: ${JSON.stringify(basePath)} is no path of a URL`,
      hint: expect.stringContaining('"/ops/tandem"') as string,
    });
  });
});
