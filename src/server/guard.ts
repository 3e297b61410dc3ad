/**
 * What the API refuses by where a request comes from. Without a token only this machine has it, and only pages
 * of this server. `access.ts` has the ways in.
 *
 * 1. The peer's address decides, never a header: a client writes into `Host` as it likes.
 * 2. A request that a proxy passed on comes from elsewhere, whatever the proxy's own address is.
 * 3. A page elsewhere cannot reach the API through the user's browser, by name (DNS rebinding) or by form.
 * 4. Where nothing tells the peer, as in a handler that is mounted, a token or the app's own check is needed.
 */
import type { Caller } from "./caller.ts";
import { isLoopback } from "./caller.ts";
import { problem } from "./problem.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Headers by which proxies say that they pass a request on. */
const FORWARDED =
  /^(forwarded|via|x-forwarded-.*|x-real-ip|x-original-host|cf-connecting-ip|true-client-ip)$/;

/** Without a token: the refusal of a request that is not of this machine and its pages, or `null`. */
export function refuseElsewhere(request: Request, caller: Caller): Response | null {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return refuseFromElsewhere(request, host, caller) ?? refuseForeign(request, host);
}

function refuseFromElsewhere(request: Request, host: string, caller: Caller): Response | null {
  if (caller.peer === null) {
    return notLocal(
      "nothing tells from where the request came",
      "Open Tandem with `apiToken`, or with `authorize`: your app's own check of each API request.",
    );
  }
  const forwarded = [...request.headers.keys()].find((name) => FORWARDED.test(name));
  const cause = !isLoopback(caller)
    ? `was asked from ${caller.peer}`
    : forwarded !== undefined
      ? `was asked through a proxy (header ${forwarded})`
      : caller.isOldProxy
        ? "was asked by HTTP/1.0, as proxies do"
        : !LOOPBACK.test(host)
          ? `was asked as ${host}`
          : null;
  if (cause === null) return null;
  return notLocal(
    `without a token the API answers on this machine only, and ${cause}`,
    "Start the server with an API token (TANDEM_API_TOKEN) to reach it from elsewhere.",
  );
}

function notLocal(message: string, hint: string): Response {
  return problem(403, "not_local", message, hint);
}

/** For what an app's own check or a cookie lets pass: a page elsewhere must not act through a browser. */
export function refuseForeignPage(request: Request): Response | null {
  return refuseForeign(request, request.headers.get("host") ?? new URL(request.url).host);
}

function refuseForeign(request: Request, host: string): Response | null {
  const origin = request.headers.get("origin");
  // A sandboxed page's origin is the text "null": no URL, and foreign.
  const foreign = origin !== null && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (request.method === "GET" || !foreign) return null;
  return problem(
    403,
    "foreign_origin",
    `a page of ${origin} may not change anything here`,
    "Use the dashboard of this server, or the CLI.",
  );
}
