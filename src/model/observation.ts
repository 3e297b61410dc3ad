/** Observations: the content of resources as an adapter reads it from a webhook, a poll or a response. */
import type { Actor, Content, FieldSpecs } from "./content.ts";
import type { ConnectionId } from "./ids.ts";
import type { Instant } from "./instant.ts";

/** The origin of an observation; an event keeps it as its `source`. */
export type ObservationSource = "webhook" | "poll" | "backfill" | "reread" | "api";

/** A resource within its connection. */
export interface ResourceRef {
  /** The resource type: `issue`, `issue_comment`. */
  readonly type: string;
  /** The id within the connection's container, as text: `42`. Ids go beyond 2^53. */
  readonly externalId: string;
}

/** Orders external ids as a provider counts them up: by length, then by text, because they go beyond 2^53. */
export function compareExternalIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

/** The address of a resource, whether or not a connection covers it. */
export interface Place {
  readonly containerId: string;
  readonly externalId: string;
}

/** An address that a connection covers: the one of a lane, or one that it had. */
export interface LaneAddress {
  readonly connection: ConnectionId;
  readonly externalId: string;
}

/** The move of a resource to another container, where it has another id. */
export interface ResourceMove {
  readonly type: string;
  readonly from: Place;
  readonly to: Place;
  /** The resource at its new place, if it was shown; its children may not have arrived there yet. */
  readonly seen: Observation | null;
}

/** The content of one resource as it was observed once. */
export interface Observation extends ResourceRef {
  readonly action: "upsert" | "delete";
  /** The provider's own last-updated time, in the provider's resolution. */
  readonly updatedAt: Instant;
  /** Canonical fields; an unseen field is absent. `null` for a deletion. */
  readonly content: Content | null;
  /** Values for display, which are never compared: a number, a URL. */
  readonly display: Readonly<Record<string, string>>;
  /** The parent resource, such as the issue of a comment. */
  readonly parent: ResourceRef | null;
  /** The idempotency token that was found in the resource and stripped from its content. */
  readonly token: string | null;
  /** The author; `null` if the provider does not tell. */
  readonly author: Actor | null;
  /** When it was created, by the provider's clock; absent if the provider does not tell. */
  readonly createdAt?: Instant;
  /** The validator with which a later read by the same login may be answered "unchanged"; absent if there is none. */
  readonly validator?: string;
}

/** The properties of a resource type, which the adapter declares. */
export interface ResourceType {
  readonly type: string;
  /** The relation that shows cached copies: `github_issues`. */
  readonly relation: string;
  readonly fields: FieldSpecs;
  /** The resource type of its parent, if it lives inside another. */
  readonly parent: string | null;
  /** Whether a create with these values can carry the idempotency token invisibly. Pure. */
  readonly carriesToken: (values: Content, token: string) => boolean;
  /**
   * The values with an attribution line that names the author, if they have room for it besides the token. The
   * adapter strips the line from every observation. Pure. Absent if the type has no place for a line.
   */
  readonly attribute?: (values: Content, line: string, token: string | null) => Content;
  /** The possible removals of a resource whose record was deleted. */
  readonly removal: readonly ("delete" | "close")[];
  /** The values that closing sets; empty if the type cannot be closed. */
  readonly closedBy: Content;
  /** `seconds`: several versions may have one time. `monotonic`: each has its own, so an equal time is a duplicate. */
  readonly versions: "seconds" | "monotonic";
  /** The resolution of the provider's times, in microseconds. */
  readonly resolution: number;
}
