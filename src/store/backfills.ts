/** Backfills as the runtime takes their steps, and the keys by which they pair. */
import type { Backfill } from "../model/backfill.ts";
import type { ConnectionId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";

/** Which side of a pairing a key belongs to; its id is a record's key or a lane's id. */
export interface NotedKey {
  readonly side: "record" | "resource";
  readonly id: string;
  readonly key: string;
  readonly label: string;
}

/** Backfills, and the keys by which they pair; all of one connection and resource type. */
export interface BackfillStore {
  /**
   * Begins a backfill, or restarts the last one if it has finished. A backfill that is under way
   * continues; it creates records if either call asks for that.
   */
  open(
    connectionId: ConnectionId,
    resourceType: string,
    options: Pick<Backfill, "pairs" | "creates">,
  ): Promise<void>;
  /** Takes one that is due and that nobody has, for a while; `null` where there is none. */
  claim(connectionId: ConnectionId, resourceType: string, until: Instant): Promise<Backfill | null>;
  /** Writes where it is. `false` where its claim has passed to another, and nothing may be written. */
  save(claimed: Backfill, after: Backfill): Promise<boolean>;
  forgetKeys(connectionId: ConnectionId, resourceType: string): Promise<void>;
  noteKeys(
    connectionId: ConnectionId,
    resourceType: string,
    keys: readonly NotedKey[],
  ): Promise<void>;
  /** Keys that both sides have, in their order, with who has them: at most eleven of a side. */
  sharedKeys(
    connectionId: ConnectionId,
    resourceType: string,
    after: string | null,
    limit: number,
  ): Promise<
    readonly {
      readonly key: string;
      readonly label: string;
      readonly records: readonly string[];
      readonly resources: readonly string[];
    }[]
  >;
  /** Those of the records whose key a resource has too, and that are not alone with it. */
  ambiguousRecords(
    connectionId: ConnectionId,
    resourceType: string,
    recordIds: readonly string[],
  ): Promise<ReadonlySet<string>>;
  /** How many events of backfills wait or are worked on, counted up to a limit. */
  backlog(connectionId: ConnectionId, limit: number): Promise<number>;
}
