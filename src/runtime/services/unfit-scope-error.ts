/** The refusal of a record whose connection has a scope that no record can have. */
import type { UnfitScope } from "../../model/scope-misfit.ts";

/** The record would have been written into a scope that cannot be: its connection waits, and so does the event. */
export class UnfitScopeError extends Error {
  override readonly name = "UnfitScopeError";
  readonly code = "scope_unfit";
  readonly hint: string;

  constructor({ message, hint }: UnfitScope, cause: unknown) {
    super(message, { cause });
    this.hint = `${hint} The connection then goes on by itself.`;
  }
}
