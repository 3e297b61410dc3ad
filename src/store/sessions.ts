/**
 * Logins of the dashboard. The store keeps a digest of the cookie's value, so a reader of the table cannot log
 * in with it.
 */
import type { Instant } from "../model/instant.ts";

const DAY_MS = 24 * 3_600_000;

/** A session ends so long after its login ... */
export const SESSION_AGE_MS = 30 * DAY_MS;
/** ... and so long after its last request. */
export const SESSION_IDLE_MS = 7 * DAY_MS;
/** The time of a session's last request is written at most so often. */
export const SESSION_TOUCH_MS = 60_000;

export interface LoginSession {
  /** Digest of the cookie's value. */
  readonly id: string;
  /** The address that it was opened from. */
  readonly origin: string;
  readonly createdAt: Instant;
  readonly usedAt: Instant;
}

export interface SessionStore {
  /** Opens a session, and removes the expired ones. */
  open(
    session: Pick<LoginSession, "id" | "origin"> & { readonly tokenDigest: string },
  ): Promise<void>;
  /** Whether a session is alive. One of another token, or an expired one, ends here. */
  use(id: string, tokenDigest: string): Promise<boolean>;
  /** Those that have not expired, newest first. */
  list(): Promise<readonly LoginSession[]>;
  /** Ends one; `false` where there is none of that id. */
  end(id: string): Promise<boolean>;
  /** Ends all. */
  endAll(): Promise<void>;
}
