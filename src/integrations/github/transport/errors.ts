/**
 * The meaning of a failed request, decided by status, headers and error codes, never by text.
 *
 * | failure | kind | applied (writes) |
 * | --- | --- | --- |
 * | connection refused, name not resolved | retryable | no |
 * | time-out, reset, response cut off, 5xx, 408 | retryable | unknown |
 * | 429; 403 with `retry-after` or nothing remaining | rate_limited | no |
 * | a redirect to another issue of the same API | moved | no |
 * | any other redirect | retryable | no |
 * | a refusal whose body is no JSON object | retryable | no |
 * | 401 | credentials | no |
 * | 404, 410 | not_found, gone | no |
 * | every other refusal | permanent | no |
 *
 * A read is never applied. Refusals by a proxy or a failing server are never permanent: GitHub's own
 * refusals are JSON, so a 404 in HTML must not delete a record, nor a foreign redirect end a pairing.
 */
import { type Instant, instantFromMillis, MILLISECOND } from "../../../model/instant.ts";
import type { Place } from "../../../model/observation.ts";
import { IntegrationError, type IntegrationErrorKind } from "../../integration.ts";
import { ANSWER_LIMIT, isTooLarge } from "./bounded-answer.ts";

/** The facts about a request that its failure needs. */
export interface RequestFacts {
  readonly method: string;
  /** Path and query, for people. */
  readonly path: string;
}

/** A response that reports a failure. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  /** The base address of the API. */
  readonly baseUrl: string;
  /** Our time when the response arrived, and the lead of GitHub's clock over ours, in microseconds. */
  readonly now: Instant;
  readonly clockOffset: number;
}

type Applied = IntegrationError["applied"];

interface Meaning {
  readonly kind: IntegrationErrorKind;
  readonly code: string;
  readonly hint: string;
  readonly applied: Applied;
}

/** The pause that GitHub's documentation asks for if a response does not say how long to wait: a minute. */
const DEFAULT_PAUSE_MS = 60_000;
const SHORTEST_PAUSE_MS = 1_000;
/** GitHub's rate limits reset every hour: if a response names a later time, ask again after an hour. */
const LONGEST_PAUSE_MS = 60 * 60_000;
/** Instants are whole microseconds below 2^53; a header beyond that is not a time. */
export const LAST_SECOND = Date.UTC(2200, 0) / 1000;

/** Error codes of Node and undici that mean the request was never sent. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The error for a response whose status refuses the request. */
export function refusalError(request: RequestFacts, refusal: Refusal): IntegrationError {
  const { status, headers, body } = refusal;
  const move = readMove(request.path, refusal);
  const { kind, code, hint, applied } = meaningOf(refusal, move);
  return new IntegrationError({
    kind,
    code,
    hint,
    applied: isWrite(request) ? applied : "no",
    message: `GitHub answered ${String(status)} to ${describe(request)}${toward(headers.location)}${quote(body)}.`,
    status,
    requestId: headers["x-github-request-id"] ?? null,
    retryAfterMs: kind === "rate_limited" ? pauseMillis(refusal) : null,
    moved: kind === "moved" ? move : null,
  });
}

/** The error for a request without a response, or with only a part of one. */
export function networkError(
  request: RequestFacts,
  cause: unknown,
  ended: "not_sent" | "timed_out" | "aborted" | "failed",
): IntegrationError {
  const sent = ended !== "not_sent" && !neverSent(cause);
  const unknown: Applied = sent && isWrite(request) ? "unknown" : "no";
  const error = (code: string, what: string, hint: string): IntegrationError =>
    new IntegrationError({
      kind: "retryable",
      code,
      message: `${describe(request)} ${what}.`,
      hint,
      applied: unknown,
      cause,
    });
  if (ended === "aborted" || ended === "not_sent") {
    return error(
      "aborted",
      "was given up",
      "Tandem was stopping. It retries the request after its next start.",
    );
  }
  if (ended === "timed_out") {
    return error(
      "timed_out",
      "got no answer in time",
      "Tandem retries it. If this continues, look at www.githubstatus.com or raise timeoutMs.",
    );
  }
  if (isTooLarge(cause)) {
    return error(
      "answer_too_large",
      `got an answer of more than ${String(ANSWER_LIMIT / 1024 / 1024)} MiB`,
      "The answer was discarded, and Tandem retries the request. If this continues, check baseUrl and any proxy.",
    );
  }
  if (!sent) {
    return error(
      "unreachable",
      "found no connection to GitHub",
      "Tandem retries it. If this continues, check the network, the proxy and baseUrl.",
    );
  }
  return error(
    "connection_lost",
    "lost its connection",
    "Tandem retries it. If this continues, check the network and www.githubstatus.com.",
  );
}

/** A success whose content does not have the route's shape. If it was a write, it probably took effect. */
export function malformedAnswer(
  request: RequestFacts,
  details: {
    readonly problem: string;
    readonly status: number;
    readonly requestId: string | null;
    readonly cause?: unknown;
  },
): IntegrationError {
  return new IntegrationError({
    kind: "retryable",
    code: "malformed_answer",
    message: `GitHub's answer to ${describe(request)} makes no sense: ${details.problem}.`,
    hint: "Tandem retries the request. If this continues, check baseUrl and any proxy; GitHub's format may have changed.",
    applied: isWrite(request) ? "unknown" : "no",
    status: details.status,
    requestId: details.requestId,
    cause: details.cause,
  });
}

/** A redirect that cannot be right, so the resource does not count as moved. */
export function misled(cause: IntegrationError): IntegrationError {
  const { message, status, requestId } = cause;
  return new IntegrationError({ ...MISLED, message, status, requestId, cause });
}

/** The same error, with the addresses to which the resource was moved on. `null`: the redirect leads to nothing. */
export function movedFurther(
  error: IntegrationError,
  further: readonly Place[] | null,
): IntegrationError {
  if (further === null) return misled(error);
  const { moved, kind, code, hint, message, applied, status, requestId } = error;
  if (moved === null || further.length === 0) return error;
  const onward = { ...moved, further };
  const details = { kind, code, hint, message, applied, status, requestId };
  return new IntegrationError({ ...details, moved: onward, cause: error });
}

/** Pages that form a circle, or do not end. */
export function endlessPages(
  { request, status }: { readonly request: RequestFacts; readonly status: number },
  pages: number,
): IntegrationError {
  return new IntegrationError({
    kind: "retryable",
    code: "endless_pages",
    message: `GitHub's pages behind ${describe(request)} do not end: ${String(pages)} were read.`,
    hint: "Tandem retries the listing. If this continues, check baseUrl and any proxy.",
    applied: "no",
    status,
  });
}

/** An address in a response points outside the API to which the account's credentials may be sent. */
export function foreignAddress(baseUrl: string, address: string | undefined): IntegrationError {
  return new IntegrationError({
    kind: "retryable",
    code: "foreign_address",
    message: `GitHub's answer leads away from ${baseUrl}, to ${address ?? "nowhere"}.`,
    hint: "Tandem sent nothing there, and retries the request. Check baseUrl, and look for a proxy that alters answers.",
    applied: "no",
  });
}

/** A request to the adapter that GitHub cannot fulfil, or that contradicts itself. */
export function impossible(code: string, message: string, hint: string): IntegrationError {
  return new IntegrationError({ kind: "permanent", code, message, hint, applied: "no" });
}

/** Credentials that cannot work, as found before any request or by the request for a token. */
export function credentialsError(
  code: string,
  message: string,
  hint: string,
  cause?: IntegrationError,
): IntegrationError {
  return new IntegrationError({
    kind: "credentials",
    code,
    message,
    hint,
    applied: "no",
    status: cause?.status ?? null,
    requestId: cause?.requestId ?? null,
    cause,
  });
}

function meaningOf(refusal: Refusal, move: IntegrationError["moved"]): Meaning {
  const { status } = refusal;
  if (status === 429 || (status === 403 && hasRateLimitHeaders(refusal))) {
    return meaning("rate_limited", "rate_limited", "The account pauses until GitHub allows more.");
  }
  if (status >= 300 && status < 400) return move === null ? MISLED : MOVED;
  if (status < 500 && (typeof refusal.body !== "object" || refusal.body === null))
    return NOT_GITHUB;
  const known = MEANINGS.get(status);
  if (known !== undefined) return known;
  if (status >= 500) {
    return meaning(
      "retryable",
      "server_error",
      "Tandem retries the request. If this continues, look at www.githubstatus.com.",
      "unknown",
    );
  }
  return meaning(
    "permanent",
    "refused",
    "Read GitHub's message and correct the cause; Tandem does not retry the request automatically.",
  );
}

function meaning(
  kind: IntegrationErrorKind,
  code: string,
  hint: string,
  applied: Applied = "no",
): Meaning {
  return { kind, code, hint, applied };
}

const MOVED = meaning(
  "moved",
  "moved",
  "It was transferred to another repository; connect that one to follow it.",
);

const MISLED = meaning(
  "retryable",
  "unexpected_redirect",
  "Tandem sent nothing there, and retries the request. If this continues, check baseUrl, and look for a proxy that redirects.",
);

const NOT_GITHUB = meaning(
  "retryable",
  "not_from_github",
  "GitHub refuses in JSON, so a server between Tandem and GitHub sent this answer. Tandem retries the request; check baseUrl and any proxy.",
);

const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [
    401,
    meaning(
      "credentials",
      "bad_credentials",
      "Give the account a valid token, or check the App's id, private key and this machine's clock.",
    ),
  ],
  [
    403,
    meaning(
      "permanent",
      "forbidden",
      "Check that the token or App may read and write issues of this repository, and that neither repository nor conversation is locked.",
    ),
  ],
  [404, meaning("not_found", "not_found", "It was deleted, or the account has lost access to it.")],
  [408, meaning("retryable", "timed_out", "Tandem retries the request.", "unknown")],
  [410, meaning("gone", "gone", "It was deleted at GitHub.")],
  [
    422,
    meaning(
      "permanent",
      "validation_failed",
      "Correct the record's value that GitHub names; the change is then sent again.",
    ),
  ],
]);

/**
 * A transferred issue redirects to its new address, by the repository's number. Addresses below it redirect
 * too, or answer 404. Returns `null` if a redirect does not lead to another issue of the same API.
 */
function readMove(path: string, { headers, baseUrl }: Refusal): IntegrationError["moved"] {
  const { location = "" } = headers;
  const base = `${baseUrl}/`;
  if (!URL.canParse(location, base)) return null;
  const { href } = new URL(location, base);
  const root = new URL(base).href;
  const [, number] = /\/issues\/(\d+)(?:\/|\?|$)/.exec(path) ?? [];
  const [, containerId, externalId] = href.startsWith(root)
    ? (/^repositories\/(\d+)\/issues\/(\d+)(?:\/|\?|$)/.exec(href.slice(root.length)) ?? [])
    : [];
  if (number === undefined || containerId === undefined || externalId === undefined) return null;
  const isHere = path.startsWith(`/repositories/${containerId}/issues/`) && number === externalId;
  return isHere
    ? null
    : { ref: { type: "issue", externalId: number }, to: { containerId, externalId } };
}

function hasRateLimitHeaders({ headers }: Refusal): boolean {
  return headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0";
}

/** A duration, not a time: the database's clock, by which accounts pause, may differ from ours by hours. */
function pauseMillis({ headers, now, clockOffset }: Refusal): number {
  const seconds = wholeNumber(headers["retry-after"]);
  if (seconds !== null) return Math.min(seconds * 1000, LONGEST_PAUSE_MS);
  const reset = instantOfSeconds(headers["x-ratelimit-reset"]);
  if (reset === null || headers["x-ratelimit-remaining"] !== "0") return DEFAULT_PAUSE_MS;
  const left = Math.ceil((reset - clockOffset - now) / MILLISECOND);
  return Math.min(Math.max(left, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
}

/** A header's time in seconds; `null` if it is none, or is beyond the year 2200. */
export function instantOfSeconds(text: string | undefined): Instant | null {
  const seconds = wholeNumber(text);
  return seconds === null || seconds > LAST_SECOND ? null : instantFromMillis(seconds * 1000);
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/** Follows the chain of causes. A connection that was tried on several addresses fails with several errors. */
function neverSent(cause: unknown): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if ("code" in error && typeof error.code === "string" && NEVER_SENT.has(error.code))
      return true;
    if (error instanceof AggregateError && error.errors.length > 0) {
      return error.errors.every(neverSent);
    }
  }
  return false;
}

function isWrite(request: RequestFacts): boolean {
  return request.method !== "GET";
}

function describe({ method, path }: RequestFacts): string {
  return `${method} ${path}`;
}

function toward(location: string | undefined): string {
  return location === undefined ? "" : ` with a redirect to ${location}`;
}

/** GitHub's own message and field errors, for people. */
function quote(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  const message = "message" in body && typeof body.message === "string" ? body.message : "";
  const errors = "errors" in body && Array.isArray(body.errors) ? body.errors.map(quoteError) : [];
  const detail = errors.length === 0 ? "" : ` (${errors.join("; ")})`;
  return message === "" && detail === "" ? "" : `: ${message.replace(/\.$/, "")}${detail}`;
}

function quoteError(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return JSON.stringify(error);
  const parts = ["field", "code", "message", "value"].flatMap((key) => {
    const part: unknown = Reflect.get(error, key);
    return typeof part === "string" ? [part] : [];
  });
  return parts.join(" ");
}
