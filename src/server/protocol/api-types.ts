/**
 * The JSON that the API returns. The dashboard, the CLI and scripts read the same shapes. Times are
 * ISO 8601 with microseconds; ids are text.
 */
import type { Conflict } from "../../model/event.ts";
import type { HintPart } from "../../model/acts/hint.ts";

export interface ApiEvent {
  readonly id: string;
  readonly direction: "inbound" | "outbound";
  readonly action: "upsert" | "delete";
  readonly source: string;
  /** `null`, like the resource, for a journal's event: a record's own write has no connection. */
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
  /** The worker that processes it, or did so last. */
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
  /** Records without lane, event or capture, as the last local sweep counted them; `null`: not counted. */
  readonly untracked_records: number | null;
  /** When a poll last succeeded. */
  readonly polled_at: string | null;
  /** When a poll was last attempted. */
  readonly poll_attempted_at: string | null;
  /** Why that attempt failed; `null`: it succeeded. */
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

/** A disabled pairing, until `POST /api/records/:table/:id/enable`. */
export interface ApiDisabledPairing {
  readonly connection: string;
  readonly resource_type: string;
  readonly integration_external_id: string | null;
  readonly record_type: string;
  readonly record_id: string | null;
  /** `quarantined`: two systems overwrite each other; `unmapped`: not configured; `restored`: from a backup. */
  readonly cause: "quarantined" | "unmapped" | "restored";
  /** The cause in words, for people. */
  readonly why: string;
}

/** A run over its blast radius, until `POST /api/runs/:id/approve` or `.../reject`. */
export interface ApiHeldRun {
  readonly id: string;
  readonly connection: string;
  readonly kind: "id_sweep" | "local_sweep" | "reconcile" | "backfill";
  /** `approved`: the next run executes it. `rejected`: it stays undone until its plan grows. */
  readonly state: "held" | "approved" | "rejected";
  readonly deletes: number;
  readonly overwrites: number;
  /** The number of the connection's pairings. */
  readonly records: number;
  /** The first records that it would delete or overwrite. */
  readonly sample: readonly {
    readonly what: "delete" | "overwrite";
    readonly record_type: string;
    readonly record_id: string | null;
    readonly resource_type: string;
    readonly integration_external_id: string | null;
  }[];
  readonly since: string;
  /** A sentence: the actions of the plan, and their cause. */
  readonly because: string;
}

/** One action of a reconcile, done or planned. */
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
  /** Resources that seem to be missing but were observed moments ago: a later reconcile decides. */
  readonly unconfirmed: number;
  /** Whether the whole plan was executed; false in a dry run. */
  readonly applied: boolean;
  /** Whether deletions or overwrites wait for approval. */
  readonly held: boolean;
  readonly actions: readonly ApiPlannedAction[];
}

/** The progress of the backfill of one resource type. */
export interface ApiBackfill {
  readonly connection_id: string;
  readonly connection: string;
  readonly resource_type: string;
  readonly step: "list" | "index_records" | "index_resources" | "pair" | "create" | "done";
  readonly listed: number;
  /** The number of resources, if the provider says so. */
  readonly expected: number | null;
  readonly paired: number;
  readonly created: number;
  /** Keys that several records or resources share, so that the backfill cannot pair them. */
  readonly ambiguous: {
    readonly count: number;
    readonly first: readonly {
      readonly label: string;
      readonly records: readonly string[];
      readonly resources: readonly string[];
    }[];
  };
  /** Why it waits now. */
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
  /** Why the schema does not fit this process's code or mappings, so that workers stop; `null`: it fits. */
  readonly misfit: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  } | null;
  readonly accounts: readonly ApiAccount[];
  readonly connections: readonly ApiConnection[];
  /** Events that are not terminal, by state. */
  readonly live: Readonly<Record<"queued" | "processing" | "errored" | "disabled", number>>;
  /** Why no event is processed: the database is a copy. `POST /api/instance/approve` releases it. */
  readonly foreign_instance: string | null;
  /** Backfills that are not done. */
  readonly backfills: readonly ApiBackfill[];
  /** Held runs, which wait for a person. */
  readonly held_runs: readonly ApiHeldRun[];
  /** Disabled pairings: how many, and the first of them. */
  readonly disabled_pairings: {
    readonly count: number;
    readonly first: readonly ApiDisabledPairing[];
  };
  /** Captures that the drain has not yet turned into events. */
  readonly undrained: number;
  readonly deliveries: Readonly<
    Record<"received" | "translated" | "irrelevant" | "failed", number>
  >;
  /** Webhooks that failed at the provider: a redelivery is requested (`waiting`), or no longer (`given_up`). */
  readonly missed_deliveries: Readonly<Record<"waiting" | "given_up", number>>;
  /** Webhooks that were refused within a day, by cause, from all processes. The counts are seconds late. */
  readonly refused_webhooks: readonly ApiRefusals[];
}

/** Webhooks that were refused for one cause. */
export interface ApiRefusals {
  /** `unknown` if no integration has the name in the request. */
  readonly integration: string;
  /** For example `signature_mismatch`. */
  readonly code: string;
  readonly count: number;
  /** The last minute with such a refusal. */
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
    /** One sentence: the state of the pairing, and what it waits for. */
    readonly standing: string;
    readonly base: Readonly<Record<string, unknown>> | null;
    readonly events: readonly ApiEvent[];
  }[];
  /** The record's own writes, newest first, if its table has a journal. */
  readonly journal: readonly ApiEvent[];
}

/** A login of the dashboard. */
export interface ApiSession {
  /** The id for revoking the session. It cannot be used to log in. */
  readonly id: string;
  /** The address that logged in. */
  readonly origin: string;
  readonly created_at: string;
  readonly used_at: string;
  /** When the session ends if it is not used again. */
  readonly expires_at: string;
  /** Whether this session made the request. */
  readonly current: boolean;
}

/** `GET /api/sessions`, `POST /api/sessions/:id/revoke`, `POST /api/sessions/revoke`: active sessions. */
export interface ApiSessions {
  readonly sessions: readonly ApiSession[];
}

/** An act of a person or a script. */
export interface ApiAct {
  readonly id: string;
  readonly at: string;
  /** A login of the dashboard, the API token, a user of the command line, or a name that the app gives. */
  readonly actor: string;
  /** For example `connection.pause`. */
  readonly act: string;
  /** The id of the thing that was changed; empty if there is no single one. */
  readonly subject: string;
  /** The client's address, or `command line`. */
  readonly origin: string;
  /** The HTTP status of the response; 4xx means that the act was refused. */
  readonly status: number;
}

/** `GET /api/audit?act=connection.pause&before=ID&limit=100`, newest first. */
export interface ApiAudit {
  readonly acts: readonly ApiAct[];
  /** Pass it as `before` for the next page. */
  readonly next: string | null;
}

/** Every refusal: the problem, its cause, and the remedy. */
export interface ApiProblem {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    /** The hint if it refers to acts: text, and acts by name. The CLI shows them as commands. */
    readonly hint_parts?: readonly HintPart[];
  };
}

/**
 * `GET /api/stream` (server-sent events): `event: ledger` carries an `ApiEvent` that was created or
 * changed; `event: status` carries an `ApiStatus`, at most once a second.
 */
export type ApiStreamMessage =
  | { readonly event: "ledger"; readonly data: ApiEvent }
  | { readonly event: "status"; readonly data: ApiStatus };
