/** Waiting for a condition: the crash tests run real processes on the real clock. */
// eslint-disable-next-line no-restricted-imports -- outside of Vitest there is no expect.poll
import { setTimeout as delay } from "node:timers/promises";

/**
 * Leases run out on the real clock, and machines are slow: a step of a backfill that failed once is
 * taken again after half a minute.
 */
const PATIENCE_MS = 90_000;
const LOOK_AGAIN_MS = 25;

/**
 * Resolves when `holds` does.
 *
 * @throws Error with `what`, and what `otherwise` tells, when patience is at an end
 */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  otherwise: () => Promise<string> | string = () => "",
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}. ${await otherwise()}`);
    await delay(LOOK_AGAIN_MS);
  }
}
