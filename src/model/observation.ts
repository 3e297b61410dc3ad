/** What an adapter reads out of a delivery, a poll or a response. */
import type { Actor, Content, FieldSpecs } from "./content.ts";
import type { Instant } from "./instant.ts";

/** Where a resource's observation came from; an event keeps it as its `source`. */
export type ObservationSource = "webhook" | "poll" | "backfill" | "reread" | "api";

/** A resource within its connection. */
export interface ResourceRef {
  /** The resource type: `issue`, `issue_comment`. */
  readonly type: string;
  /** The id within the connection's container, as text: `42`. Ids go beyond 2^53. */
  readonly externalId: string;
}

/** Where a resource is, whatever is connected: its container and its id there. */
export interface Place {
  readonly containerId: string;
  readonly externalId: string;
}

/** A resource that its users moved to another container, where it has another id. */
export interface ResourceMove {
  readonly type: string;
  readonly from: Place;
  readonly to: Place;
  /** The resource at its new place, where it was shown; its content is still on its way there. */
  readonly seen: Observation | null;
}

/** One look at a resource. */
export interface Observation extends ResourceRef {
  readonly action: "upsert" | "delete";
  /** The provider's own last-updated time, in the provider's resolution. */
  readonly updatedAt: Instant;
  /** Canonical fields; those that were not seen are absent. `null` for a deletion. */
  readonly content: Content | null;
  /** What is good to show and never compared: a number, a URL. */
  readonly display: Readonly<Record<string, string>>;
  /** The parent resource, such as the issue of a comment. */
  readonly parent: ResourceRef | null;
  /** The token found in the resource and stripped from its content. */
  readonly token: string | null;
  /** Who wrote the resource, where the provider tells. */
  readonly author: Actor | null;
  /** When it was created, by the provider's clock; absent where it does not tell. */
  readonly createdAt?: Instant;
  /** With what a later read may be answered "unchanged", by the same login; absent where there is none. */
  readonly validator?: string;
}

/** What Tandem must know of a type of resource; the adapter declares it. */
export interface ResourceType {
  readonly type: string;
  /** The relation that shows cached copies: `github_issues`. */
  readonly relation: string;
  readonly fields: FieldSpecs;
  /** The resource type of its parent, if it lives inside another. */
  readonly parent: string | null;
  /** Whether a create with these values can carry the token, invisibly; pure. */
  readonly carriesToken: (values: Content, token: string) => boolean;
  /**
   * The same values with a line that says who wrote them, as far as they have room for it beside the
   * token; whoever observes the resource takes it off again. Pure. Absent: there is no place for one.
   */
  readonly attribute?: (values: Content, line: string, token: string | null) => Content;
  /** What can be done to a resource whose record was deleted. */
  readonly removal: readonly ("delete" | "close")[];
  /** What closing sets; empty where nothing is ever closed. */
  readonly closedBy: Content;
  /**
   * `seconds`: several versions may carry one time. `monotonic`: every version has its own, so an
   * equal time is a duplicate, to the letter.
   */
  readonly versions: "seconds" | "monotonic";
  /** The resolution of the provider's times, in microseconds. */
  readonly resolution: number;
}
