/**
 * Guards: copied databases, runs over their blast radius, and connections that must stay off.
 *
 * 1. Nothing is posted while this database may be a copy, or was set back.
 * 2. A run over its blast radius waits for a person.
 * 3. A worker stops, and logs why, if the schema does not fit its mappings.
 */
export { enableConnection, enableRecord } from "./enable-connection.ts";
export { beatsInFile, beatsInProcess } from "./heartbeat-file.ts";
export { approvedRuns, checkBlastRadius } from "./held-runs.ts";
export { approveInstance, createInstanceGuard, FOREIGN_REMEDY, unlessForeign } from "./instance.ts";
export { watchSchema } from "./schema-check.ts";
export { blameScope, findUnfitScope, resumeFitScopes } from "./unfit-scope.ts";
