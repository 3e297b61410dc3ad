/** Notifies the page when either side changed, by a button, by psql or by Tandem. */
import type { DemoState } from "./api-types.ts";

/** How often both sides are read while a page is open. */
const LOOK_MILLIS = 400;

export interface StateFeed {
  read(): Promise<DemoState>;
  /**
   * Sends the state, and again each time it differs, until `stop` is called or sending fails.
   */
  follow(
    send: (state: DemoState) => Promise<void>,
    onStart: (stop: () => void) => void,
  ): Promise<void>;
  /** Reads the state now instead of at the next interval. */
  nudge(): void;
  /** Ends all streams. */
  close(): void;
}

export function stateFeed(read: () => Promise<DemoState>): StateFeed {
  const sleepers = new Set<() => void>();
  const stops = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of sleepers) wake();
  };
  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, LOOK_MILLIS);
      sleepers.add(wake);
    });

  return {
    read,
    async follow(send, onStart) {
      let stopped = false;
      const stop = (): void => {
        stopped = true;
        stops.delete(stop);
        wakeAll();
      };
      stops.add(stop);
      onStart(stop);
      let sent = "";
      // A cast, because another function changes `stopped`, which the compiler cannot see.
      try {
        while (!(stopped as boolean)) {
          const state = await read();
          const text = JSON.stringify(state);
          if (text !== sent) await send(state);
          sent = text;
          await sleep();
        }
      } finally {
        stop();
      }
    },
    nudge: wakeAll,
    close() {
      for (const stop of stops) stop();
    },
  };
}
