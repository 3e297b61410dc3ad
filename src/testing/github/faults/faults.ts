/** All faults that a test can switch on, and the seeded choice of the next one. */
import type { Random } from "../../../model/clock.ts";

/** A fixed number of milliseconds, or a range from which each value is drawn. */
export type Millis = number | { readonly min: number; readonly max: number };

/** Faults of deliveries. Rates are probabilities from 0 to 1. */
export interface WebhookFaults {
  /** How long after the change a delivery is sent. Default 50. */
  delayMs: Millis;
  /** Never sent; stays in the log and can be redelivered on request. */
  drop: number;
  /** Sent twice with the same GUID. */
  duplicate: number;
  /** Sent later by {@link reorderByMs}, so that later deliveries overtake it. */
  reorder: number;
  reorderByMs: Millis;
  /** Collects deliveries instead of sending them, until they are released. */
  hold: boolean;
  /** How long a receiver may take to answer. GitHub waits 10 s. */
  timeoutMs: number;
}

/** A failure that the caller sees instead of a response. */
export type NetworkFault = "refused" | "reset" | "timeout";

/** Faults of the API. Each may be set at any time; rates are probabilities from 0 to 1. */
export interface ApiFaults {
  /** Every request is answered with 503. */
  down: boolean;
  /** No connection is made, so the caller knows that the request was not applied. */
  refuseConnections: boolean;
  /** Answers one of `errorStatuses`; `errorApplied` says whether a write takes effect despite the error. */
  errorRate: number;
  errorStatuses: readonly number[];
  errorApplied: Applied;
  /** The caller sees a reset or a time-out instead of the response. */
  lostAnswer: { rate: number; applied: Applied; as: "reset" | "timeout" | "either" };
  /** From request to response; the request takes effect in the middle. */
  latencyMs: Millis;
  /** A read returns an earlier state. */
  staleReads: { rate: number; lagMs: Millis };
  /** A list returns nothing, or half a page as if it were the last. */
  lists: "whole" | "empty" | "partial";
  /** Every token is refused with 401. */
  unauthorized: boolean;
  /** Every request to a repository is answered with 403: the app has lost its access. */
  forbidden: boolean;
  /** Answers with the secondary limit and this `retry-after`. */
  secondaryLimit: { retryAfterSeconds: number; status?: 403 | 429 } | null;
  /** How long a caller without an `AbortSignal` waits for a response that never comes. */
  headersTimeoutMs: number;
}

export type Applied = true | false | "either";

export interface Faults {
  readonly webhooks: WebhookFaults;
  readonly api: ApiFaults;
}

/** No faults: deliveries are sent after 50 ms, responses without delay. */
export function noFaults(): Faults {
  return {
    webhooks: {
      delayMs: 50,
      drop: 0,
      duplicate: 0,
      reorder: 0,
      reorderByMs: { min: 500, max: 5_000 },
      hold: false,
      timeoutMs: 10_000,
    },
    api: {
      down: false,
      refuseConnections: false,
      errorRate: 0,
      errorStatuses: [500, 502, 503],
      errorApplied: "either",
      lostAnswer: { rate: 0, applied: "either", as: "either" },
      latencyMs: 0,
      staleReads: { rate: 0, lagMs: { min: 1_000, max: 10_000 } },
      lists: "whole",
      unauthorized: false,
      forbidden: false,
      secondaryLimit: null,
      headersTimeoutMs: 300_000,
    },
  };
}

/** A fault for the next request that matches. */
export interface ScriptedFault {
  /** Any method if absent. */
  readonly method?: string;
  /** The whole path without query, or a pattern that it contains. Any path if absent. */
  readonly path?: string | RegExp;
  /** `lost-answer` is a reset after the request took effect. A number is a status. */
  readonly with:
    | NetworkFault
    | "lost-answer"
    | "rate-limit"
    | "secondary-limit"
    | number
    | {
        readonly status: number;
        readonly headers?: Record<string, string>;
        readonly body?: string;
      };
  /** Whether the request takes effect despite the fault. Default: only with `lost-answer`. */
  readonly applied?: boolean;
  readonly retryAfterSeconds?: number;
}

/** The treatment of one request. */
export type RequestFate =
  | { readonly kind: "serve"; readonly lagMs: number; readonly lists: ApiFaults["lists"] }
  | { readonly kind: "network"; readonly fault: NetworkFault; readonly applied: boolean }
  | { readonly kind: "answer"; readonly status: number; readonly applied: boolean }
  | { readonly kind: "rate-limit" }
  | {
      readonly kind: "secondary-limit";
      readonly retryAfterSeconds: number;
      readonly status: 403 | 429;
    }
  | {
      readonly kind: "custom";
      readonly status: number;
      readonly headers: Record<string, string>;
      readonly body: string;
      readonly applied: boolean;
    };

/** Converts a scripted fault to the treatment of its request. */
export function scriptedFate(fault: ScriptedFault): RequestFate {
  const { with: how, applied = false, retryAfterSeconds = 60 } = fault;
  if (typeof how === "number") return { kind: "answer", status: how, applied };
  if (typeof how === "object") {
    const { status, headers = {}, body = "" } = how;
    return { kind: "custom", status, headers, body, applied };
  }
  switch (how) {
    case "lost-answer":
      return { kind: "network", fault: "reset", applied: fault.applied ?? true };
    case "rate-limit":
      return { kind: "rate-limit" };
    case "secondary-limit":
      return { kind: "secondary-limit", retryAfterSeconds, status: 403 };
    default:
      return { kind: "network", fault: how, applied };
  }
}

/** Draws the treatment of a request. A disabled fault draws no number, so seeds stay comparable. */
export function drawFate(faults: ApiFaults, random: Random, isRead: boolean): RequestFate {
  if (faults.refuseConnections) return { kind: "network", fault: "refused", applied: false };
  if (faults.down) return { kind: "answer", status: 503, applied: false };
  if (faults.secondaryLimit !== null) {
    const { retryAfterSeconds, status = 403 } = faults.secondaryLimit;
    return { kind: "secondary-limit", retryAfterSeconds, status };
  }
  if (strikes(faults.errorRate, random)) {
    const index = Math.floor(random() * faults.errorStatuses.length);
    const status = faults.errorStatuses[index] ?? 500;
    return { kind: "answer", status, applied: drawApplied(faults.errorApplied, random) };
  }
  if (strikes(faults.lostAnswer.rate, random)) {
    const { applied, as } = faults.lostAnswer;
    const fault = as === "either" ? (random() < 0.5 ? "reset" : "timeout") : as;
    return { kind: "network", fault, applied: drawApplied(applied, random) };
  }
  const stale = isRead && strikes(faults.staleReads.rate, random);
  const lagMs = stale ? drawMillis(faults.staleReads.lagMs, random) : 0;
  return { kind: "serve", lagMs, lists: faults.lists };
}

export function drawMillis(millis: Millis, random: Random): number {
  if (typeof millis === "number") return millis;
  return Math.floor(millis.min + random() * (millis.max - millis.min));
}

export function strikes(rate: number, random: Random): boolean {
  return rate > 0 && random() < rate;
}

function drawApplied(applied: Applied, random: Random): boolean {
  return applied === "either" ? random() < 0.5 : applied;
}

/** Whether a scripted fault, a hold or a filter selects this request. */
export function matchesRequest(
  wanted: { readonly method?: string; readonly path?: string | RegExp },
  request: { readonly method: string; readonly path: string },
): boolean {
  if (wanted.method !== undefined && wanted.method.toUpperCase() !== request.method) return false;
  if (wanted.path === undefined) return true;
  if (typeof wanted.path === "string") return wanted.path === request.path;
  // Unlike `test`, `search` ignores the pattern's lastIndex and starts at the beginning.
  return request.path.search(wanted.path) >= 0;
}
