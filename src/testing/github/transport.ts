/** The two ways to reach the simulator: `fetch` in process, and HTTP on a port. */
import { createServer } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Clock } from "../../model/clock.ts";
import type { ApiResponse, IncomingRequest } from "./api/index.ts";
import type { Exchange } from "./exchange.ts";
import type { ApiFaults, NetworkFault } from "./faults/index.ts";
import { TextResponse } from "./text-response.ts";

export interface ListenOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
}

export interface Listening {
  /** The root of the API, with the base path. */
  readonly url: string;
  readonly port: number;
  /** Stops listening, so that connections are refused by the system, until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
}

interface Parts {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly faults: ApiFaults;
  /** For example `/api/v3`; empty for none. */
  readonly basePath: string;
}

const MAX_REDIRECTS = 20;

/** A `fetch` that reaches the simulator for every host name, and fails as Node's does. */
export function createFetch(parts: Parts): typeof globalThis.fetch {
  return async (input, init) => {
    let request = await readOutgoing(input, init);
    const { signal } = request;
    signal?.throwIfAborted();
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await exchangeOnce(parts, request);
      const location = response.headers.get("location");
      const redirects = response.status >= 300 && response.status < 400 && location !== null;
      if (!redirects || request.redirect === "manual") {
        return placed(response, request.url.href, hop > 0);
      }
      if (request.redirect === "error") throw fetchFailed("unexpected redirect", "UND_ERR");
      request = redirected(request, response.status, new URL(location, request.url));
    }
    throw fetchFailed("redirect count exceeded", "UND_ERR");
  };
}

/** Serves the simulator over HTTP. Network faults break the socket. */
export async function serveSimulator(parts: Parts, options: ListenOptions): Promise<Listening> {
  const host = options.host ?? "127.0.0.1";
  const server = createAdaptorServer({
    createServer,
    serverOptions: { keepAliveTimeout: 75_000 },
    fetch: async (request, { incoming }) => {
      const body = await request.text();
      const apiRequest = readRequest(parts, request, body);
      const outcome = apiRequest === null ? unknownRoute() : await parts.exchange.run(apiRequest);
      if (outcome.kind === "answered") {
        const { status, headers, body: answer } = outcome.response;
        return new Response(answer, { status, headers });
      }
      if (outcome.fault === "timeout") return new Promise<Response>(() => undefined);
      breakOff(incoming.socket);
      return RESPONSE_ALREADY_SENT;
    },
  });
  // While the server listens, a refused connection is one that is closed without a response.
  server.on("connection", (socket: Socket) => {
    if (parts.faults.refuseConnections) socket.resetAndDestroy();
  });
  const bind = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  const unbind = (): Promise<void> =>
    new Promise((resolve) => {
      // The only possible error is that the server does not listen, which is the purpose.
      server.close(() => {
        resolve();
      });
      if ("closeAllConnections" in server) server.closeAllConnections();
    });
  await bind(options.port ?? 0);
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${String(port)}${parts.basePath}`,
    port,
    refuse: unbind,
    accept: () => bind(port),
    close: unbind,
  };
}

/** The parts of a request that the simulator needs. */
interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: RequestRedirect;
  readonly signal: AbortSignal | null;
}

type Input = Parameters<typeof globalThis.fetch>[0];

/**
 * Reads the arguments of `fetch`. An address with a text is read directly: making a `Request` and reading
 * its stream costs more than the response. It also takes turns of the event loop, so a test could not
 * tell when the request arrives.
 */
async function readOutgoing(input: Input, init: RequestInit | undefined): Promise<Outgoing> {
  const { body = null, method = "GET", signal = null, redirect = "follow" } = init ?? {};
  if (input instanceof Request || !(body === null || typeof body === "string")) {
    const request = new Request(input, init);
    const text =
      typeof body === "string" ? body : await untilAborted(request.text(), request.signal);
    return { ...partsOf(request), body: text };
  }
  return {
    method: method.toUpperCase(),
    url: new URL(input),
    headers: new Headers(init?.headers),
    body: body ?? "",
    redirect,
    signal,
  };
}

function partsOf({ method, url, headers, redirect, signal }: Request): Omit<Outgoing, "body"> {
  return { method, url: new URL(url), headers, redirect, signal };
}

async function exchangeOnce(parts: Parts, request: Outgoing): Promise<Response> {
  const apiRequest = readRequest(parts, request, request.body);
  if (apiRequest === null) return toResponse(unknownRoute().response);
  // The request continues after its caller aborts, because it may still take effect.
  const answered = parts.exchange.run(apiRequest).then((outcome) => {
    if (outcome.kind === "answered") return toResponse(outcome.response);
    return failWith(parts, outcome.fault);
  });
  return request.signal === null ? answered : untilAborted(answered, request.signal);
}

function readRequest(
  parts: Parts,
  request: Pick<Outgoing, "method" | "headers"> & { readonly url: URL | string },
  body: string,
): IncomingRequest | null {
  const url = typeof request.url === "string" ? new URL(request.url) : request.url;
  const { basePath } = parts;
  if (!`${url.pathname}/`.startsWith(`${basePath}/`)) return null;
  const path = url.pathname.slice(basePath.length).replace(/(?<!\/)\/+$/, "");
  return {
    method: request.method,
    path: path === "" ? "/" : path,
    query: url.searchParams,
    headers: request.headers,
    body,
    baseUrl: `${url.origin}${basePath}`,
  };
}

/** Resets a TCP connection; a connection on top of one, such as TLS, can only be closed. */
function breakOff(socket: Duplex): void {
  if (socket instanceof Socket) socket.resetAndDestroy();
  else socket.destroy();
}

function unknownRoute(): { readonly kind: "answered"; readonly response: ApiResponse } {
  const headers = { "content-type": "application/json; charset=utf-8" };
  return { kind: "answered", response: { status: 404, headers, body: '{"message":"Not Found"}' } };
}

function toResponse({ status, headers, body }: ApiResponse): Response {
  return new TextResponse(body, { status, headers });
}

function failWith(parts: Parts, fault: NetworkFault): Promise<Response> {
  if (fault === "refused") {
    return Promise.reject(fetchFailed("connect ECONNREFUSED 127.0.0.1:443", "ECONNREFUSED"));
  }
  if (fault === "reset") return Promise.reject(fetchFailed("read ECONNRESET", "ECONNRESET"));
  return new Promise((_resolve, reject) => {
    parts.clock.setTimer(parts.faults.headersTimeoutMs, () => {
      reject(fetchFailed("Headers Timeout Error", "UND_ERR_HEADERS_TIMEOUT"));
    });
  });
}

function fetchFailed(message: string, code: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) });
}

function untilAborted<T>(answered: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller that aborts chooses the reason, and fetch rejects with it unchanged
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    void answered.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}

/** As in browsers: 301 and 302 turn a POST into a GET; 307 and 308 keep method and body. */
function redirected(request: Outgoing, status: number, url: URL): Outgoing {
  const toGet = request.method === "POST" && (status === 301 || status === 302);
  const method = toGet || status === 303 ? "GET" : request.method;
  const headers = new Headers(request.headers);
  if (url.origin !== request.url.origin) headers.delete("authorization");
  const body = method === "GET" || method === "HEAD" ? "" : request.body;
  return { ...request, method, url, headers, body };
}

/** Sets the URL of a `Response`: clients read it, but a constructed response has none. */
function placed(response: Response, url: string, wasRedirected: boolean): Response {
  Object.defineProperty(response, "url", { value: url });
  Object.defineProperty(response, "redirected", { value: wasRedirected });
  return response;
}
