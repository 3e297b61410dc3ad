/** Accounts and connections, as the runtime reads and changes them. */
import type { Backfill } from "../model/backfill.ts";
import type { Account, Connection } from "../model/connection.ts";
import type { Actor } from "../model/content.ts";
import type { AccountId, ConnectionId } from "../model/ids.ts";

/** An account with what it takes to log in. */
export interface AccountRecord extends Account {
  readonly credentials: unknown;
  readonly webhookSecrets: readonly unknown[];
}

/** A connection with its account. */
export interface Contact {
  readonly connection: Connection;
  readonly account: AccountRecord;
}

export interface Directory {
  /** Backfills under way and the last finished one, by connection and resource type. */
  backfills(): Promise<readonly Backfill[]>;
  accounts(): Promise<readonly AccountRecord[]>;
  connections(): Promise<readonly Connection[]>;
  /** All connections, each with its account: in one statement, for it is asked at every step. */
  contacts(): Promise<readonly Contact[]>;
  saveAccount(account: {
    readonly integration: string;
    readonly name: string;
    readonly credentials: unknown;
    readonly webhookSecrets: readonly unknown[];
  }): Promise<AccountId>;
  saveConnection(connection: {
    readonly accountId: AccountId;
    readonly integration: string;
    readonly containerId: string;
    readonly containerName: string;
    readonly scope: string;
  }): Promise<ConnectionId>;
  updateAccount(
    id: AccountId,
    changes: Partial<
      Pick<Account, "state" | "reason" | "pausedUntil" | "clockOffset" | "budget">
    > & {
      readonly identity?: Actor;
    },
  ): Promise<void>;
  updateConnection(
    id: ConnectionId,
    changes: Partial<
      Pick<
        Connection,
        | "inbound"
        | "outbound"
        | "pausedReason"
        | "containerName"
        | "highWater"
        | "etags"
        | "polledAt"
        | "polledWellAt"
        | "pollError"
        | "sweptAt"
        | "localSweptAt"
        | "untrackedRecords"
        | "accessAskedAt"
      >
    >,
  ): Promise<void>;
}
