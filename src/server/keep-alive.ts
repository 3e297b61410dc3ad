/**
 * How long an idle connection is kept, in milliseconds. Longer than a proxy keeps it (60 s is usual):
 * whoever closes first must not be the one that is asked, or a request meets a closed door.
 */
export const KEEP_ALIVE_MS = 75_000;
