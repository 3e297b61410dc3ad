/** Builders of what the API answers: each test names only what its story is about. */
import type { ApiBackfill, ApiEvent, ApiStatus } from "../../src/server/protocol/api-types.ts";

export function anEvent(given: Partial<ApiEvent> = {}): ApiEvent {
  return {
    id: "01960000-0000-7000-8000-000000000001",
    direction: "inbound",
    action: "upsert",
    source: "webhook",
    connection_id: "1",
    resource_type: "issue",
    integration_external_id: "7",
    integration_updated_at: "2026-03-02T09:00:00.000000Z",
    integration_record_id: "11",
    integration_record_type: "github_issues",
    record_id: "42",
    record_type: "tasks",
    state: "completed",
    reason: "updated_record",
    because: "The record took the resource's changes.",
    canceled_by: null,
    duplicate_of: null,
    ignored_for_id: null,
    ignored_for_type: null,
    content: null,
    changes: [],
    conflicts: [],
    error: null,
    attempts: 1,
    worker: null,
    run_at: "2026-03-02T09:00:00.000000Z",
    created_at: "2026-03-02T09:00:00.000000Z",
    started_at: null,
    finished_at: null,
    ...given,
  };
}

export function aStatus(given: Partial<ApiStatus> = {}): ApiStatus {
  return {
    now: "2026-03-02T09:00:00.000000Z",
    database: "pglite",
    version: "0.1.0",
    working: true,
    misfit: null,
    accounts: [],
    connections: [],
    live: { queued: 0, processing: 0, errored: 0, disabled: 0 },
    foreign_instance: null,
    backfills: [],
    held_runs: [],
    disabled_pairings: { count: 0, first: [] },
    undrained: 0,
    deliveries: { received: 0, translated: 0, irrelevant: 0, failed: 0 },
    missed_deliveries: { waiting: 0, given_up: 0 },
    refused_webhooks: [],
    ...given,
  };
}

export function aBackfill(given: Partial<ApiBackfill> = {}): ApiBackfill {
  return {
    connection_id: "1",
    connection: "acme/site",
    resource_type: "issue",
    step: "list",
    listed: 0,
    expected: null,
    paired: 0,
    created: 0,
    ambiguous: { count: 0, first: [] },
    waits_for: null,
    started_at: "2026-03-02T09:00:00.000000Z",
    finished_at: null,
    ...given,
  };
}
