/** The ledger as the API shows it. */
import type { AccountRecord, DisabledPairing, LedgerEvent } from "../store/store.ts";
import { REASONS } from "../model/event.ts";
import { formatInstant, type Instant } from "../model/instant.ts";
import type { Connection } from "../model/connection.ts";
import type { ApiAccount, ApiConnection, ApiDisabledPairing, ApiEvent } from "./api-types.ts";

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
    polled_at: time(connection.polledAt),
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
    why: pairing.why,
  };
}

function time(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at);
}
