/**
 * Who may use the API. Without a token only this machine may, and only pages of this server: a
 * page elsewhere cannot reach it through the user's browser, by name (DNS rebinding) or by form.
 */
import { problem } from "./problem.ts";
import { hasSession, sameSecret } from "./session.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** The refusal, or `null` where the request may pass. */
export function guard(request: Request, token: string | null): Response | null {
  const url = new URL(request.url);
  const host = request.headers.get("host") ?? url.host;
  if (token !== null) {
    const given = request.headers.get("authorization")?.replace(/^Bearer\s+/i, "") ?? "";
    if (sameSecret(given, token)) return null;
    // A browser sends the cookie by itself, so it must be a page of ours that asks.
    if (hasSession(request, token)) return refuseForeign(request, host);
    return problem(
      401,
      "no_token",
      "this API needs its token",
      "Send it as `Authorization: Bearer ...`, or log in at the dashboard; it is what the server was started with.",
    );
  }
  if (!LOOPBACK.test(host)) {
    return problem(
      403,
      "not_local",
      `the API answers on this machine only, and was asked as ${host}`,
      "Start the server with an API token (TANDEM_API_TOKEN) to reach it from elsewhere.",
    );
  }
  return refuseForeign(request, host);
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
