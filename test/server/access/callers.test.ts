/** From where requests come, over real HTTP and through a handler that is mounted in another app. */
import { Hono } from "hono";
import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpServer, startHttpServer } from "../../../src/cli/context/http-server.ts";
import { refuseOpenApi } from "../../../src/cli/context/serving.ts";
import { sampleConfig } from "../../../src/demo/sample-config.ts";
import { SAMPLE_TABLES } from "../../../src/demo/sample-tables.ts";
import type { HandlerOptions } from "../../../src/server/access/access.ts";
import { createTandem, type Tandem } from "../../../src/server/tandem.ts";
import { createMemoryDatabase } from "../../../src/store/memory/memory-database.ts";

const PLACE = { host: "127.0.0.1", port: 0 } as const;
const STATUS = new Request("http://localhost/api/status");

describe("a server without a token", () => {
  it.each(["0.0.0.0", "::", "192.0.2.7", "tandem.example.com", "127.0.0.1.example"])(
    "does not listen on %s, where others reach it",
    (host) => {
      expect(() => refuseOpenApi({ host }, {})).toThrow(
        expect.objectContaining({ code: "token_needed", exitCode: 2 }) as Error,
      );
      expect(() => refuseOpenApi({ host }, { TANDEM_API_TOKEN: "a token" })).not.toThrow();
    },
  );

  it.each(["127.0.0.1", "localhost", "::1"])("listens on %s", (host) => {
    expect(() => refuseOpenApi({ host }, {})).not.toThrow();
  });
});

describe("the API without a token", () => {
  let tandem: Tandem;
  let server: HttpServer | null = null;

  async function open(options: HandlerOptions & { environment?: Record<string, string> } = {}) {
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
    tandem = await createTandem(sampleConfig(database), { environment: {}, ...options });
    return tandem;
  }

  beforeEach(() => {
    server = null;
  });
  afterEach(async () => {
    await server?.close();
    await tandem.stop();
  });

  /** A client writes what it likes into its headers. */
  function statusAs(headers: Record<string, string>): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = request(`${server?.url ?? ""}/api/status`, { headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.on("error", reject).end();
    });
  }

  it("answers this machine over HTTP, and not what a proxy passes on or another name asks for", async () => {
    server = await startHttpServer((await open()).fetch, PLACE);
    expect(await statusAs({})).toBe(200);
    expect(await statusAs({ "x-forwarded-for": "192.0.2.7" })).toBe(403);
    expect(await statusAs({ host: "tandem.example.com" })).toBe(403);
  });

  it("refuses HTTP/1.0, by which nginx asks unless told otherwise", async () => {
    server = await startHttpServer((await open()).fetch, PLACE);
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(
          `GET /api/status HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
        );
      });
      let text = "";
      socket.setEncoding("utf8").on("data", (part: string) => (text += part));
      socket.on("end", () => resolve(text)).on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain("not_local");
  });

  it("answers nobody where it is mounted in an app that tells no peer", async () => {
    expect((await (await open()).fetch(STATUS)).status).toBe(403);
  });

  it("learns the peer from the server of the app that it is mounted in", async () => {
    const { fetch } = await open();
    const app = new Hono<{ Bindings: object }>();
    app.all("*", (context) => fetch(context.req.raw, context.env));
    const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
    const asked = (peer: string) => app.request("http://localhost/api/status", {}, from(peer));
    expect((await asked("127.0.0.1")).status).toBe(200);
    expect((await asked("192.0.2.7")).status).toBe(403);
  });

  it("leaves the decision to the app's own check, and lets no foreign page through", async () => {
    const { fetch } = await open({ authorize: ({ headers }) => headers.get("x-admin") === "yes" });
    const admin = { "x-admin": "yes", host: "app.example.com" };
    const url = "https://app.example.com/api/sync";
    const status = async (headers: Record<string, string>) =>
      (await fetch(new Request(url, { method: "POST", headers }))).status;
    expect(await status(admin)).toBe(200);
    expect(await status({ host: "app.example.com" })).toBe(403);
    expect(await status({ ...admin, origin: "https://elsewhere.example" })).toBe(403);
  });

  it("does not exist where the environment has a token", async () => {
    const { fetch } = await open({ environment: { TANDEM_API_TOKEN: "from the environment" } });
    const from = { incoming: { socket: { remoteAddress: "127.0.0.1" } } };
    expect((await fetch(STATUS, from)).status).toBe(401);
    const headers = { authorization: "Bearer from the environment" };
    expect((await fetch(new Request(STATUS, { headers }))).status).toBe(200);
  });
});
