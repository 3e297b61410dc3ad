/**
 * The path below which an app mounts Tandem.
 *
 * 1. The configuration alone names it, never a header: a client writes any text into `X-Forwarded-Prefix` or `Host`.
 * 2. Segments need no percent-encoding, so a request's raw path is compared as text.
 * 3. The page's addresses are relative, so no response contains the base path.
 */
import { getPath } from "hono/utils/url";
import { ConfigError } from "../config.ts";
import { problem } from "./protocol/index.ts";

const SEGMENTS = /^(\/[A-Za-z0-9._~-]+)+$/;
const DOTS = /\/\.{1,2}(\/|$)/;

/**
 * The base path as the router needs it: empty for the root, otherwise without a slash at its end.
 *
 * @throws ConfigError
 */
export function parseBasePath(given = "/"): string {
  const path = given.replace(/\/$/, "");
  if (given !== "" && (path === "" || (SEGMENTS.test(path) && !DOTS.test(path)))) return path;
  throw new ConfigError(
    "bad_base_path",
    "basePath",
    `${JSON.stringify(given)} is no path of a URL`,
    'Write the path as in "/ops/tandem": a slash, then segments of letters, digits, "-", ".", "_" or "~". Leave out host, query and "..".',
  );
}

/** Reads the path that routes see: the request's path below the base path. */
export function pathBelow(basePath: string): (request: Request) => string {
  return (request) => getPath(request).slice(basePath.length);
}

/** The response to a request outside of the base path or without its last slash; `null` for any other request. */
export function answerOutside(request: Request, basePath: string): Response | null {
  const { pathname, search } = new URL(request.url);
  if (pathname.startsWith(`${basePath}/`)) return null;
  if (pathname === basePath && (request.method === "GET" || request.method === "HEAD")) {
    // Relative addresses of the page need the slash. The address is relative, so no header can lead it elsewhere.
    const location = `./${basePath.slice(basePath.lastIndexOf("/") + 1)}/${search}`;
    return new Response(null, { status: 308, headers: { location, "cache-control": "no-store" } });
  }
  return problem(
    404,
    "outside_base_path",
    `${pathname} is outside of ${basePath}/, where Tandem is mounted`,
    `Start at ${basePath}/. If a framework or a proxy removes the prefix from the path, leave out \`basePath\`.`,
  );
}
