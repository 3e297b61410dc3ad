/** From what was thrown to what the engine decides on: classified by type and status, not by text. */
import { MappingError } from "../../engine/merge/index.ts";
import type { Failure } from "../../engine/processing/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { EventError } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import {
  describeTrouble,
  isContention,
  mayPass,
  sqlState,
  textOf,
} from "../../store/database/index.ts";
import { RecordWriteError } from "../../store/rules/index.ts";
import { HookError, ValidationError } from "./hooks.ts";
import { ResourceTakenError } from "./resource-taken-error.ts";
import { MissingSecretError } from "./secrets.ts";
import { UnfitScopeError } from "./unfit-scope-error.ts";

/** How long an account that needs attention is left alone before it is tried again. */
const ATTENTION_MS = 60_000;

/** What follows for the account. */
export interface AccountConsequence {
  readonly state: "paused" | "needs_attention";
  readonly reason: string;
  /** Nothing is asked of the account until then. */
  readonly until: Instant;
}

export interface Classified {
  readonly failure: Failure;
  readonly account: AccountConsequence | null;
}

/** Classifies anything that an attempt threw. */
export function classify(thrown: unknown, now: Instant): Classified {
  if (thrown instanceof IntegrationError) return classifyIntegration(thrown, now);
  if (thrown instanceof MissingSecretError) return classifyMissing(thrown, now);
  // Nothing was written, and the event waits until its connection goes on.
  if (thrown instanceof UnfitScopeError) {
    const { code, message, hint } = thrown;
    const error = { code, message, hint, retryable: true, httpStatus: null, requestId: null };
    return { failure: { error, applied: "no", pausedUntil: now }, account: null };
  }
  const error = describe(thrown);
  if (thrown instanceof ResourceTakenError) {
    return {
      failure: { error, applied: "no", pausedUntil: null, needsAttention: true },
      account: null,
    };
  }
  return { failure: { error, applied: "unknown", pausedUntil: null }, account: null };
}

/** As a refused token: nothing was sent, and what waits goes on by itself once the variable is set. */
function classifyMissing(thrown: MissingSecretError, now: Instant): Classified {
  const { code, message, hint } = thrown;
  const until = addMillis(now, ATTENTION_MS);
  const error = { code, message, hint, retryable: true, httpStatus: null, requestId: null };
  return {
    failure: { error, applied: "no", pausedUntil: until },
    account: { state: "needs_attention", reason: message, until },
  };
}

function classifyIntegration(thrown: IntegrationError, now: Instant): Classified {
  const error: EventError = {
    code: thrown.code,
    message: thrown.message,
    hint: thrown.hint,
    retryable: thrown.kind === "retryable",
    httpStatus: thrown.status,
    requestId: thrown.requestId,
  };
  const { applied } = thrown;
  switch (thrown.kind) {
    case "rate_limited": {
      const until = addMillis(now, thrown.retryAfterMs ?? ATTENTION_MS);
      return {
        failure: { error, applied, pausedUntil: until },
        account: { state: "paused", reason: thrown.message, until },
      };
    }
    case "credentials": {
      const until = addMillis(now, ATTENTION_MS);
      return {
        failure: { error, applied, pausedUntil: until },
        account: { state: "needs_attention", reason: thrown.message, until },
      };
    }
    default:
      return { failure: { error, applied, pausedUntil: null }, account: null };
  }
}

/** Describes what is not the integration's: the app's table, the mapping, the database, ourselves. */
export function describe(thrown: unknown): EventError {
  const base = { httpStatus: null, requestId: null };
  if (thrown instanceof RecordWriteError) {
    return {
      ...base,
      code: thrown.code,
      message: thrown.message,
      hint: thrown.hint,
      retryable: false,
    };
  }
  if (thrown instanceof MappingError) {
    return {
      ...base,
      code: "mapping_failed",
      message: `${thrown.message}: ${messageOf(thrown.cause)}`,
      hint: `Correct toResource or toRecord of "${thrown.column}" in tandem.config.ts, then restart the event.`,
      retryable: false,
    };
  }
  if (thrown instanceof ValidationError) {
    return {
      ...base,
      code: "validation_failed",
      message: "The app's own rules refused the record.",
      hint: thrown.message,
      retryable: false,
    };
  }
  if (thrown instanceof HookError || thrown instanceof ResourceTakenError) {
    return {
      ...base,
      code: thrown.code,
      message: thrown.message,
      hint: thrown.hint,
      retryable: false,
    };
  }
  if (isDatabaseTrouble(thrown)) {
    const trouble = describeTrouble(thrown);
    return {
      ...base,
      code: trouble?.code ?? "database_unavailable",
      message: messageOf(thrown),
      hint: `${trouble === null ? "" : `${trouble.hint} `}It is tried again by itself.`,
      retryable: true,
    };
  }
  return {
    ...base,
    code: SQLSTATE.test(sqlState(thrown) ?? "") ? "database_error" : "unexpected",
    message: messageOf(thrown),
    hint: "Look at the log line of this event; then restart it.",
    retryable: false,
  };
}

/** Other errors have codes, too: Node's, and those of our own. */
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Whether the database is in trouble, which passes without anybody's changing a record or a rule. */
export function isDatabaseTrouble(thrown: unknown): boolean {
  return mayPass(thrown) || isTrouble(sqlState(thrown));
}

/** What a log says of a failure: its cause; of an integration's or the database's, code and remedy too. */
export function describeError(thrown: unknown): {
  readonly code?: string;
  readonly error: string;
  readonly hint?: string;
} {
  const error = messageOf(thrown);
  if (thrown instanceof IntegrationError || thrown instanceof MissingSecretError) {
    return { code: thrown.code, error, hint: thrown.hint };
  }
  const trouble = describeTrouble(thrown);
  return trouble === null ? { error } : { code: trouble.code, error, hint: trouble.hint };
}

/**
 * Whether the database itself was in trouble: connection, resources (a full disk), intervention, or
 * the system. It says nothing of what was written; even a commit whose answer was lost is safe to
 * repeat, since a claim that ended is refused.
 */
function isTrouble(state: string | null): boolean {
  return state !== null && /^(08|53|57|58)/.test(state);
}

export function messageOf(thrown: unknown): string {
  return textOf(thrown);
}

/** The database is in trouble, and not only with what somebody else holds: everybody would meet that. */
export function concernsAll(thrown: unknown): boolean {
  return isDatabaseTrouble(thrown) && !isContention(thrown);
}
