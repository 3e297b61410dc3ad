/** A receiver on Probot: it verifies and parses each webhook, and the app's handler inserts it. */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import pg from "pg";
import {
  closeServer,
  CONNECTIONS,
  INSERT,
  listenAnywhere,
  type ServerInput,
} from "../http/by-hand.ts";
import type { Part } from "../http/running.ts";
import { TANDEM_PATH } from "../http/tandem.ts";
import { SECRET } from "../http/webhook.ts";
import { load } from "./peer.ts";

interface Context {
  /** The delivery's id. */
  readonly id: string;
  readonly payload: object;
}

interface App {
  on(event: string, handle: (context: Context) => Promise<void>): void;
}

/** The part of Probot that is used here. */
interface Library {
  readonly Probot: new (options: object) => object;
  readonly createNodeMiddleware: (
    app: (app: App) => void,
    options: { readonly probot: object; readonly webhooksPath: string },
  ) => Promise<RequestListener>;
}

export const probotPart: Part<ServerInput, { readonly port: number }, null> = async ({ url }) => {
  const { Probot, createNodeMiddleware } = await load<Library>("probot");
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const probot = new Probot({ appId: 1, privateKey, secret: SECRET, logLevel: "fatal" });
  const answer = await createNodeMiddleware(
    (app) => {
      app.on("issues", async ({ id, payload }) => {
        await pool.query({ ...INSERT, values: [id, id, JSON.stringify(payload)] });
      });
    },
    { probot, webhooksPath: TANDEM_PATH },
  );
  const server = createServer(answer);
  return {
    opened: { port: await listenAnywhere(server) },
    async stop() {
      await closeServer(server);
      await pool.end();
      return null;
    },
  };
};
