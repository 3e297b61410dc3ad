/** The parts that all steps of a backfill share: the claim, and saving a step's work together with its cursor. */
import { bulkRequestAt } from "../../engine/limits/index.ts";
import type { Backfill } from "../../model/backfill.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact, Services } from "../services/index.ts";

/** The lease of a claimed step; a request takes less time. */
export const BACKFILL_LEASE_MS = 60_000;

/** The outcome of a step. */
export type Progress =
  | { readonly kind: "went_on"; readonly after: Backfill }
  /** The backfill is not due, another worker has it, or there is none. */
  | { readonly kind: "waits" };

/** A step that this process has claimed. */
export interface ClaimedBackfill {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly claimed: Backfill;
  /** The worker that ends events in the step's own transactions; `null`: all events are queued. */
  readonly worker: string | null;
  /** Called with the saved backfill each time a transaction keeps the claim. */
  readonly kept: (after: Backfill) => void;
  readonly signal?: AbortSignal;
}

/** A step took longer than its lease, and another worker has the backfill. */
export class BackfillLostError extends Error {
  override readonly name = "BackfillLostError";

  constructor({ connectionId, resourceType }: Backfill) {
    super(`another worker has the backfill of ${resourceType} of connection ${connectionId}`);
  }
}

/**
 * Runs a step's work and saves its progress in one transaction. If the claim was lost, the transaction is rolled
 * back.
 *
 * @param then `keep`: this worker continues the backfill under a new lease.
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
 * Postpones the step if the rate limit is reserved for other requests now, or if enough of its own events still wait.
 *
 * @param backlog The number of its events that may wait.
 */
export async function notBefore(step: ClaimedBackfill, backlog: number): Promise<Progress | null> {
  const { services, contact, claimed } = step;
  const { account, connection } = contact;
  return services.store.transaction(async (tx) => {
    const runAt = bulkRequestAt(account.budget, tx.now);
    const isEarly = runAt > tx.now;
    if (!isEarly && (await tx.backfills.backlog(connection.id, backlog)) < backlog) return null;
    const waitsFor = isEarly
      ? "the account's rate limit: interactive edits are sent first"
      : "its own events to be processed";
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
