/** Acts of people by the API and the command line: who did what to which thing, from where, and when. */
import type { Instant } from "../model/instant.ts";

/** An act stays for a year. */
export const AUDIT_KEPT_MS = 365 * 24 * 3_600_000;
/** Each new act removes at most so many old ones. */
export const AUDIT_PRUNED_AT_ONCE = 100;

export interface Act {
  /** A login of the dashboard, the API token, or a user of the command line. Never a secret. */
  readonly actor: string;
  /** Such as `connection.pause`. */
  readonly act: string;
  /** The thing it was done to, such as a connection's id; empty where there is no single one. */
  readonly subject: string;
  /** The address that the request came from, or `command line`. */
  readonly origin: string;
  /** The HTTP status that answered it. */
  readonly status: number;
}

export interface AuditEntry extends Act {
  readonly id: string;
  readonly at: Instant;
}

export interface AuditQuery {
  readonly act?: string;
  /** Only entries before this one. */
  readonly before?: string;
  readonly limit: number;
}

export interface AuditStore {
  /** Appends an act, and removes those that are too old. */
  append(act: Act): Promise<void>;
  /** Newest first. */
  entries(query: AuditQuery): Promise<readonly AuditEntry[]>;
}
