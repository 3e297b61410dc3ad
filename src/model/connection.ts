/** Accounts and connections: where resources live, and whether they may be touched now. */
import type { AccountId, ConnectionId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import type { Actor } from "./content.ts";

/** A login at an integration. */
export interface Account {
  readonly id: AccountId;
  readonly integration: string;
  /** The name the operator gave it; credentials are found by it. */
  readonly name: string;
  readonly state: "active" | "paused" | "needs_attention";
  /** Why it is not active, for people. */
  readonly reason: string | null;
  readonly pausedUntil: Instant | null;
  /** Who we are there; what we write carries this author. */
  readonly identity: Actor | null;
  /** Provider's clock minus ours, in microseconds. */
  readonly clockOffset: number;
  /** What the provider last said of its budget of requests; all workers share it. */
  readonly budget: {
    readonly limit: number;
    readonly remaining: number;
    readonly resetsAt: Instant;
  } | null;
}

/** One container of an account, joined to one scope value of the app. */
export interface Connection {
  readonly id: ConnectionId;
  readonly accountId: AccountId;
  readonly integration: string;
  /** The container's id that survives a rename: a numeric repository id. */
  readonly containerId: string;
  /** The container's present name: `acme/site`. */
  readonly containerName: string;
  /** The value of the scope column, as text. */
  readonly scope: string;
  readonly inbound: boolean;
  readonly outbound: boolean;
  readonly pausedReason: string | null;
  /** The latest `updated_at` a finished poll has seen, by resource type. */
  readonly highWater: Readonly<Record<string, Instant>>;
  /** Validators of conditional requests, by resource type. */
  readonly etags: Readonly<Record<string, string>>;
  /** When a poll was last attempted, which decides when the next one is due. */
  readonly polledAt: Instant | null;
  /** When a poll last came through. */
  readonly polledWellAt: Instant | null;
  /** Why the last attempt failed, for people; `null`: it came through. */
  readonly pollError: string | null;
  readonly sweptAt: Instant | null;
  /** When its records were last compared with base. */
  readonly localSweptAt: Instant | null;
  /** Records that the last local sweep found with neither lane, event nor captured write; `null`: not counted. */
  readonly untrackedRecords: number | null;
  /** When the provider was last asked whether what switched it off still holds; `null`: not since. */
  readonly accessAskedAt: Instant | null;
  /** Resource types whose existing things are still being paired: until then nothing is created. */
  readonly pairing: readonly string[];
}
