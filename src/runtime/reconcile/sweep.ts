/**
 * The id sweep: finds deletions that neither webhooks nor polls report. It lists everything, reads by id each resource
 * that the list lacks, and closes surplus resources. It is a reconcile that does not compare records.
 */
import type { PlannedKind } from "../../engine/lifecycle/index.ts";
import { addMillis } from "../../model/instant.ts";
import { type Contact, DirectorySnapshot, type Services } from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { approvedRuns } from "../safety/index.ts";
import { reconcileConnection } from "./reconcile.ts";

/** The delay before a sweep is repeated that failed, or that a stale read left uncertain. */
const LOOK_AGAIN_MS = 5 * 60_000;

export interface SweepSummary {
  readonly listed: number;
  /** The number of missing resources that are too recent to be sure. */
  readonly unconfirmed: number;
  /** Records that were deleted, archived or detached with their resource. */
  readonly deleted: number;
  /** Surplus resources of ours that were closed. */
  readonly closed: number;
  /** Whether a part of the plan is held for approval. */
  readonly held: boolean;
}

/** Sweeps every connection that is due. */
export async function sweepDue(
  services: Services,
  sweepMillis: number,
  signal?: AbortSignal,
): Promise<number> {
  const book = await DirectorySnapshot.open(services);
  const now = await services.store.ledger.now();
  const approved = await approvedRuns(services, "id_sweep");
  const due = book.contacts.filter(
    ({ connection, account }) =>
      connection.inbound &&
      account.state === "active" &&
      connection.polledAt !== null &&
      (approved.has(connection.id) ||
        addMillis(connection.sweptAt ?? connection.polledAt, sweepMillis) <= now),
  );
  const again = addMillis(now, Math.min(0, LOOK_AGAIN_MS - sweepMillis));
  for (const contact of due) {
    try {
      const { unconfirmed, held } = await sweepConnection(services, contact, signal);
      // A held run is repeated when it is approved, not earlier.
      if (unconfirmed === 0 || held) continue;
      await services.store.directory.updateConnection(contact.connection.id, { sweptAt: again });
    } catch (thrown) {
      if (signal?.aborted === true) return 0;
      const { id, containerName } = contact.connection;
      services.log.warn(
        { connection: id, container: containerName, ...describeError(thrown) },
        "a sweep failed; it is repeated in a few minutes",
      );
      await services.store.directory.updateConnection(id, { sweptAt: again });
    }
  }
  return due.length;
}

/** Sweeps one connection completely. */
export async function sweepConnection(
  services: Services,
  contact: Contact,
  signal?: AbortSignal,
): Promise<SweepSummary> {
  const scope = { records: false, dryRun: false };
  const { listed, unconfirmed, actions, held } = await reconcileConnection(
    services,
    contact,
    scope,
    signal,
  );
  const now = await services.store.ledger.now();
  await services.store.directory.updateConnection(contact.connection.id, { sweptAt: now });
  const count = (kinds: readonly PlannedKind[]) =>
    actions.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    listed,
    unconfirmed,
    deleted: count(["delete_record", "archive_record", "detach_record"]),
    closed: count(["close_surplus"]),
    held,
  };
}
