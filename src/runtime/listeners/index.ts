/**
 * Telling the process, and its subscribers, what was committed.
 *
 * 1. Nothing is told before its transaction has committed.
 * 2. A listener that throws or is slow holds up no work.
 */
export type { Conflicted, Errored, Happenings, HeardEvent, Listener, Moved } from "./announce.ts";
export { listenable } from "./listenable.ts";
