/** The refusal of a record whose connection has a scope that no record can have. */
import type { UnfitScope } from "../../model/connection.ts";

/** No record can have the connection's scope, so the connection is switched off and its event waits. */
export class UnfitScopeError extends Error {
  override readonly name = "UnfitScopeError";
  readonly code = "scope_unfit";
  readonly hint: string;

  constructor({ message, hint }: UnfitScope, cause: unknown) {
    super(message, { cause });
    this.hint = `${hint} Tandem then switches the connection on again.`;
  }
}
