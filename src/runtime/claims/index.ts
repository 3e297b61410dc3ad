/**
 * Leases: locking a claimed lane, renewing its lease, and saving under its epoch.
 *
 * 1. A write under an older epoch changes nothing.
 * 2. Our own clock is read before the database grants a lease, so that we never believe in it for longer than the
 *    database does.
 * 3. An event of a paused account is postponed, and no attempt is counted.
 */
export { awaitAccount } from "./account-pause.ts";
export { reachClaimed } from "./claim-failpoints.ts";
export {
  forgetLate,
  underClaim,
  lockClaimed,
  lockClaimedAmong,
  keepLease,
  renewLease,
  save,
} from "./lease.ts";
export { saveDecided } from "./save.ts";
