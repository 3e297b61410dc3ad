/**
 * The REST API of the simulated GitHub: its routes, access tokens, rate limits and pages.
 *
 * 1. A route changes issues and comments only by the operations of `people`.
 */
export { AccessTokens, callerLogin, installationKey, type TokenInput } from "./access.ts";
export { type ApiResponse, isWrite, SimulatedApi } from "./api.ts";
export type { IncomingRequest } from "./call.ts";
export { RateLimits, type WriteLimit } from "./rate-limits.ts";
