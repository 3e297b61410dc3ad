/**
 * Lanes that a query finds without locking them. A lane may change until it is locked, so a decision on what a query
 * says must lock the lane and check again.
 */
import type { ConnectionId, LaneId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { Intent, Lane } from "../model/lane.ts";
import type { Tombstone } from "../model/tombstone.ts";

/** The part of a lane that its narrow row holds: which pairing it is, and whether it lives. */
export type LaneSummary = Pick<
  Lane,
  | "id"
  | "connectionId"
  | "resourceType"
  | "recordType"
  | "externalId"
  | "recordId"
  | "tombstone"
  | "moved"
  | "intent"
>;

/** Living and ended lanes, unless the kind says otherwise; in the order of their ids, unless it names another one. */
export type LaneQuery =
  /** Lanes of resources, in no order. */
  | (OfType & { readonly kind: "of_resources"; readonly externalIds: readonly string[] })
  /** Lanes whose intent has one of the tokens, also if they were transferred from this connection. In no order. */
  | (OfType & { readonly kind: "of_tokens"; readonly tokens: readonly string[] })
  /** Living lanes of records, in any connection. */
  | {
      readonly kind: "of_records";
      readonly recordType: string;
      readonly recordIds: readonly string[];
    }
  /** Lanes of records that have ended; the one that ended first comes first. */
  | {
      readonly kind: "ended_of_records";
      readonly recordType: string;
      readonly recordIds: readonly string[];
    }
  /** Lanes of creates that were sent without their token, and whose resource was not seen yet. */
  | (OfType & {
      readonly kind: "open_creates";
      /** Also creates that were sent with their token, while an outbound event is left to settle them. */
      readonly withToken: boolean;
      /** A create that began by then may have stalled. */
      readonly stalledSince: Instant;
    })
  /** Lanes whose parent is the resource of that id. */
  | (OfType & { readonly kind: "children"; readonly parentExternalId: string })
  /** Living lanes without a record, of resources below those of the lanes given. */
  | { readonly kind: "unpaired_children"; readonly parents: readonly LaneId[] }
  /** Lanes whose resource moved out of reach, to that place. */
  | { readonly kind: "moved_to"; readonly resourceType: string; readonly place: string }
  /** Lanes of present records whose resources are out of reach; those that left last come first. */
  | {
      readonly kind: "out_of_reach";
      readonly connectionIds: readonly ConnectionId[];
      readonly resourceType: string;
      readonly limit: number;
    }
  /** Lanes whose resource came from that place, out of reach; living ones first. */
  | { readonly kind: "came_from"; readonly resourceType: string; readonly place: string }
  /** Living lanes that have a resource, after the lane given. */
  | (OfType & {
      readonly kind: "with_resource";
      readonly after: LaneId | null;
      readonly limit: number;
    })
  /** Living lanes that have a record, in the order of its key's text, after the key given. */
  | (OfType & {
      readonly kind: "with_record";
      readonly recordType: string;
      readonly after: string | null;
      readonly limit: number;
    });

interface OfType {
  readonly connectionId: ConnectionId;
  readonly resourceType: string;
}

/** A lane that a query of this kind finds: its condition excludes `null` in some parts. */
export type FoundLane<Query extends Pick<LaneQuery, "kind">> = LaneSummary &
  (Query["kind"] extends keyof Certain ? Certain[Query["kind"]] : unknown);

interface Certain {
  readonly of_resources: { readonly externalId: string };
  readonly of_tokens: { readonly intent: Intent };
  readonly of_records: { readonly recordId: string; readonly tombstone: null };
  readonly ended_of_records: { readonly recordId: string; readonly tombstone: Tombstone };
  readonly open_creates: {
    readonly externalId: null;
    readonly intent: Intent;
    /** It began long ago, and no outbound event will settle it: none is left, or they all errored. */
    readonly stalled: boolean;
  };
  /** With what people see of the resource, which the wide row holds. */
  readonly came_from: { readonly externalId: string; readonly display: Lane["display"] };
  readonly out_of_reach: {
    readonly externalId: string;
    readonly recordId: string;
    readonly tombstone: Tombstone;
  };
  readonly with_resource: { readonly externalId: string };
  readonly with_record: { readonly recordId: string };
}
