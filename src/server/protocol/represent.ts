/** Converts the ledger's values to the API's shapes. */
import type { AccountRecord } from "../../store/store.ts";
import type { DisabledPairing, LedgerEvent } from "../../store/ledger.ts";
import { REASONS } from "../../model/event.ts";
import type { Backfill } from "../../model/backfill.ts";
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { HeldRun } from "../../model/held-run.ts";
import type { Connection } from "../../model/connection.ts";
import type {
  ApiAccount,
  ApiBackfill,
  ApiConnection,
  ApiDisabledPairing,
  ApiEvent,
  ApiHeldRun,
} from "./api-types.ts";

export function representEvent(event: LedgerEvent): ApiEvent {
  return {
    id: event.id,
    direction: event.direction,
    action: event.action,
    source: event.source,
    connection_id: event.connectionId,
    resource_type: event.resourceType,
    integration_external_id: event.externalId,
    integration_updated_at: time(event.updatedAt),
    integration_record_id: event.laneId,
    integration_record_type: event.relation,
    record_id: event.recordId,
    record_type: event.recordType,
    state: event.state,
    reason: event.reason,
    because: REASONS[event.reason],
    canceled_by: event.canceledBy,
    duplicate_of: event.duplicateOf,
    ignored_for_id: event.ignoredFor?.id ?? null,
    ignored_for_type: event.ignoredFor?.type ?? null,
    content: event.content,
    changes: event.changes,
    conflicts: event.conflicts,
    error: event.error,
    attempts: event.attempts,
    worker: event.worker,
    run_at: formatInstant(event.runAt),
    created_at: formatInstant(event.createdAt),
    started_at: time(event.startedAt),
    finished_at: time(event.finishedAt),
  };
}

export function representConnection(connection: Connection, account: AccountRecord): ApiConnection {
  return {
    id: connection.id,
    account: account.name,
    integration: connection.integration,
    container: connection.containerName,
    container_id: connection.containerId,
    scope: connection.scope,
    inbound: connection.inbound,
    outbound: connection.outbound,
    paused_reason: connection.pausedReason,
    untracked_records: connection.untrackedRecords,
    polled_at: time(connection.polledWellAt),
    poll_attempted_at: time(connection.polledAt),
    poll_error: connection.pollError,
  };
}

export function representAccount(account: AccountRecord): ApiAccount {
  return {
    id: account.id,
    name: account.name,
    integration: account.integration,
    state: account.state,
    reason: account.reason,
    paused_until: time(account.pausedUntil),
  };
}

/** The finding of each kind of run, which explains its plan. */
const FOUND: Readonly<Record<HeldRun["kind"], string>> = {
  id_sweep: "resources of the connection are missing at the provider",
  local_sweep: "records changed or disappeared since the last sync, and no trigger captured it",
  reconcile: "record and resource differ",
  backfill: "existing records and resources differ",
};

export function representHeldRun(run: HeldRun, connections: readonly Connection[]): ApiHeldRun {
  const { deletes, overwrites, records } = run.outlook;
  const connection = connections.find(({ id }) => id === run.connectionId);
  const doomed = [
    deletes > 0 ? `delete ${String(deletes)}` : "",
    overwrites > 0 ? `overwrite ${String(overwrites)}` : "",
  ]
    .filter((part) => part !== "")
    .join(" and ");
  return {
    id: run.id,
    connection: connection?.containerName ?? run.connectionId,
    kind: run.kind,
    state: run.state,
    ...{ deletes, overwrites, records },
    sample: run.sample.map((affected) => ({
      what: affected.what,
      record_type: affected.recordType,
      record_id: affected.recordId,
      resource_type: affected.resourceType,
      integration_external_id: affected.externalId,
    })),
    since: formatInstant(run.since),
    because: `It would ${doomed} of ${String(records)} records: ${FOUND[run.kind]}.`,
  };
}

export function representDisabled(
  pairing: DisabledPairing,
  connections: readonly Connection[],
): ApiDisabledPairing {
  const connection = connections.find(({ id }) => id === pairing.connectionId);
  return {
    connection: connection?.containerName ?? pairing.connectionId,
    resource_type: pairing.resourceType,
    integration_external_id: pairing.externalId,
    record_type: pairing.recordType,
    record_id: pairing.recordId,
    cause: pairing.cause,
    why: pairing.why,
  };
}

function time(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at);
}

export function representBackfill(
  backfill: Backfill,
  connections: readonly Connection[],
): ApiBackfill {
  const { progress, connectionId: id } = backfill;
  return {
    connection_id: id,
    connection: connections.find((connection) => connection.id === id)?.containerName ?? id,
    resource_type: backfill.resourceType,
    step: backfill.step,
    listed: progress.listed,
    expected: progress.expected,
    paired: progress.paired,
    created: progress.created,
    ambiguous: { count: progress.ambiguousCount, first: progress.ambiguous },
    waits_for: progress.waitsFor,
    started_at: formatInstant(backfill.startedAt),
    finished_at: backfill.finishedAt === null ? null : formatInstant(backfill.finishedAt),
  };
}
