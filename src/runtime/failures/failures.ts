/** Classification of thrown errors for the engine's decision: by type and status, never by text. */
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
import { HookError, MissingSecretError, ValidationError } from "../settings/index.ts";
import { ResourceTakenError } from "./resource-taken-error.ts";
import { UnfitScopeError } from "./unfit-scope-error.ts";

/** How long an account that needs attention is paused before it is tried again. */
const ATTENTION_MS = 60_000;

/** The state that a failure puts the account in. */
export interface AccountConsequence {
  readonly state: "paused" | "needs_attention";
  readonly reason: string;
  /** No request is sent under the account until then. */
  readonly until: Instant;
}

export interface Classified {
  readonly failure: Failure;
  readonly account: AccountConsequence | null;
}

/** Classifies any error that the processing of an event threw. */
export function classify(thrown: unknown, now: Instant): Classified {
  if (thrown instanceof IntegrationError) return classifyIntegration(thrown, now);
  if (thrown instanceof MissingSecretError) return classifyMissing(thrown, now);
  // Nothing was written, and the event waits until its connection is switched on again.
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

/** A missing secret is like a refused token: nothing was sent, and events continue once the variable is set. */
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

/** Describes an error that is not the integration's: of the app's table, a mapping, a hook, the database, or Tandem. */
export function describe(thrown: unknown): EventError {
  const base = { httpStatus: null, requestId: null };
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
  if (
    thrown instanceof RecordWriteError ||
    thrown instanceof HookError ||
    thrown instanceof ResourceTakenError
  ) {
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
      hint: `${trouble === null ? "" : `${trouble.hint} `}Tandem tries it again.`,
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

/** Tells a database's code from those of Node's errors and Tandem's own. */
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Whether the database is in trouble, which may pass without a change of a record or the configuration. */
export function isDatabaseTrouble(thrown: unknown): boolean {
  return mayPass(thrown) || isTrouble(sqlState(thrown));
}

/** The log fields of a failure: its cause, and the code and remedy if it is an integration's or the database's. */
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
 * Whether the database itself was in trouble: connection, resources (a full disk), intervention, or the system. The
 * write may have been committed. A retry is safe even then, because a claim that has ended is refused.
 */
function isTrouble(state: string | null): boolean {
  return state !== null && /^(08|53|57|58)/.test(state);
}

export function messageOf(thrown: unknown): string {
  return textOf(thrown);
}

/** Whether an error concerns every caller: the database is in trouble, and not only a lock is held. */
export function concernsAll(thrown: unknown): boolean {
  return isDatabaseTrouble(thrown) && !isContention(thrown);
}
