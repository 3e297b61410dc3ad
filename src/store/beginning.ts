/** How a transaction begins, where that differs from others. */
import type { PendingDeliveries } from "./deliveries.ts";
import type { Directory } from "./directory.ts";

/** Reads that may be sent before the transaction is known to have begun. No write may be sent then. */
export interface FirstLook {
  readonly directory: Pick<Directory, "contacts">;
  readonly pendingDeliveries: Pick<PendingDeliveries, "received">;
}

export interface Beginning<Seen> {
  /** How long a statement waits for what somebody else holds, in milliseconds. Default: 5,000. */
  readonly waitAtMost?: number;
  /**
   * How long a statement may take, with all that the app's triggers do, and how long the transaction may
   * stand still, in milliseconds. Default: as long as it takes, and 10,000.
   */
  readonly pauseAtMost?: number;
  /** Reads that come first, whatever the transaction then does; they share the begin's round trip. */
  readonly look: (first: FirstLook) => Promise<Seen>;
}

/** The look of whoever says nothing of the beginning: `Seen` is `undefined` then. */
export function nothingSeen<Seen>(): Promise<Seen> {
  return Promise.resolve(undefined as Seen);
}
