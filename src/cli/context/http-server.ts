/** Serves a request handler over HTTP. It stops in two steps, so that current requests can finish. */
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { RequestHandler } from "../../server/handler.ts";
import { KEEP_ALIVE_MS } from "../../server/keep-alive.ts";

/** How long a request may take to arrive. Slower ones are disconnected, so that they hold no memory. */
const REQUEST_MS = 15_000;

export interface HttpServer {
  /** The address for clients on this machine. */
  readonly url: string;
  /** Refuses new connections; current requests continue. */
  refuse(): void;
  /** Closes the connections that are still open, such as live streams. */
  close(): Promise<void>;
}

export interface ListeningPlace {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** @throws Error with the code `EADDRINUSE` if the port is in use. */
export async function startHttpServer(
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
      // A later error concerns one connection, such as one too many; without a listener Node ends the process.
      server.on("error", () => undefined);
      resolve();
    });
  });
  // A listening server has an address with a port.
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

/** A server on all addresses is also reachable by the loopback address. */
function nearName(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
