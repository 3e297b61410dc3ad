/** The programs of docs/mount.md. test/server/node-listener.test.ts runs them. */
import { createServer } from "node:http";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { createTandem, type Tandem } from "../../../src/index.ts";
import config from "./tandem.config.ts";

declare function isAdmin(request: Request): boolean;

/** The path in every example. */
export const BASE_PATH = "/ops/tandem";

export async function open() {
  const tandem = await createTandem(config, {
    basePath: "/ops/tandem",
    authorize: (request) => isAdmin(request), // your app's login; or set TANDEM_API_TOKEN
  });
  await tandem.migrate();
  const worker = tandem.startWorker(); // or run `tandem work` as a process of its own
  return { tandem, worker };
}

export function inNode(tandem: Tandem) {
  const server = createServer(tandem.listener);
  return server;
}

export function inExpress(tandem: Tandem) {
  const app = express();
  app.use("/ops/tandem", tandem.listener); // before body parsers
  app.use(express.json());
  app.post("/tasks", (request, response) => response.json(request.body));
  return app;
}

export function inFastify(tandem: Tandem) {
  const app = fastify();
  app.register((scope, _options, done) => {
    // Fastify leaves the body to Tandem.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null));
    for (const url of ["/ops/tandem", "/ops/tandem/*"]) {
      scope.all(url, (request, reply) => {
        reply.hijack();
        tandem.listener(request.raw, reply.raw);
      });
    }
    done();
  });
  app.post("/tasks", (request) => request.body);
  return app;
}

export function inHono(tandem: Tandem) {
  const app = new Hono();
  app.all("/ops/tandem/*", (context) => tandem.fetch(context.req.raw, context.env));
  app.post("/tasks", async (context) => context.json(await context.req.json()));
  return app;
}
