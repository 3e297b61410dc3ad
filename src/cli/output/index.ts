/**
 * The output of a command: columns, colours, local times, and the words of the ledger.
 *
 * 1. Output goes to the `io` of the command's context, never to the process itself.
 * 2. Times for people are local and rounded.
 */
export { columns, cut } from "./columns.ts";
export { type Io, untilInterrupted } from "./io.ts";
export { localTime, type Reader } from "./local-time.ts";
export { createLogger, LOG_LEVELS, type LogLevel } from "./logger.ts";
export { type Paint, paintFor, paintState } from "./paint.ts";
export { eventStory, storyOf } from "./story.ts";
export { countNoun, openDirections, recordLabel, resourceLabel } from "./wording.ts";
