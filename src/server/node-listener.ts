/** The handler as a request listener of Node, so that Express, Fastify and Node's own server can mount it. */
import type { IncomingMessage, RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { RequestHandler } from "./handler.ts";
import { problem } from "./protocol/index.ts";

/** A request of Node, with fields that frameworks add. */
interface Incoming extends Pick<IncomingMessage, "method" | "readableDidRead"> {
  /** Express: the path as it was requested. It removes the prefix of a mounted listener from `url`. */
  readonly originalUrl?: unknown;
  /** The bytes of a body that was read before: Google Cloud Functions keep them here. */
  readonly rawBody?: unknown;
}

/** Turns the handler into a request listener. The path is the requested one, whatever a framework made of it. */
export function nodeListener(fetch: RequestHandler): RequestListener {
  const listener = getRequestListener(
    (request, bindings) =>
      isBodyRead(bindings.incoming) ? bodyAlreadyRead() : fetch(request, bindings),
    // The app's own `Request` and `Response` stay as they are.
    { overrideGlobalObjects: false },
  );
  return (incoming: IncomingMessage & Incoming, outgoing) => {
    if (typeof incoming.originalUrl === "string") incoming.url = incoming.originalUrl;
    void listener(incoming, outgoing);
  };
}

/** Whether the app read the body and kept none of its bytes. A signature is over the bytes, so JSON is not enough. */
function isBodyRead({ method, readableDidRead, rawBody }: Incoming): boolean {
  if (method === "GET" || method === "HEAD") return false;
  return readableDidRead && !Buffer.isBuffer(rawBody);
}

function bodyAlreadyRead(): Response {
  return problem(
    500,
    "body_already_read",
    "the app read the body of this request before Tandem",
    "Mount Tandem before body parsers such as `express.json()`: a webhook's signature is over the bytes of its body.",
  );
}
