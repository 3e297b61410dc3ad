/** The outcome of a create whose author's token does not work. */
import { describe, expect, it } from "vitest";
import {
  IntegrationError,
  type IntegrationErrorKind,
} from "../../../src/integrations/integration.ts";
import { insteadOf } from "../../../src/runtime/identities/author-tokens.ts";

function failed(kind: IntegrationErrorKind, applied: "no" | "unknown" = "no"): IntegrationError {
  return new IntegrationError({ kind, code: "x", message: "", hint: "", applied });
}

describe("a failed create under an author's own token", () => {
  it.each([
    ["credentials", "author_token_refused"],
    ["not_found", "author_token_refused"],
    ["permanent", "author_token_refused"],
    ["rate_limited", "author_token_limited"],
  ] as const)("is sent by the account if the failure is %s: %s", (kind, instead) => {
    expect(insteadOf(failed(kind))).toBe(instead);
  });

  it.each(["retryable", "gone", "moved"] as const)(
    "fails like any other if the failure is %s",
    (kind) => {
      expect(insteadOf(failed(kind))).toBeNull();
    },
  );

  it.each(["retryable", "permanent", "credentials"] as const)(
    "that may have been applied (%s) is looked for, and never done again at once",
    (kind) => {
      expect(insteadOf(failed(kind, "unknown"))).toBeNull();
    },
  );

  it("is not what failed where something else did", () => {
    expect(insteadOf(new Error("the database is away"))).toBeNull();
  });
});
