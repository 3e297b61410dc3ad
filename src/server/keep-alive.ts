/**
 * How long an idle connection is kept, in milliseconds. It must be longer than a proxy keeps it (usually
 * 60 s): if the server closes first, the proxy may send a request into the closed connection.
 */
export const KEEP_ALIVE_MS = 75_000;
