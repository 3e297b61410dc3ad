/** What every step of a backfill has in common: its claim, and that what it did is saved with where it goes on. */
import { bulkRequestAt } from "../../engine/limits/index.ts";
import type { Backfill } from "../../model/backfill.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact, Services } from "../services/index.ts";

/** How long a worker has a backfill until it says more of it; a request takes less. */
export const BACKFILL_LEASE_MS = 60_000;

/** What became of a step. */
export type Progress =
  | { readonly kind: "went_on"; readonly after: Backfill }
  /** It is not due, another worker has it, or there is none. */
  | { readonly kind: "waits" };

/** A step that this process has claimed. */
export interface ClaimedBackfill {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly claimed: Backfill;
  /** Who works on what can be ended at once; `null`: nobody, it waits for its turn. */
  readonly worker: string | null;
  /** Told where it is by now, where it went on and was not given back. */
  readonly kept: (after: Backfill) => void;
  readonly signal?: AbortSignal;
}

/** A step took longer than it was claimed for, and another worker has the backfill. */
export class BackfillLostError extends Error {
  override readonly name = "BackfillLostError";

  constructor({ connectionId, resourceType }: Backfill) {
    super(`another worker has the backfill of ${resourceType} of connection ${connectionId}`);
  }
}

/**
 * Saves what a step led to together with what it did; a step whose claim has passed on did nothing.
 *
 * @param then `keep`: this worker goes on with it, under a new lease.
 */
export async function inOneTransaction(
  { services, claimed }: Pick<ClaimedBackfill, "services" | "claimed">,
  work: (tx: StoreTransaction) => Promise<Backfill>,
  then: "keep" | "give_back" = "give_back",
): Promise<Extract<Progress, { kind: "went_on" }>> {
  return services.store.transaction(async (tx) => {
    const leasedUntil = then === "keep" ? addMillis(tx.now, BACKFILL_LEASE_MS) : null;
    const after = { ...(await work(tx)), leasedUntil };
    if (!(await tx.backfills.save(claimed, after))) throw new BackfillLostError(claimed);
    return { kind: "went_on", after };
  });
}

/**
 * Puts the step off where the budget is for others now, or enough of its own work is still waiting.
 *
 * @param backlog so many of its events may wait
 */
export async function notBefore(step: ClaimedBackfill, backlog: number): Promise<Progress | null> {
  const { services, contact, claimed } = step;
  const { account, connection } = contact;
  return services.store.transaction(async (tx) => {
    const runAt = bulkRequestAt(account.budget, tx.now);
    const isEarly = runAt > tx.now;
    if (!isEarly && (await tx.backfills.backlog(connection.id, backlog)) < backlog) return null;
    const waitsFor = isEarly
      ? "the account's budget: interactive edits go first"
      : "its own events that are being worked on";
    const progress = { ...claimed.progress, waitsFor };
    await tx.backfills.save(claimed, { ...claimed, runAt, leasedUntil: null, progress });
    return { kind: "waits" };
  });
}

export function finished(backfill: Backfill, now: Instant): Backfill {
  return { ...backfill, step: "done", cursor: null, finishedAt: now };
}

export function mayWork({ connection, account }: Contact): boolean {
  return connection.inbound && connection.outbound && account.state === "active";
}
