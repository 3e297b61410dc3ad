/**
 * Requests and responses of the API: their types, limits of a request, and refusals.
 *
 * 1. A parameter that a route does not know is refused, before any route and the database.
 * 2. A refusal names the problem and the remedy.
 * 3. The bodies of pending requests share one budget of memory.
 */
export type {
  ApiAccount,
  ApiAct,
  ApiAudit,
  ApiBackfill,
  ApiBackfills,
  ApiConnection,
  ApiDisabledPairing,
  ApiEvent,
  ApiEvents,
  ApiExplanation,
  ApiHeldRun,
  ApiPlannedAction,
  ApiProblem,
  ApiReconciliation,
  ApiSession,
  ApiSessions,
  ApiStatus,
} from "./api-types.ts";
export { BudgetSpentError, type ByteHold, createByteBudget } from "./byte-budget.ts";
export { refuseMalformed } from "./input.ts";
export { badQuery, problem } from "./problem.ts";
export { readBody } from "./read-body.ts";
export {
  representAccount,
  representBackfill,
  representConnection,
  representDisabled,
  representEvent,
  representHeldRun,
} from "./represent.ts";
