/**
 * Counts refused webhooks by the minute, in the database: a wrong secret shows in the status of every process,
 * and after a restart. Anybody can send one, so they are added up here and written at most every ten seconds.
 */
import type { Clock } from "../../model/clock.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Refusals, RefusalStore } from "../../store/refusals.ts";
import { inTime, type Log, describeError } from "../services/index.ts";

/** The first one is written so much later, with those that have come meanwhile. */
const WRITE_AFTER_MS = 10_000;
/** A stopping process waits so long for the last of them. */
const LAST_WRITE_MS = 2_000;

export interface RefusedWebhooks {
  /** Counts one. A stranger names any integration, so each name that is none of ours is `unknown`. */
  note(integration: string, code: string): void;
  /** Writes what is not written yet. */
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
      // They count all the same, with the next one that is refused.
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
