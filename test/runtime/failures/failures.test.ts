/** An attempt's failure, as a user reads it on the event, and the outcome for the event and its account. */
import { describe, expect, it } from "vitest";
import { MappingError } from "../../../src/engine/merge/translate-record.ts";
import {
  IntegrationError,
  type IntegrationErrorKind,
} from "../../../src/integrations/integration.ts";
import { addMillis, parseInstant } from "../../../src/model/instant.ts";
import type { UnfitScope } from "../../../src/model/connection.ts";
import { classify, concernsAll, describeError } from "../../../src/runtime/failures/failures.ts";
import { HookError, ValidationError } from "../../../src/runtime/settings/hooks.ts";
import { ResourceTakenError } from "../../../src/runtime/failures/resource-taken-error.ts";
import { MissingSecretError } from "../../../src/runtime/settings/secrets.ts";
import { UnfitScopeError } from "../../../src/runtime/failures/unfit-scope-error.ts";
import { NoConnectionError } from "../../../src/store/database/database.ts";
import { RecordWriteError } from "../../../src/store/rules/record-write-error.ts";
import { aLane } from "../../engine/builders.ts";

const NOW = parseInstant("2026-03-02T09:00:00.000000Z");
const IN_A_MINUTE = addMillis(NOW, 60_000);
/** The status of a failure without a provider's answer. */
const UNASKED = { httpStatus: null, requestId: null } as const;

/** An error of the database, by its code. */
function databaseError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function refused(kind: IntegrationErrorKind, retryAfterMs: number | null = null) {
  const answered = { applied: "no", status: 403, requestId: "A1:B2", retryAfterMs } as const;
  return new IntegrationError({ kind, code: "refused", message: "No.", hint: "Ask.", ...answered });
}

const ANSWERED = {
  ...{ code: "refused", message: "No.", hint: "Ask." },
  ...{ httpStatus: 403, requestId: "A1:B2" },
};

describe("an event whose attempt failed", () => {
  it("waits with its connection where the scope fits no record, and blames no account", () => {
    const unfit: UnfitScope = {
      path: "scope",
      message: 'no row of projects has the id "7"',
      hint: "Connect another scope, or make the row again.",
    };
    expect(classify(new UnfitScopeError(unfit, new Error("violates")), NOW)).toEqual({
      failure: {
        error: {
          code: "scope_unfit",
          message: 'no row of projects has the id "7"',
          hint: "Connect another scope, or make the row again. Tandem then switches the connection on again.",
          retryable: true,
          ...UNASKED,
        },
        applied: "no",
        pausedUntil: NOW,
      },
      account: null,
    });
  });

  it("waits a minute for a token that is not set, and shows on the account which", () => {
    const message = "the environment variable GITHUB_TOKEN is not set";
    expect(classify(new MissingSecretError("GITHUB_TOKEN"), NOW)).toEqual({
      failure: {
        error: {
          code: "missing_secret",
          message,
          hint: "Set GITHUB_TOKEN where Tandem runs, or connect the account again.",
          retryable: true,
          ...UNASKED,
        },
        applied: "no",
        pausedUntil: IN_A_MINUTE,
      },
      account: { state: "needs_attention", reason: message, until: IN_A_MINUTE },
    });
  });

  it("is left to a person where the answer names what another record is paired with", () => {
    const lane = aLane({ resourceType: "issue", externalId: "7", recordId: "3" });
    expect(classify(new ResourceTakenError(lane), NOW)).toEqual({
      failure: {
        error: {
          code: "paired_elsewhere",
          message: "the answer names issue 7, which is paired with record 3",
          hint: "Look at both records with `tandem explain`; a person must end one of the pairings.",
          retryable: false,
          ...UNASKED,
        },
        applied: "no",
        pausedUntil: null,
        needsAttention: true,
      },
      account: null,
    });
    const unpaired = new ResourceTakenError({ ...lane, externalId: null, recordId: null });
    expect(unpaired.message).toContain("issue (none), which is paired with record (none)");
  });

  it("waits as long as the provider says, or a minute, where a rate limit pauses its account", () => {
    const until = addMillis(NOW, 7_000);
    expect(classify(refused("rate_limited", 7_000), NOW)).toEqual({
      failure: { error: { ...ANSWERED, retryable: false }, applied: "no", pausedUntil: until },
      account: { state: "paused", reason: "No.", until },
    });
    expect(classify(refused("rate_limited"), NOW).account?.until).toBe(IN_A_MINUTE);
  });

  it("waits a minute for an account whose token is refused, whatever the provider says", () => {
    expect(classify(refused("credentials", 7_000), NOW)).toEqual({
      failure: {
        error: { ...ANSWERED, retryable: false },
        applied: "no",
        pausedUntil: IN_A_MINUTE,
      },
      account: { state: "needs_attention", reason: "No.", until: IN_A_MINUTE },
    });
  });

  it.each([
    ["retryable", true],
    ["permanent", false],
    ["not_found", false],
  ] as const)("concerns its account not at all where the provider says %s", (kind, retryable) => {
    expect(classify(refused(kind), NOW)).toEqual({
      failure: { error: { ...ANSWERED, retryable }, applied: "no", pausedUntil: null },
      account: null,
    });
  });

  const misled = { code: "unique_violated", message: "taken", hint: "Choose another." };
  it.each([
    [
      "the mapping's own function threw",
      new MappingError("status", "state", new TypeError("no such status")),
      {
        code: "mapping_failed",
        message: "the mapping of status to state failed: no such status",
        hint: 'Correct toResource or toRecord of "status" in tandem.config.ts, then restart the event.',
      },
    ],
    [
      "the app's rules refused the record",
      new ValidationError("A title may have 80 characters; shorten it."),
      {
        code: "validation_failed",
        message: "The app's own rules refused the record.",
        hint: "A title may have 80 characters; shorten it.",
      },
    ],
    [
      "a hook failed",
      new HookError("apply", "apply threw", "Correct apply.", { code: "hook_too_slow" }),
      { code: "hook_too_slow", message: "apply threw", hint: "Correct apply." },
    ],
    ["a constraint refused the row", new RecordWriteError(misled), misled],
    [
      "the database refused a statement of ours",
      databaseError("42P01", 'relation "x" does not exist'),
      {
        code: "database_error",
        message: 'relation "x" does not exist',
        hint: "Look at the log line of this event; then restart it.",
      },
    ],
    [
      "we are at fault",
      databaseError("ERR_INVALID_ARG_TYPE", "not a string"),
      {
        code: "unexpected",
        message: "not a string",
        hint: "Look at the log line of this event; then restart it.",
      },
    ],
  ])("is errored with what to do where %s", (_, thrown, told) => {
    expect(classify(thrown, NOW)).toEqual({
      failure: {
        error: { ...told, retryable: false, ...UNASKED },
        applied: "unknown",
        pausedUntil: null,
      },
      account: null,
    });
  });

  it.each([
    [
      "with a known remedy",
      databaseError("53100", "could not extend file"),
      {
        code: "disk_full",
        message: "could not extend file",
        hint: "Make room on the database's disk. Nothing was half written. Tandem tries it again.",
      },
    ],
    [
      "without a known remedy",
      databaseError("40001", "could not serialize access"),
      {
        code: "database_unavailable",
        message: "could not serialize access",
        hint: "Tandem tries it again.",
      },
    ],
  ])("is retried after trouble of the database %s", (_, thrown, told) => {
    expect(classify(thrown, NOW).failure.error).toEqual({ ...told, retryable: true, ...UNASKED });
  });
});

describe("a failure in the log", () => {
  it.each([
    ["a refused request", refused("permanent"), { code: "refused", error: "No.", hint: "Ask." }],
    [
      "a token that is not set",
      new MissingSecretError("GITHUB_TOKEN"),
      {
        code: "missing_secret",
        error: "the environment variable GITHUB_TOKEN is not set",
        hint: "Set GITHUB_TOKEN where Tandem runs, or connect the account again.",
      },
    ],
    [
      "a disk that is full",
      databaseError("53100", "could not extend file"),
      {
        code: "disk_full",
        error: "could not extend file",
        hint: "Make room on the database's disk. Nothing was half written.",
      },
    ],
    ["anything else", new Error("odd"), { error: "odd" }],
    ["a value that is no error", "odd", { error: "odd" }],
  ])("tells of %s, and how to mend it where that is known", (_, thrown, told) => {
    expect(describeError(thrown)).toEqual(told);
  });
});

it.each([
  ["a lock that another holds", databaseError("55P03", "lock timeout"), false],
  ["a full disk", databaseError("53100", "could not extend file"), true],
  ["no free connection", new NoConnectionError("busy", new Error("timeout")), true],
  ["a refused row", databaseError("23505", "duplicate key"), false],
])("a batch that met %s is cut up where the others of it may pass", (_, thrown, all) => {
  expect(concernsAll(thrown)).toBe(all);
});
