/** Hooks that are to follow a commit, as the runtime notes and claims them. */
import type { EventId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { Row } from "../model/mapping.ts";

/** A hook that is to follow a commit, noted by the transaction that wrote the record. */
export interface AfterCommitMark {
  readonly id: string;
  readonly integration: string;
  readonly resourceType: string;
  readonly recordType: string;
  readonly recordId: string;
  readonly op: "insert" | "update" | "delete";
  /** The deleted row as it was; `null` unless `op` is `delete`. */
  readonly row: Row | null;
  readonly event: EventId;
  /** How often it was claimed. */
  readonly attempts: number;
}

export interface AfterCommitStore {
  add(mark: Omit<AfterCommitMark, "id" | "attempts">): Promise<void>;
  /**
   * Claims due marks, oldest first; no other claim returns them before `until`. Each record gives only
   * its oldest mark: a later mark waits until the oldest is done.
   */
  claim(limit: number, until: Instant): Promise<readonly AfterCommitMark[]>;
  done(id: string): Promise<void>;
  again(id: string, runAt: Instant): Promise<void>;
}
