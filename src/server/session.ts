/**
 * The dashboard's login. A page cannot send a header with its event stream, so it trades the API's
 * token for a cookie once. The cookie is made of the token: another token ends every session, and
 * nothing is stored.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { problem } from "./problem.ts";
import { readBody } from "./read-body.ts";

const COOKIE = "tandem_session";
/** In seconds: a month. */
const MAX_AGE = 30 * 24 * 3_600;

const shape = z.object({ token: z.string() });

/** Who is not known yet may not fill the memory. */
const LARGEST_LOGIN_BYTES = 4_096;

/** `POST /api/login` with `{ "token": "..." }`: 204 and the cookie, or 401. */
export async function login(request: Request, token: string): Promise<Response> {
  const given = shape.safeParse(jsonOf(await readBody(request, LARGEST_LOGIN_BYTES)));
  if (!given.success || !sameSecret(given.data.token, token)) {
    return problem(
      401,
      "wrong_token",
      "that is not this server's token",
      "It is the value of TANDEM_API_TOKEN where the server was started.",
    );
  }
  const attributes = [
    `${COOKIE}=${sessionOf(token)}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Strict",
    `Max-Age=${String(MAX_AGE)}`,
    ...(isSecure(request) ? ["Secure"] : []),
  ];
  return new Response(null, { status: 204, headers: { "set-cookie": attributes.join("; ") } });
}

function jsonOf(body: Uint8Array | null): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body ?? new Uint8Array()));
  } catch {
    return null;
  }
}

/** Whether the request carries the cookie of this token. */
export function hasSession(request: Request, token: string): boolean {
  const cookies = request.headers.get("cookie")?.split(/;\s*/) ?? [];
  const session = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`));
  return session !== undefined && sameSecret(session.slice(COOKIE.length + 1), sessionOf(token));
}

/** Compares without telling by its time how much of it was right. */
export function sameSecret(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

function sessionOf(token: string): string {
  return createHmac("sha256", token).update("tandem dashboard session").digest("base64url");
}

/** Behind a proxy that ends TLS, its header says so. */
function isSecure(request: Request): boolean {
  const forwarded = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim();
  return (forwarded ?? new URL(request.url).protocol.replace(":", "")) === "https";
}
