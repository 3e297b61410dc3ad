/**
 * Connections, accounts, identities, sessions, and the state of a running instance.
 *
 * 1. Lanes refer to connections; a connection is never removed while it has lanes.
 * 2. Audit entries are appended and never changed.
 * 3. A server whose log holds less than this process saw was set back, and is refused.
 */
export { afterCommitStore } from "./after-commit-rows.ts";
export { auditStore } from "./audit-rows.ts";
export { backfillStore } from "./backfill-rows.ts";
export { directory } from "./directory-rows.ts";
export { heldRuns } from "./held-run-rows.ts";
export { instanceStore } from "./instance-rows.ts";
export { linkStore, placeholderRows } from "./link-rows.ts";
export { LogWatch } from "./log-watch.ts";
export { sessionStore } from "./session-rows.ts";
