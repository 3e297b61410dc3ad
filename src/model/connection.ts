/**
 * Accounts and connections: the credentials and containers of resources, and whether they may be used now. A connection
 * is switched off while no record can have its scope (situation 71).
 */
import type { AccountId, ConnectionId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import type { Actor } from "./content.ts";
import type { Mapping } from "./mapping.ts";

/** The credentials and the rate limit under which requests are sent: an installation or a token. */
export interface Account {
  readonly id: AccountId;
  readonly integration: string;
  /** The operator's name for it, by which its credentials are found. */
  readonly name: string;
  readonly state: "active" | "paused" | "needs_attention";
  /** Why the account is not active, for people. */
  readonly reason: string | null;
  readonly pausedUntil: Instant | null;
  /** The actor as which the account writes; `null` until the integration was asked. */
  readonly identity: Actor | null;
  /** The provider's clock minus ours, in microseconds. */
  readonly clockOffset: number;
  /** The last rate limit that the provider reported. All workers share it. */
  readonly budget: {
    readonly limit: number;
    readonly remaining: number;
    readonly resetsAt: Instant;
  } | null;
}

/** The link between one container of an account and one scope value of the app. */
export interface Connection {
  readonly id: ConnectionId;
  readonly accountId: AccountId;
  readonly integration: string;
  /** The container's permanent id, which survives a rename: a numeric repository id. */
  readonly containerId: string;
  /** The container's present name: `acme/site`. */
  readonly containerName: string;
  /** The value of the scope column, as text. */
  readonly scope: string;
  readonly inbound: boolean;
  readonly outbound: boolean;
  readonly pausedReason: string | null;
  /** The latest `updated_at` that a finished poll has seen, by resource type. */
  readonly highWater: Readonly<Record<string, Instant>>;
  /** Validators of conditional requests, by resource type. */
  readonly etags: Readonly<Record<string, string>>;
  /** When a poll was last attempted, which decides when the next one is due. */
  readonly polledAt: Instant | null;
  /** When a poll last succeeded. */
  readonly polledWellAt: Instant | null;
  /** Why the last poll failed, for people; `null`: it succeeded. */
  readonly pollError: string | null;
  readonly sweptAt: Instant | null;
  /** When the local sweep last compared its records with base. */
  readonly localSweptAt: Instant | null;
  /** Records that the last local sweep found with neither lane, event nor captured write; `null`: not counted. */
  readonly untrackedRecords: number | null;
  /** When the provider was last asked whether the reason for the pause still holds; `null`: not since the pause. */
  readonly accessAskedAt: Instant | null;
  /** Resource types whose backfill still pairs what exists: nothing of these types is created until it ends. */
  readonly pairing: readonly string[];
}

/** Why no row can have a value in its scope column. */
export type ScopeMisfit =
  | { readonly kind: "not_of_type"; readonly type: string }
  /** The column shows the same value as another text, so no row would be found by this one. */
  | { readonly kind: "written_otherwise"; readonly as: string }
  | { readonly kind: "no_row"; readonly table: string };

export interface UnfitScope {
  /** The setting that names the column. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** The misfit in words for people. */
export function describeMisfit(mapping: Mapping, scope: string, misfit: ScopeMisfit): UnfitScope {
  const { recordType, scopeColumn, integration, resource } = mapping;
  const column = `${recordType}.${scopeColumn ?? ""}`;
  const path = `records.${recordType}.sync["${integration}.${resource.type}"].scope`;
  switch (misfit.kind) {
    case "not_of_type":
      return {
        path,
        message: `scope ${scope} does not fit ${column}, which is of type ${misfit.type}`,
        hint: `Connect the container to a value that ${column} can have.`,
      };
    case "written_otherwise":
      return {
        path,
        message: `scope ${scope} is written ${misfit.as} in ${column}`,
        hint: `Connect the container to scope ${misfit.as}.`,
      };
    case "no_row":
      return {
        path,
        message: `scope ${scope}: ${column} refers to ${misfit.table}, which has no row ${scope}`,
        hint: `Create that row of ${misfit.table}, or connect the container to the scope of one that exists.`,
      };
  }
}

const UNFIT = "scope_unfit";

/** Why a connection is switched off while its scope is unfit. */
export function unfitReason({ message }: UnfitScope): string {
  return `${UNFIT}: ${message}`;
}

/** Whether a connection was switched off because of its scope, and is switched on again once the scope fits. */
export function isOffForScope(pausedReason: string | null): boolean {
  return pausedReason?.startsWith(`${UNFIT}: `) === true;
}
