/**
 * The API with ids, queries, methods and bodies as no client should send them: what is malformed is refused with its
 * cause and remedy, and nothing is answered with 500 or above.
 */
import fc from "fast-check";
import { expand, ODD_TEXTS, oddText } from "./junk.ts";
import { type FuzzDatabase, type FuzzSite, openFuzzSite } from "./site.ts";
import { type FuzzTarget, fuzzTarget, must } from "./target.ts";

interface OddCall {
  readonly method: string;
  readonly path: string;
  readonly body: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

const COLLECTIONS = [
  ...["events", "connections", "records", "runs", "explain", "status", "stream", "sync", "login"],
  ...["backfills", "instance", "reconcile", "audit", "sessions", "logout", ""],
];
const VERBS = [
  ...[
    "restart",
    "cancel",
    "pause",
    "enable",
    "reconcile",
    "backfill",
    "approve",
    "reject",
    "revoke",
  ],
];
const PARAMETERS = ["state", "direction", "record", "connection", "before", "limit", "dry_run"];
const VALUES = ["errored", "inbound", "tasks:1", "1", "true", "500", "tasks:", ":1"];

const id = fc.oneof(
  fc.constantFrom(
    "1",
    "99",
    "0196ffff-0000-7000-8000-000000000001",
    "tasks",
    "comments",
    "-1",
    "1.0",
  ),
  fc.constantFrom(
    "999999999999999999",
    "9223372036854775807",
    "00",
    "%00",
    "%E0%A4%A",
    "..",
    "%2e%2e",
    "%2F",
  ),
  oddText.map((text) => encodeURIComponent(expand(text).slice(0, 5_000).toWellFormed())),
);
const segments = fc.tuple(
  fc.constantFrom(...COLLECTIONS),
  fc.array(
    fc.oneof({ weight: 2, arbitrary: id }, { weight: 1, arbitrary: fc.constantFrom(...VERBS) }),
    { maxLength: 3 },
  ),
);
const pair = fc.tuple(
  fc.oneof(fc.constantFrom(...PARAMETERS), fc.constantFrom(...ODD_TEXTS)),
  fc.oneof(fc.constantFrom(...VALUES), fc.constantFrom(...ODD_TEXTS)),
);

const calls: fc.Arbitrary<OddCall> = fc.record({
  method: fc.constantFrom(
    "GET",
    "GET",
    "POST",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "HEAD",
    "OPTIONS",
  ),
  path: fc
    .tuple(segments, fc.array(pair, { maxLength: 3 }))
    .map(([[collection, rest], query]) => {
      const asked = query.map(([name, value]) => `${text(name)}=${text(value)}`).join("&");
      return `/api/${[collection, ...rest].join("/")}${asked === "" ? "" : `?${asked}`}`;
    })
    .filter((path) => isOfApi(path)),
  body: fc.oneof(
    fc.constant(null),
    fc.constantFrom("{", "null", '{"token":1}', "[]"),
    oddText.map(expand),
  ),
  headers: fc.array(
    fc.constantFrom(
      ["content-type", "text/plain"] as const,
      ["content-encoding", "gzip"] as const,
      ["accept", "text/event-stream"] as const,
      ["authorization", "Bearer x"] as const,
      ["cookie", "tandem_session=x; tandem_session=y; ="] as const,
      ["origin", "https://elsewhere.example"] as const,
      ["sec-fetch-site", "cross-site"] as const,
      ["range", "bytes=0-1,5-"] as const,
      ["if-none-match", "*"] as const,
      ["x-forwarded-for", "unknown"] as const,
    ),
    { maxLength: 3 },
  ),
});

export const apiInMemory = api("memory", 0.09);
export const apiOnPglite = api("pglite", 0.02);

function api(database: FuzzDatabase, share: number): FuzzTarget {
  return fuzzTarget({
    name: `api, ${database}`,
    share,
    inputs: calls,
    async open() {
      const site = await openFuzzSite(database, false);
      return { check: (call) => check(site, call), close: () => site.close() };
    },
  });
}

async function check({ test }: FuzzSite, { method, path, body, headers }: OddCall): Promise<void> {
  const hasBody = body !== null && method !== "GET" && method !== "HEAD";
  const leaving = new AbortController();
  const request = new Request(`http://localhost${path}`, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    signal: leaving.signal,
    ...(hasBody ? { body } : {}),
  });
  const response = await test.tandem.fetch(request);
  const { status } = response;
  if (response.headers.get("content-type")?.startsWith("text/event-stream") === true) {
    await response.body?.cancel();
    leaving.abort();
    return;
  }
  const said = await response.text();
  must(status < 500, () => `answered ${String(status)}: ${said}`);
  if (status < 400 || method === "HEAD") return;
  const { error } = JSON.parse(said) as { error?: Record<string, unknown> };
  for (const part of ["code", "message", "hint"]) {
    const word = error?.[part];
    must(
      typeof word === "string" && word !== "",
      () => `${String(status)} without ${part}: ${said}`,
    );
  }
}

function text(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

/** Dots in a path may lead out of the API, to the dashboard's files. */
function isOfApi(path: string): boolean {
  const base = "http://localhost";
  return URL.canParse(path, base) && new URL(path, base).pathname.startsWith("/api/");
}
