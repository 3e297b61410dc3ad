/** Serves a request handler over HTTP, and stops in two steps so that what is under way can end. */
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { RequestHandler } from "../server/handler.ts";
import { KEEP_ALIVE_MS } from "../server/keep-alive.ts";

/** How long a request may take to come: what comes slower is hung up on, and holds no memory. */
const REQUEST_MS = 15_000;

export interface HttpServer {
  /** Where this machine reaches it. */
  readonly url: string;
  /** Takes no new connections; requests under way go on. */
  refuse(): void;
  /** Ends what is still open, as live streams are. */
  close(): Promise<void>;
}

export interface ListeningPlace {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** @throws Error with the code `EADDRINUSE` where the port is taken. */
export async function listen(
  fetch: RequestHandler,
  { host, port }: ListeningPlace,
): Promise<HttpServer> {
  const server = createAdaptorServer({
    fetch,
    serverOptions: { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_MS },
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      // Later it is about one connection, such as one too many; without a listener Node ends the process.
      server.on("error", () => undefined);
      resolve();
    });
  });
  // A server that listens on a port has an address with one.
  const { port: bound } = server.address() as AddressInfo;
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  let refuses = false;
  const refuse = (): void => {
    if (!refuses) server.close();
    refuses = true;
  };
  return {
    url: `http://${nearName(host)}:${bound}`,
    refuse,
    async close() {
      refuse();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}

/** A server on all addresses answers on this one too. */
function nearName(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
