/**
 * Counts refused webhooks per minute in the database, so that a wrong secret shows in the status of every process and
 * after a restart. A stranger can send any number, so they are summed here and written at most every ten seconds.
 */
import type { Clock } from "../../model/clock.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Refusals, RefusalStore } from "../../store/refusals.ts";
import { inTime, type Log } from "../services/index.ts";
import { describeError } from "../failures/index.ts";

/** The delay before a write, which then includes the refusals that came meanwhile. */
const WRITE_AFTER_MS = 10_000;
/** How long a stopping process waits for the last write. */
const LAST_WRITE_MS = 2_000;

export interface RefusedWebhooks {
  /** Counts one refusal. A stranger can name any integration, so a name that is not configured counts as `unknown`. */
  note(integration: string, code: string): void;
  /** Writes the remaining counts. */
  stop(): Promise<void>;
}

export function countRefusedWebhooks(
  refusals: Pick<RefusalStore, "add">,
  integrations: ReadonlyMap<string, Integration>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): RefusedWebhooks {
  let waiting = new Map<string, Refusals>();
  let cancel: (() => void) | null = null;
  let underWay: Promise<void> = Promise.resolve();

  function add({ integration, code, count }: Refusals): void {
    const name = `${integration} ${code}`;
    const before = waiting.get(name)?.count ?? 0;
    waiting.set(name, { integration, code, count: before + count });
  }

  async function write(): Promise<void> {
    cancel = null;
    const taken = [...waiting.values()];
    waiting = new Map();
    try {
      await refusals.add(taken);
    } catch (error) {
      // Keep the counts for the write after the next refusal.
      for (const one of taken) add(one);
      log.warn(
        describeError(error),
        "refused webhooks could not be counted; they are counted later",
      );
    }
  }

  return {
    note(integration, code) {
      add({ integration: integrations.has(integration) ? integration : "unknown", code, count: 1 });
      cancel ??= clock.setTimer(WRITE_AFTER_MS, () => {
        underWay = write();
      });
    },
    async stop() {
      cancel?.();
      const written = underWay.then(() => (waiting.size === 0 ? undefined : write()));
      await inTime(clock, LAST_WRITE_MS, written).catch(() => undefined);
    },
  };
}
