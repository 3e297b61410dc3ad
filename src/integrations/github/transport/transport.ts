/**
 * One request to GitHub and its response: time-outs, telemetry, and classified errors.
 *
 * 1. A request is sent once. This file never retries, waits or follows a redirect.
 * 2. The headers of every response are reported, including failed ones.
 * 3. Responses are parsed by `parseExactly`, so ids beyond 2^53 survive.
 */
import { request as octokitRequest } from "@octokit/request";
import { z } from "zod";
import type { Clock } from "../../../model/clock.ts";
import type { Json } from "../../../model/content.ts";
import {
  type Instant,
  instantFromMicros,
  instantFromMillis,
  SECOND,
} from "../../../model/instant.ts";
import type { Telemetry } from "../../integration.ts";
import { boundedAnswer } from "./bounded-answer.ts";
import {
  instantOfSeconds,
  LAST_SECOND,
  malformedAnswer,
  networkError,
  refusalError,
  type RequestFacts,
} from "./errors.ts";
import { parseExactly } from "./exact-json.ts";
import { firstProblem } from "./payload.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** A path below the base address, or an absolute URL of the same origin. */
  readonly url: string;
  readonly authorization: string;
  readonly body?: Readonly<Record<string, Json>> | undefined;
  readonly ifNoneMatch?: string | null | undefined;
  /** Whether to return a redirect as an answer. Default: it is an error of kind `moved`. */
  readonly redirectAnswers?: boolean;
  /** Whether the App itself asks, with a rate limit of its own. Default: the account asks. */
  readonly asApp?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A success, or a 304 or redirect that the request allows. */
export interface Answer {
  readonly request: RequestFacts;
  readonly status: number;
  /** Names are in lower case. */
  readonly headers: HeaderTable;
  readonly text: string;
  readonly telemetry: Telemetry;
  /** With it the same login can ask whether the content changed since; `null` if GitHub gave none. */
  readonly validator: string | null;
}

export type HeaderTable = Readonly<Record<string, string | undefined>>;

interface RawAnswer {
  readonly status: number;
  readonly headers: HeaderTable;
  /** Parsed content of a refused request. */
  readonly data: unknown;
  /** The response of a successful request, whose body is not read yet. */
  readonly response: Response | null;
}

const refusedShape = z.looseObject({
  response: z.looseObject({
    status: z.number(),
    headers: z.record(z.string(), z.coerce.string()),
    data: z.unknown(),
  }),
});

export interface TransportOptions {
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly now: () => Instant;
  readonly setTimer: Clock["setTimer"];
  readonly onTelemetry: (telemetry: Telemetry) => void;
}

export class Transport {
  readonly baseUrl: string;
  readonly #options: TransportOptions;
  readonly #request: typeof octokitRequest;
  #clockOffset = 0;

  constructor(options: TransportOptions) {
    this.baseUrl = options.baseUrl;
    this.#options = options;
    this.#request = octokitRequest.defaults({
      baseUrl: options.baseUrl,
      headers: { "user-agent": "tandem-sync" },
      request: {
        // A redirect may lead to another repository or another host, so the caller decides.
        redirect: "manual",
        // Octokit turns a body that is cut off into an empty one; reading it here makes it an error.
        parseSuccessResponseBody: false,
        log: SILENT,
      },
    });
  }

  /** GitHub's time, estimated from its last response. */
  providerNow(): Instant {
    return instantFromMicros(this.#options.now() + this.#clockOffset);
  }

  /** Our own time. */
  now(): Instant {
    return this.#options.now();
  }

  /**
   * Sends a request and reads the whole response.
   *
   * @throws IntegrationError for everything that is not an {@link Answer}.
   */
  async send(request: ApiRequest): Promise<Answer> {
    const facts = factsOf(request, this.baseUrl);
    const deadline = new AbortController();
    const cancel = this.#options.setTimer(this.#options.timeoutMs, () => {
      deadline.abort(new DOMException("no answer in time", "TimeoutError"));
    });
    try {
      return await this.#sendUntil(deadline.signal, request, facts);
    } finally {
      cancel();
    }
  }

  async #sendUntil(
    deadline: AbortSignal,
    request: ApiRequest,
    facts: RequestFacts,
  ): Promise<Answer> {
    const signal =
      request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
    if (signal.aborted) throw networkError(facts, signal.reason, "not_sent");
    const failed = (cause: unknown): Error =>
      networkError(facts, cause, endingOf(request.signal, deadline));
    const sentAt = this.#options.now();
    let raw: RawAnswer;
    try {
      raw = await this.#exchange(request, signal);
    } catch (cause) {
      throw failed(cause);
    }
    const receivedAt = this.#options.now();
    const told = readTelemetry(raw.headers, sentAt, receivedAt);
    const telemetry =
      request.asApp === true ? { ...told, limit: null, remaining: null, resetAt: null } : told;
    if (telemetry.clockOffset !== null) this.#clockOffset = telemetry.clockOffset;
    this.#options.onTelemetry(telemetry);
    if (!isAnswer(raw.status, request)) {
      throw refusalError(facts, {
        status: raw.status,
        headers: raw.headers,
        body: raw.data,
        baseUrl: this.baseUrl,
        now: receivedAt,
        clockOffset: this.#clockOffset,
      });
    }
    try {
      const text = (await raw.response?.text()) ?? "";
      const { status, headers } = raw;
      return { request: facts, status, headers, text, telemetry, validator: null };
    } catch (cause) {
      throw failed(cause);
    }
  }

  async #exchange(request: ApiRequest, signal: AbortSignal): Promise<RawAnswer> {
    const { ifNoneMatch = null } = request;
    let response: Response | null = null;
    const fetch: typeof globalThis.fetch = async (input, init) => {
      response = boundedAnswer(await this.#options.fetch(input, init));
      return response;
    };
    try {
      const { status, headers } = await this.#request({
        method: request.method,
        url: request.url,
        headers: {
          authorization: request.authorization,
          accept: "application/vnd.github+json",
          "x-github-api-version": "2022-11-28",
          ...(ifNoneMatch === null ? {} : { "if-none-match": ifNoneMatch }),
        },
        // As text: on Node 20 Octokit's serializer breaks strings that look like its big integers.
        ...(request.body === undefined ? {} : { data: JSON.stringify(request.body) }),
        request: { fetch, signal },
      });
      return { status, headers: tableOf(headers), data: null, response };
    } catch (error) {
      const refused = refusedShape.safeParse(error);
      if (refused.success) return { ...refused.data.response, response: null };
      throw error;
    }
  }
}

/**
 * Reads a response with the shape of its route.
 *
 * @throws IntegrationError `malformed_answer`: retryable, and a write may have been applied.
 */
export function readAnswer<Shape extends z.ZodType>(shape: Shape, answer: Answer): z.infer<Shape> {
  const malformed = (problem: string, cause: unknown): Error =>
    malformedAnswer(answer.request, {
      problem,
      status: answer.status,
      requestId: requestIdOf(answer),
      cause,
    });
  let json: unknown;
  try {
    json = parseExactly(answer.text);
  } catch (cause) {
    throw malformed("it is not JSON", cause);
  }
  const result = shape.safeParse(json);
  if (result.success) return result.data;
  const { path, problem } = firstProblem(result.error);
  throw malformed(`${path}: ${problem}`, result.error);
}

export function requestIdOf(answer: Answer): string | null {
  return answer.headers["x-github-request-id"] ?? null;
}

const SILENT = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};

function ignore(): void {
  // Octokit's warnings about deprecations concern the maintainers of this adapter, not an app's log.
}

function isAnswer(status: number, request: ApiRequest): boolean {
  if (status >= 200 && status < 300) return true;
  if (status === 304) return (request.ifNoneMatch ?? null) !== null;
  return isRedirect(status) && request.redirectAnswers === true;
}

export function isRedirect(status: number): boolean {
  return status > 300 && status < 400 && status !== 304;
}

function endingOf(
  caller: AbortSignal | undefined,
  deadline: AbortSignal,
): "timed_out" | "aborted" | "failed" {
  if (caller?.aborted === true) return "aborted";
  return deadline.aborted ? "timed_out" : "failed";
}

function factsOf(request: ApiRequest, baseUrl: string): RequestFacts {
  const { method, url } = request;
  return { method, path: url.startsWith(baseUrl) ? url.slice(baseUrl.length) : url };
}

function tableOf(headers: Readonly<Record<string, string | number | undefined>>): HeaderTable {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  return Object.fromEntries(entries);
}

function readTelemetry(headers: HeaderTable, sentAt: Instant, receivedAt: Instant): Telemetry {
  const limit = headers["x-ratelimit-limit"];
  const remaining = headers["x-ratelimit-remaining"];
  const reset = headers["x-ratelimit-reset"];
  return {
    clockOffset: clockOffset(headers.date, sentAt, receivedAt),
    limit: limit !== undefined && /^\d+$/.test(limit) ? Number(limit) : null,
    remaining: remaining !== undefined && /^\d+$/.test(remaining) ? Number(remaining) : null,
    resetAt: instantOfSeconds(reset),
  };
}

/**
 * GitHub's clock minus ours, assuming that the response was written halfway through the exchange.
 *
 * The header has whole seconds. If our clock may have shown the same second during the exchange, no
 * difference is proven, and the offset is 0.
 */
function clockOffset(
  date: string | undefined,
  sentAt: Instant,
  receivedAt: Instant,
): number | null {
  const provider = instantOfDate(date);
  if (provider === null) return null;
  if (provider <= receivedAt && sentAt < provider + SECOND) return 0;
  return Math.round(provider - (sentAt + receivedAt) / 2);
}

/** The time in a `Date` header, in whole seconds; `null` if it is absent or invalid. */
export function instantOfDate(date: string | undefined): Instant | null {
  const millis = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(millis) || Math.abs(millis) > LAST_SECOND * 1000) return null;
  return instantFromMillis(millis);
}

/** A request as callers write it; `Api` adds the authorization. */
export interface UnsignedRequest extends Omit<ApiRequest, "authorization"> {
  /** The validator of an earlier response: if nothing changed since, the answer is a 304. */
  readonly validator?: string | null | undefined;
}
