/**
 * Refusals by a request's origin. Without a token only this machine may use the API, and only pages of this
 * server. `access.ts` decides about tokens and logins.
 *
 * 1. The peer's address decides, never a header: a client writes any text into `Host`.
 * 2. A request with a proxy's headers counts as remote, even if the proxy's own address is local.
 * 3. A page of another origin cannot reach the API through the user's browser, by name (DNS rebinding) or by form.
 * 4. In a handler that is mounted in another app the peer is unknown: it needs a token or the app's own check.
 */
import type { Caller } from "./caller.ts";
import { isLoopback } from "./caller.ts";
import { problem } from "../protocol/index.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Headers that proxies add to the requests that they forward. */
const FORWARDED =
  /^(forwarded|via|x-forwarded-.*|x-real-ip|x-original-host|cf-connecting-ip|true-client-ip)$/;

/** Without a token: the refusal of a request that does not come from this machine and its pages, or `null`. */
export function refuseElsewhere(request: Request, caller: Caller): Response | null {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return refuseFromElsewhere(request, host, caller) ?? refuseForeign(request, host);
}

function refuseFromElsewhere(request: Request, host: string, caller: Caller): Response | null {
  if (caller.peer === null) {
    return notLocal(
      "the origin of the request is unknown",
      "Open Tandem with `apiToken`, or with `authorize`: your app's own check of each API request.",
    );
  }
  const forwarded = [...request.headers.keys()].find((name) => FORWARDED.test(name));
  const cause = !isLoopback(caller)
    ? `the request came from ${caller.peer}`
    : forwarded !== undefined
      ? `the request came through a proxy (header ${forwarded})`
      : caller.isOldProxy
        ? "the request used HTTP/1.0, as proxies do"
        : !LOOPBACK.test(host)
          ? `the request named the host ${host}`
          : null;
  if (cause === null) return null;
  return notLocal(
    `without a token the API answers on this machine only, and ${cause}`,
    "Start the server with an API token (TANDEM_API_TOKEN) to allow requests from other machines.",
  );
}

function notLocal(message: string, hint: string): Response {
  return problem(403, "not_local", message, hint);
}

/** Refuses pages of other origins: they must not use the browser's cookie or the app's own login. */
export function refuseForeignPage(request: Request): Response | null {
  return refuseForeign(request, request.headers.get("host") ?? new URL(request.url).host);
}

function refuseForeign(request: Request, host: string): Response | null {
  const origin = request.headers.get("origin");
  // The origin of a sandboxed page is the text "null": no URL, and foreign.
  const foreign = origin !== null && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (request.method === "GET" || !foreign) return null;
  return problem(
    403,
    "foreign_origin",
    `a page of ${origin} may not use this API`,
    "Use the dashboard of this server, or the CLI.",
  );
}
