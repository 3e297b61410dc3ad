/** Servers as a team would write them: `node:http`, the signature check, and their own statements. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { statusOf } from "../contenders/contender.ts";
import type { Edit } from "../harness/work.ts";
import type { Part } from "./running.ts";
import { isSigned, readAll } from "./webhook.ts";

/** The best number for 64 connections; pg's default of 10 is a little slower. */
export const CONNECTIONS = 16;

export interface ServerInput {
  readonly url: string;
}

/** Handles a signed webhook; an error is answered with 500. */
type Take = (body: Buffer, request: IncomingMessage) => Promise<void>;

/** Inserts each webhook, and answers after the commit. */
export const insertPart: Part<ServerInput, { readonly port: number }, null> = ({ url }) =>
  servePart(url, (pool) => (body, request) => insertDelivery(pool, body, request));

/** Processes each webhook in one transaction down to the app's row, and answers after the commit. */
export const directPart: Part<ServerInput, { readonly port: number }, null> = ({ url }) =>
  servePart(url, (pool) => async (body, request) => {
    const { issue } = JSON.parse(body.toString()) as { readonly issue: DirectIssue };
    const client = await pool.connect();
    try {
      await client.query("begin");
      await writeAll(client, keyOf(request), body, issue);
      await client.query("commit");
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  });

interface DirectIssue extends Pick<Edit, "title" | "body" | "state"> {
  readonly number: number;
  readonly updated_at: string;
}

async function servePart(url: string, open: (pool: pg.Pool) => Take) {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  const server = createServer(handlerOf(open(pool)));
  return {
    opened: { port: await listenAnywhere(server) },
    async stop() {
      await closeServer(server);
      await pool.end();
      return null;
    },
  };
}

export function handlerOf(take: Take): Parameters<typeof createServer>[1] {
  const answer = async (request: IncomingMessage): Promise<number> => {
    const body = await readAll(request);
    const { "x-hub-signature-256": signature } = request.headers;
    if (typeof signature !== "string" || !isSigned(body, signature)) return 401;
    await take(body, request);
    return 202;
  };
  return (request, response) => {
    answer(request).then(
      (status) => {
        response.writeHead(status, { "content-type": "text/plain", "content-length": 2 }).end("ok");
      },
      (error: unknown) => {
        response.writeHead(500, { "content-type": "text/plain" }).end(String(error));
      },
    );
  };
}

async function insertDelivery(
  pool: pg.Pool,
  body: Buffer,
  request: IncomingMessage,
): Promise<void> {
  const key = keyOf(request);
  await pool.query({ ...INSERT, values: [key, key, body.toString()] });
}

export const INSERT = {
  name: "delivery",
  text: `insert into deliveries (id, delivery_key, event, payload) values ($1, $2, 'issues', $3)
    on conflict (delivery_key) do nothing`,
};

async function writeAll(
  client: pg.PoolClient,
  key: string,
  body: Buffer,
  issue: DirectIssue,
): Promise<void> {
  const { title, body: markdown, state, updated_at: updatedAt } = issue;
  const externalId = String(issue.number);
  const content = JSON.stringify({ title, body: markdown, state });
  await client.query({ ...INSERT, values: [key, key, body.toString()] });
  await client.query({
    name: "event",
    text: `insert into events (id, external_id, updated_at, state, delivery_id, content)
      values ($1, $2, $3, 'completed', $1, $4)`,
    values: [key, externalId, updatedAt, content],
  });
  await client.query({
    name: "copy",
    text: `insert into copies (external_id, updated_at, content) values ($1, $2, $3)
      on conflict (external_id) do update
      set content = excluded.content, updated_at = excluded.updated_at`,
    values: [externalId, updatedAt, content],
  });
  await client.query({
    name: "task",
    text: `insert into tasks (external_id, project_id, title, markdown, status, modified_at)
      values ($1, 1, $2, $3, $4, $5)
      on conflict (external_id) do update
      set
        title = excluded.title,
        markdown = excluded.markdown,
        status = excluded.status,
        modified_at = excluded.modified_at`,
    values: [externalId, title, markdown, statusOf(state), updatedAt],
  });
}

export function keyOf(request: IncomingMessage): string {
  return String(request.headers["x-github-delivery"]);
}

export async function listenAnywhere(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A listening server has an address with a port.
  return (server.address() as AddressInfo).port;
}

export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
