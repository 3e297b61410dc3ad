/**
 * Leases: holding a claimed lane, keeping the lease, and saving under its epoch.
 *
 * 1. A write under an older epoch changes nothing.
 * 2. Our own clock is read before the database grants a lease, so that we never believe in it for longer.
 * 3. An event of a paused account goes back to wait, and burns no attempt.
 */
export { awaitAccount } from "./account-pause.ts";
export { reachClaimed } from "./claim-failpoints.ts";
export { forgetLate, heldBy, hold, holdAmong, keepLease, renewLease, save } from "./lease.ts";
export { saveDecided } from "./save.ts";
