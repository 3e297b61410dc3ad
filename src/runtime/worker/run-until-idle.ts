/**
 * Runs all steps of the worker, one after another, until nothing is due. It sets no timers. Tests and
 * `tandem work --once` use it.
 */
import type { DueNow } from "../../store/ledger.ts";
import { DirectorySnapshot, type Services } from "../services/index.ts";
import { runAfterCommits } from "../hooks/index.ts";
import { advanceBackfills } from "../backfill/index.ts";
import { claimDue, processDueBatch, passOnLeases } from "./claim-due.ts";
import { drainChanges } from "../outbound/index.ts";
import { followLink } from "../identities/index.ts";
import { unlessForeign } from "../safety/index.ts";
import { processClaimed } from "./process-claimed.ts";
import { translateDeliveries } from "../receive/index.ts";

const NEVER = new AbortController().signal;

/** The amount of work that one run did. */
export interface Settled {
  readonly deliveries: number;
  readonly changes: number;
  readonly events: number;
}

/**
 * @throws Error if there is still work after `rounds` rounds, which means an endless loop.
 */
export async function runUntilIdle(
  services: Services,
  options: { readonly leaseMillis?: number; readonly rounds?: number } = {},
): Promise<Settled> {
  const { leaseMillis = 60_000, rounds = 1_000 } = options;
  const total = { deliveries: 0, changes: 0, events: 0 };
  // Every worker writes its heartbeat, even if nothing is due: a copied database is recognised by it.
  await services.instance.checkIdentity();
  let due: DueNow | null = null;
  for (let round = 0; round < rounds; round += 1) {
    let worked = 0;
    /** Runs a step that has work. A step that worked may have made work for any other, so the ledger is asked again. */
    const step = async (kind: keyof DueNow, run: () => Promise<number>): Promise<number> => {
      due ??= await services.store.ledger.dueNow();
      if (!due[kind]) return 0;
      const count = await run();
      if (count > 0) due = null;
      worked += count;
      return count;
    };
    total.deliveries += await step("deliveries", () => translateDeliveries(services, "settle"));
    total.changes += await step("changes", () => drainChanges(services));
    await step("links", async () => ((await followLink(services)) ? 1 : 0));
    await step("leases", () => passOnLeases(services));
    total.events += await step("events", () => processDue(services, leaseMillis));
    await step("afterCommits", () => runAfterCommits(services, NEVER));
    await step("backfills", () => unlessForeign(services, () => advanceBackfills(services, NEVER)));
    if (worked === 0) return total;
  }
  throw new Error(`still not idle after ${String(rounds)} rounds: the work never ends`);
}

async function processDue(services: Services, leaseMillis: number): Promise<number> {
  const book = await DirectorySnapshot.open(services);
  const together = (await processDueBatch(services, book, "settle", 200)) ?? 0;
  const claims = await claimDue(services, book, "settle", leaseMillis, 16);
  for (const claimed of claims) await processClaimed(services, claimed, book, NEVER);
  return together + claims.length;
}
