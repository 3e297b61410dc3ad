/** The client of a request, as the HTTP server reports it. */
export interface Caller {
  /** The client's address; `null` if unknown, as in a handler that is mounted in another app. */
  readonly peer: string | null;
  /** Whether the client used HTTP/1.0, as nginx does by default towards its upstream. */
  readonly isOldProxy: boolean;
}

const LOOPBACK_PEER = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/i;

/**
 * Reads what Node's HTTP servers pass beside the request, in the form of `@hono/node-server`:
 * `serve({ fetch: tandem.fetch })` passes it automatically, a Hono app as its `context.env`.
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

/** Bindings for a request that this process itself makes, for example for the command line. */
export function calledFrom(origin: string): object {
  return { incoming: { socket: { remoteAddress: origin } } };
}

/** The part of an address that a provider assigns to one customer: all of IPv4, the first half of IPv6. */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address.replace(/^.*:/, "");
  const [head = "", tail = ""] = address.toLowerCase().split("::");
  const [before, after] = [head, tail].map((part) => part.split(":").filter((one) => one !== ""));
  const zeros = Array<string>(Math.max(0, 8 - (before?.length ?? 0) - (after?.length ?? 0)));
  return [...(before ?? []), ...zeros.fill("0"), ...(after ?? [])].slice(0, 4).join(":");
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The authenticated caller, and its address. */
export interface Entry {
  readonly actor: string;
  readonly origin: string;
  /** The id of the login's session; `null` without a login. */
  readonly session: string | null;
}
