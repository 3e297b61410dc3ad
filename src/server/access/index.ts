/**
 * Access to the API: the caller, tokens and logins, and the audit of each act.
 *
 * 1. The peer's address decides about this machine, never a header.
 * 2. The database cannot be used to log in: it stores digests.
 * 3. Each request that may change something writes one row of the audit, with any outcome.
 */
export { addAccessRoutes } from "./access-routes.ts";
export { createAccess, type HandlerOptions } from "./access.ts";
export { actIn, type ApiEnv, auditActs, wasAudited } from "./audit.ts";
export { calledFrom, callerOf } from "./caller.ts";
export { refuseElsewhere } from "./guard.ts";
