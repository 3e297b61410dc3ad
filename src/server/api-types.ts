/**
 * What the API answers, as JSON. The dashboard, the CLI beside a running server, and anybody's
 * `curl` read the same shapes. Times are ISO 8601 with microseconds; ids are text.
 */
import type { Conflict } from "../model/event.ts";

export interface ApiEvent {
  readonly id: string;
  readonly direction: "inbound" | "outbound";
  readonly action: "upsert" | "delete";
  readonly source: string;
  /** A record's own write has no connection and no resource: these are null. */
  readonly connection_id: string | null;
  readonly resource_type: string | null;
  readonly integration_external_id: string | null;
  readonly integration_updated_at: string | null;
  readonly integration_record_id: string | null;
  readonly integration_record_type: string | null;
  readonly record_id: string | null;
  readonly record_type: string;
  readonly state:
    | "queued"
    | "processing"
    | "completed"
    | "errored"
    | "canceled"
    | "ignored"
    | "duplicate"
    | "disabled";
  readonly reason: string;
  /** The reason in a sentence. */
  readonly because: string;
  readonly canceled_by: string | null;
  readonly duplicate_of: string | null;
  readonly ignored_for_id: string | null;
  readonly ignored_for_type: string | null;
  readonly content: Readonly<Record<string, unknown>> | null;
  readonly changes: readonly {
    readonly side: "record" | "resource";
    readonly field: string;
    readonly from: unknown;
    readonly to: unknown;
  }[];
  readonly conflicts: readonly {
    readonly field: string;
    readonly winner: "record" | "resource";
    readonly kept: unknown;
    readonly lost: unknown;
    readonly why: Conflict["why"];
  }[];
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly retryable: boolean;
    readonly httpStatus: number | null;
    readonly requestId: string | null;
  } | null;
  readonly attempts: number;
  /** Who works on it, or did last. */
  readonly worker: string | null;
  readonly run_at: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** `GET /api/events?state=&direction=&record=tasks:42&connection=&before=ID&limit=100`, newest first. */
export interface ApiEvents {
  readonly events: readonly ApiEvent[];
  /** Pass it as `before` for the next page. */
  readonly next: string | null;
}

export interface ApiConnection {
  readonly id: string;
  readonly account: string;
  readonly integration: string;
  readonly container: string;
  readonly container_id: string;
  readonly scope: string;
  readonly inbound: boolean;
  readonly outbound: boolean;
  readonly paused_reason: string | null;
  /** Records that the last local sweep found with neither lane, event nor captured write; `null`: not counted. */
  readonly untracked_records: number | null;
  /** When a poll last came through. */
  readonly polled_at: string | null;
  /** When one was last attempted. */
  readonly poll_attempted_at: string | null;
  /** Why that attempt failed; `null`: it came through. */
  readonly poll_error: string | null;
}

export interface ApiAccount {
  readonly id: string;
  readonly name: string;
  readonly integration: string;
  readonly state: "active" | "paused" | "needs_attention";
  readonly reason: string | null;
  readonly paused_until: string | null;
}

/** A pairing that is switched off, until `POST /api/records/:table/:id/enable`. */
export interface ApiDisabledPairing {
  readonly connection: string;
  readonly resource_type: string;
  readonly integration_external_id: string | null;
  readonly record_type: string;
  readonly record_id: string | null;
  /** `quarantined`: fought over; `unmapped`: not configured; `restored`: from a backup. */
  readonly cause: "quarantined" | "unmapped" | "restored";
  /** Why, for people. */
  readonly why: string;
}

/** A run that would do too much, until `POST /api/runs/:id/approve` or `.../reject`. */
export interface ApiHeldRun {
  readonly id: string;
  readonly connection: string;
  readonly kind: "id_sweep" | "local_sweep" | "reconcile" | "backfill";
  /** `approved`: it goes on with the next look. `rejected`: it stays undone until it would do more. */
  readonly state: "held" | "approved" | "rejected";
  readonly deletes: number;
  readonly overwrites: number;
  /** How many pairings the connection has. */
  readonly records: number;
  /** The first of what it would do. */
  readonly sample: readonly {
    readonly what: "delete" | "overwrite";
    readonly record_type: string;
    readonly record_id: string | null;
    readonly resource_type: string;
    readonly integration_external_id: string | null;
  }[];
  readonly since: string;
  /** What it is, in a sentence. */
  readonly because: string;
}

/** One thing that a reconcile does, or would do. */
export interface ApiPlannedAction {
  readonly kind:
    | "create_record"
    | "update_record"
    | "restore_record"
    | "move_record"
    | "delete_record"
    | "archive_record"
    | "detach_record"
    | "create_resource"
    | "patch_resource"
    | "remove_resource"
    | "close_surplus";
  readonly record_type: string;
  readonly record_id: string | null;
  readonly resource_type: string;
  readonly integration_external_id: string | null;
  readonly changes: ApiEvent["changes"];
  readonly conflicts: ApiEvent["conflicts"];
}

/** `POST /api/connections/1/reconcile?dry_run=true` */
export interface ApiReconciliation {
  readonly listed: number;
  /** Missing resources that a later look must tell: they were heard of moments before. */
  readonly unconfirmed: number;
  /** Whether all of it was carried out; not in a dry run. */
  readonly applied: boolean;
  /** Whether what it would delete or overwrite waits for approval. */
  readonly held: boolean;
  readonly actions: readonly ApiPlannedAction[];
}

/** Where the backfill of one resource type is. */
export interface ApiBackfill {
  readonly connection_id: string;
  readonly connection: string;
  readonly resource_type: string;
  readonly step: "list" | "index_records" | "index_resources" | "pair" | "create" | "done";
  readonly listed: number;
  /** How many there are, as far as the provider tells. */
  readonly expected: number | null;
  readonly paired: number;
  readonly created: number;
  /** Keys that several records or resources have; nobody can say which belong together. */
  readonly ambiguous: {
    readonly count: number;
    readonly first: readonly {
      readonly label: string;
      readonly records: readonly string[];
      readonly resources: readonly string[];
    }[];
  };
  /** Why it does not go on now. */
  readonly waits_for: string | null;
  readonly started_at: string;
  readonly finished_at: string | null;
}

/** `GET /api/backfills`, `POST /api/connections/1/backfill` */
export interface ApiBackfills {
  readonly backfills: readonly ApiBackfill[];
}

/** `GET /api/status` */
export interface ApiStatus {
  readonly now: string;
  readonly database: "postgres" | "pglite" | "memory";
  readonly version: string;
  /** Whether this process runs workers. */
  readonly working: boolean;
  /** Why workers of this process's code or mappings must not work here; `null` where they fit. */
  readonly misfit: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  } | null;
  readonly accounts: readonly ApiAccount[];
  readonly connections: readonly ApiConnection[];
  /** Events that are not terminal, by state. */
  readonly live: Readonly<Record<"queued" | "processing" | "errored" | "disabled", number>>;
  /** Why nothing is worked on: the database is a copy. `POST /api/instance/approve` goes on. */
  readonly foreign_instance: string | null;
  /** Backfills that are not done. */
  readonly backfills: readonly ApiBackfill[];
  /** Runs that wait for a person's word. */
  readonly held_runs: readonly ApiHeldRun[];
  /** Pairings that are switched off: how many, and the first of them. */
  readonly disabled_pairings: {
    readonly count: number;
    readonly first: readonly ApiDisabledPairing[];
  };
  /** Local writes that were captured and not yet turned into events. */
  readonly undrained: number;
  readonly deliveries: Readonly<
    Record<"received" | "translated" | "irrelevant" | "failed", number>
  >;
  /** Webhooks that failed at the provider and have not come since: asked for again, or no more. */
  readonly missed_deliveries: Readonly<Record<"waiting" | "given_up", number>>;
  /** Webhooks that were refused within a day, by cause; of each process, and some seconds late. */
  readonly refused_webhooks: readonly ApiRefusals[];
}

/** Webhooks refused for one cause. */
export interface ApiRefusals {
  /** `unknown` where no integration has the name that was asked for. */
  readonly integration: string;
  /** Such as `signature_mismatch`. */
  readonly code: string;
  readonly count: number;
  /** The last minute that had one. */
  readonly last_at: string;
}

/** `GET /api/explain/tasks/42` */
export interface ApiExplanation {
  readonly record_type: string;
  readonly record_id: string;
  readonly pairings: readonly {
    readonly connection: string;
    readonly integration_record_type: string;
    readonly integration_external_id: string | null;
    readonly url: string | null;
    readonly in_sync: boolean;
    /** One sentence: where the pairing stands and what it waits for. */
    readonly standing: string;
    readonly base: Readonly<Record<string, unknown>> | null;
    readonly events: readonly ApiEvent[];
  }[];
  /** The record's own writes, newest first, where its table has a journal. */
  readonly journal: readonly ApiEvent[];
}

/** A login of the dashboard. */
export interface ApiSession {
  /** By which it is revoked; nobody can log in with it. */
  readonly id: string;
  /** The address that it was opened from. */
  readonly origin: string;
  readonly created_at: string;
  readonly used_at: string;
  /** When it ends, if it is not used before. */
  readonly expires_at: string;
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

/** `GET /api/sessions`, `POST /api/sessions/:id/revoke`, `POST /api/sessions/revoke`: those that live. */
export interface ApiSessions {
  readonly sessions: readonly ApiSession[];
}

/** What a person, or a script, did. */
export interface ApiAct {
  readonly id: string;
  readonly at: string;
  /** A login of the dashboard, the API token, a user of the command line, or as the app names them. */
  readonly actor: string;
  /** Such as `connection.pause`. */
  readonly act: string;
  /** The id of the thing it was done to; empty where there is no single one. */
  readonly subject: string;
  /** The address that it came from, or `command line`. */
  readonly origin: string;
  /** The HTTP status that answered it: 4xx, it was refused. */
  readonly status: number;
}

/** `GET /api/audit?act=connection.pause&before=ID&limit=100`, newest first. */
export interface ApiAudit {
  readonly acts: readonly ApiAct[];
  /** Pass it as `before` for the next page. */
  readonly next: string | null;
}

/** Every refusal: what is wrong, why, and what to do about it. */
export interface ApiProblem {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

/**
 * `GET /api/stream` (server-sent events): `event: ledger` carries an `ApiEvent` each time one is
 * born or moves; `event: status` carries an `ApiStatus`, at most once a second.
 */
export type ApiStreamMessage =
  | { readonly event: "ledger"; readonly data: ApiEvent }
  | { readonly event: "status"; readonly data: ApiStatus };
