/**
 * The commands, one file each.
 *
 * 1. A command parses its options, calls what its context gives, and prints.
 * 2. Only a command, its context and `main.ts` may end the process or print.
 */
export { addApproveCommand } from "./approve.ts";
export { addAuditCommand } from "./audit.ts";
export { addBackfillCommand } from "./backfill.ts";
export { addConnectCommand } from "./connect.ts";
export { addEventsCommand } from "./events.ts";
export { addExplainCommand } from "./explain.ts";
export { addMigrateCommand } from "./migrate.ts";
export { addEnableCommand, addPauseCommand } from "./pause.ts";
export { addReconcileCommand } from "./reconcile.ts";
export { addServeCommand } from "./serve.ts";
export { addSessionsCommand } from "./sessions.ts";
export { addSimulateCommand } from "./simulate-github.ts";
export { addStartCommand } from "./start.ts";
export { addStatusCommand } from "./status.ts";
export { addWorkCommand } from "./work.ts";
