/**
 * Notifying listeners in this process of committed changes.
 *
 * 1. No listener is called before the transaction has committed.
 * 2. A listener that throws or is slow delays no processing.
 */
export type { Conflicted, Errored, Happenings, HeardEvent, Listener, Moved } from "./announce.ts";
export { listenable } from "./listenable.ts";
