/**
 * Sixteen ways in which a provider, or something between it and us, says what it must not. One table, for
 * `fetch` in virtual time and for a real HTTP server (`test/chaos`).
 *
 * `from` says whether the request has taken effect at the provider: an answer to it is then spoilt on its way.
 */
import { gzipSync } from "node:zlib";

/** An answer that the provider never gave. */
export interface WrongAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: none. */
  readonly body: string | Iterable<Uint8Array> | null;
  /** How the body ends. Default: as it should. */
  readonly ending?: "breaks_off" | "never";
  /** A real network carries this body compressed; `fetch` hands it on decompressed. */
  readonly isCompressed?: boolean;
}

export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The API's address, without a slash at the end. */
  readonly baseUrl: string;
}

export interface Misbehaviour {
  readonly name: string;
  /** Whether the request reaches the provider first, so that a write takes effect. */
  readonly isApplied: boolean;
  /** @param given The provider's own text, where the request reached it. */
  readonly answer: (request: Request, given: string) => WrongAnswer;
}

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const HTML_TYPE = { "content-type": "text/html; charset=utf-8" };
const PAGE = "<!doctype html><title>Sign in to the network</title>";
const MEBIBYTE = 1024 * 1024;
/** More than is read of any answer. */
const HUGE = 48;

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  never("redirects to another repository", ({ path, baseUrl }) =>
    redirect(`${baseUrl}${path.replace(/^\/repositories\/\d+/, "/repositories/987654321")}`),
  ),
  never("redirects to itself", ({ path, baseUrl }) => redirect(`${baseUrl}${path}`)),
  never("redirects in an endless chain", ({ path, baseUrl }) =>
    redirect(`${baseUrl}${path}${path.includes("?") ? "&" : "?"}again=1`),
  ),
  never("redirects to another host", () => redirect("https://elsewhere.example/repositories/1")),
  never("answers in HTML", () => ({ status: 200, headers: HTML_TYPE, body: PAGE })),
  never("says not found in HTML", () => ({ status: 404, headers: HTML_TYPE, body: PAGE })),
  never("says unauthorized in HTML", () => ({ status: 401, headers: HTML_TYPE, body: PAGE })),
  never("says bad gateway in HTML", () => ({ status: 502, headers: HTML_TYPE, body: PAGE })),
  spoilt("truncates its JSON", (_, given) => ({
    ...fine(given.slice(0, Math.floor(given.length / 2))),
  })),
  spoilt("breaks off in the middle", (_, given) => ({
    ...fine(given.slice(0, Math.floor(given.length / 2))),
    ending: "breaks_off",
  })),
  spoilt("says that it failed, with status 200", () =>
    fine('{"message":"Server Error","documentation_url":"https://docs.example"}'),
  ),
  spoilt("leaves fields out", (_, given) => fine(given.replaceAll('"updated_at"', '"updated"'))),
  spoilt("answers without content", () => ({ status: 204, headers: {}, body: null })),
  spoilt("never ends its answer", (_, given) => ({ ...fine(given.slice(0, -1)), ending: "never" })),
  spoilt("answers with a gzip that is huge once unpacked", () => ({
    ...fine(hugeText()),
    isCompressed: true,
  })),
  spoilt("says of every page that there is another", ({ path, baseUrl }, given) => ({
    ...fine(given),
    // The header means nothing for an object; a list's pages never end.
    headers: { ...JSON_TYPE, link: `<${baseUrl}${path}>; rel="next"` },
  })),
];

/**
 * As `fetch` sees it.
 *
 * @param onSilence Called where nothing more comes of an answer that never ends; `signal` then ends it.
 */
export function asResponse(
  { status, headers, body, ending }: WrongAnswer,
  signal: AbortSignal | null,
  onSilence: () => void,
): Response {
  if (body === null) return new Response(null, { status, headers });
  const chunks = typeof body === "string" ? [new TextEncoder().encode(body)] : body;
  const rest = chunks[Symbol.iterator]();
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      signal?.addEventListener("abort", () => {
        controller.error(signal.reason);
      });
    },
    pull(controller) {
      const next = rest.next();
      if (next.done !== true) controller.enqueue(next.value);
      else if (ending === "breaks_off") controller.error(new TypeError("terminated"));
      else if (ending === undefined) controller.close();
      else onSilence();
    },
  });
  return new Response(stream, { status, headers });
}

/** As it lies on a wire. */
export function onTheWire({ headers, body, isCompressed }: WrongAnswer): {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array | null;
} {
  if (body === null) return { headers, bytes: null };
  const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.concat([...body]);
  if (isCompressed !== true) return { headers, bytes };
  return { headers: { ...headers, "content-encoding": "gzip" }, bytes: gzipSync(bytes) };
}

function never(name: string, answer: Misbehaviour["answer"]): Misbehaviour {
  return { name, isApplied: false, answer };
}

function spoilt(name: string, answer: Misbehaviour["answer"]): Misbehaviour {
  return { name, isApplied: true, answer };
}

function fine(body: WrongAnswer["body"]): WrongAnswer {
  return { status: 200, headers: JSON_TYPE, body };
}

function redirect(location: string): WrongAnswer {
  const body = '{"message":"Moved Permanently"}';
  return { status: 301, headers: { ...JSON_TYPE, location }, body };
}

/** A JSON text that is valid to its end, where somebody reads so far. */
function* hugeText(): Generator<Uint8Array> {
  const blank = new Uint8Array(MEBIBYTE).fill(0x20);
  for (let count = 0; count < HUGE; count += 1) yield blank;
  yield new TextEncoder().encode("[]");
}
