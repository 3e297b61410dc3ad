/**
 * The cookie of a dashboard's login. A page cannot send a header with its event stream, so it exchanges the
 * API's token for a cookie once.
 *
 * 1. The cookie's value is random. The database stores its digest, so every server knows the session, and a
 *    reader of the table cannot log in with it.
 * 2. The row also stores a digest of the token, keyed with the cookie's value. So another token ends the
 *    session, and a reader of the table cannot test tokens against it.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { SESSION_AGE_MS } from "../../store/sessions.ts";

const COOKIE = "tandem_session";
const VALUE_BYTES = 32;
/** Characters of a session's id: half of a SHA-256, which still cannot be guessed or made to collide. */
const ID_LENGTH = 32;

export interface Cookie {
  readonly value: string;
  /** The session's id in the database. */
  readonly id: string;
}

export function newCookie(): Cookie {
  return cookieFrom(randomBytes(VALUE_BYTES).toString("base64url"));
}

/** The session's cookie that a request carries, if any. */
export function cookieOf(request: Request): Cookie | null {
  const cookies = request.headers.get("cookie")?.split(/;\s*/) ?? [];
  const found = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`));
  return found === undefined ? null : cookieFrom(found.slice(COOKIE.length + 1));
}

function cookieFrom(value: string): Cookie {
  const id = createHash("sha256").update(value).digest("hex").slice(0, ID_LENGTH);
  return { value, id };
}

export function tokenDigest({ value }: Cookie, token: string): string {
  return createHmac("sha256", value).update(token).digest("base64url");
}

/** The `Set-Cookie` header that sets a cookie or, without one, removes it. */
export function setCookie(request: Request, cookie: Cookie | null): string {
  const maxAge = cookie === null ? 0 : SESSION_AGE_MS / 1_000;
  return [
    `${COOKIE}=${cookie?.value ?? ""}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Strict",
    `Max-Age=${String(maxAge)}`,
    ...(isSecure(request) ? ["Secure"] : []),
  ].join("; ");
}

/** Compares in constant time, so that the duration does not reveal how much was right. */
export function sameSecret(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

/** A proxy that terminates TLS says so in its header. */
function isSecure(request: Request): boolean {
  const forwarded = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim();
  return (forwarded ?? new URL(request.url).protocol.replace(":", "")) === "https";
}
