/** The other end of a request's connection, as far as the server that took it tells. */

export interface Caller {
  /** Its address; `null` where nothing tells, as in a handler that is mounted in another app. */
  readonly peer: string | null;
  /** Whether it spoke HTTP/1.0, as nginx does to what is behind it unless told otherwise. */
  readonly isOldProxy: boolean;
}

const LOOPBACK_PEER = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/i;

/**
 * Reads what Node's HTTP servers pass on beside the request, in the form of `@hono/node-server`:
 * `serve({ fetch: tandem.fetch })` hands it over by itself, an app of Hono as its `context.env`.
 */
export function callerOf(bindings: unknown): Caller {
  const incoming = fieldOf(bindings, "incoming");
  const address = fieldOf(fieldOf(incoming, "socket"), "remoteAddress");
  return {
    peer: typeof address === "string" ? address : null,
    isOldProxy: fieldOf(incoming, "httpVersion") === "1.0",
  };
}

export function isLoopback({ peer }: Caller): boolean {
  return peer !== null && LOOPBACK_PEER.test(peer);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
