/**
 * The adapter contract: everything Tandem needs of an external system.
 *
 * 1. An adapter never decides. It translates, and it reports truthfully what happened to a request.
 * 2. It holds no state that a restart may not lose.
 * 3. Its failures are `IntegrationError`s, classified by type and status, never by text.
 * 4. Each address that it returns for display (`display.url`) is http or https.
 * 5. The content of its observations is canonical and carries no idempotency token.
 */
import type { Clock } from "../model/clock.ts";
import type { Actor, Content, SetChanges } from "../model/content.ts";
import type { Instant } from "../model/instant.ts";
import type { DeliveryAttempt } from "../model/missed-delivery.ts";
import type {
  Observation,
  Place,
  ResourceMove,
  ResourceRef,
  ResourceType,
} from "../model/observation.ts";

export interface Integration {
  readonly name: string;
  readonly resources: readonly ResourceType[];
  /** How many writes an hour the provider accepts from one account; absent if the provider does not say. */
  readonly writesPerHour?: number;
  /** Fields of credentials that are secrets: literal values are stored encrypted. Absent: none. */
  readonly secretFields?: readonly string[];
  /** Environment variables that accounts may name, in addition to those that Tandem allows by their prefix. */
  readonly environment?: readonly string[];
  /** Checks a webhook request's signature and names the delivery; reads the raw bytes only. */
  verify(request: WebhookRequest): Promise<Verified>;
  /** Reads a stored delivery. Pure; throws a `TranslationError` if the payload does not fit its event's name. */
  translate(delivery: StoredDelivery): Translation;
  /** Opens the API of one account. */
  connect(settings: AccountSettings): AccountClient;
  /**
   * The installation that the credentials log in as, for providers whose webhooks name installations.
   * `null` or absent: none.
   */
  installationOf?(credentials: unknown): string | null;
}

/** A webhook request as it was received. */
export interface WebhookRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The secrets that may have signed it, newest first, so that a secret can be rotated. */
  readonly secrets: readonly string[];
}

export type Verified =
  | {
      readonly ok: true;
      /** The provider's id of the delivery; the same when it is redelivered. */
      readonly deliveryKey: string;
      readonly event: string;
      /** The secrets that match the signature: the delivery may concern only accounts with one of them. */
      readonly signedWith: readonly string[];
    }
  | {
      readonly ok: false;
      readonly status: 400 | 401 | 415;
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };

export interface StoredDelivery {
  readonly event: string;
  readonly payload: string;
}

/** A stored delivery whose payload does not fit its event's name. */
export class TranslationError extends Error {
  override readonly name = "TranslationError";
  readonly code: "malformed_json" | "malformed_payload";
  /** Path within the payload, such as `issue.updated_at`; empty for the whole payload. */
  readonly path: string;
  readonly hint: string;

  constructor(
    code: TranslationError["code"],
    message: string,
    details: { readonly path: string; readonly hint: string; readonly cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.hint = details.hint;
  }
}

/** The meaning of a delivery, of an item of a poll, or of a response. */
export type Translation =
  | {
      readonly kind: "observations";
      /** Parents come before their children. */
      readonly observations: readonly {
        readonly containerId: string;
        readonly observation: Observation;
      }[];
      readonly action: string | null;
    }
  | {
      /** A resource was moved to another container; reported by the old container or by the new one. */
      readonly kind: "moved";
      readonly action: string | null;
      readonly move: ResourceMove;
    }
  | {
      readonly kind: "container";
      readonly action: string | null;
      readonly changes: readonly ContainerChange[];
    }
  | { readonly kind: "irrelevant"; readonly action: string | null; readonly reason: string };

/** Changes of containers and accounts, as opposed to changes of resources. */
export type ContainerChange =
  | { readonly kind: "renamed"; readonly containerId: string; readonly name: string }
  | { readonly kind: "removed"; readonly containerId: string; readonly why: string }
  | { readonly kind: "added"; readonly containerId: string; readonly name: string }
  | { readonly kind: "suspended" | "unsuspended"; readonly installationId: string };

/** How to reach an account. Only the adapter interprets `credentials`. */
export interface AccountSettings {
  readonly name: string;
  readonly credentials: unknown;
  /** For tests and the simulator; default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** The account's present time, for token expiry and the provider's clock offset. */
  readonly now: () => Instant;
  /** For tests in virtual time: the timer behind a request's time-out. Default: real timers. */
  readonly setTimer?: Clock["setTimer"];
}

export interface AccountClient {
  /** The user or bot as which the account acts: the author of all that it writes. */
  identity(signal?: AbortSignal): Promise<Actor>;
  /** Finds a container by its name or id. */
  findContainer(nameOrId: string, signal?: AbortSignal): Promise<Container>;
  container(container: Container): ContainerClient;
  /**
   * The same server under the credentials of one of its users. That user is no account of Tandem's, so
   * their telemetry is not reported to listeners. No request is made yet.
   *
   * @throws IntegrationError of kind `credentials` if the credentials cannot work.
   */
  asUser(name: string, credentials: unknown): Pick<AccountClient, "identity" | "container">;
  /** Reads the state that webhooks report of an installation; absent if credentials log in as none. */
  readonly installation?: InstallationClient;
  /** The provider's log of its webhooks; absent if it keeps none, or does not show it to these credentials. */
  readonly deliveryLog?: DeliveryLog;
  /** Calls the listener after each response with such headers; the caller keeps the newest. */
  onTelemetry(listener: (telemetry: Telemetry) => void): void;
}

/** The installation that an account logs in as, as the provider knows it. */
export interface InstallationClient {
  /** Whether its tokens work; `gone`: the installation was removed, or never existed. */
  state(signal?: AbortSignal): Promise<"active" | "suspended" | "gone">;
  /** Whether it may access a container. Public containers can be read without that access. */
  includes(containerId: string, signal?: AbortSignal): Promise<boolean>;
}

/** The provider's log of the webhooks it sent, and its way to send one again. */
export interface DeliveryLog {
  /** Accounts that share a log give it the same name. */
  readonly name: string;
  /** One page, newest first; `cursor` continues after the page that returned it. */
  page(cursor: string | null, signal?: AbortSignal): Promise<DeliveryLogPage>;
  /** Requests a redelivery, given any attempt; it arrives under the same delivery id. */
  redeliver(attemptId: string, signal?: AbortSignal): Promise<void>;
}

export interface DeliveryLogPage {
  readonly attempts: readonly (DeliveryAttempt & {
    /** The installation that the delivery concerns; `null` if there is none, or if the log does not say. */
    readonly installationId: string | null;
    /** Whether `translate` uses this event, and a late delivery of it does no harm. */
    readonly isRepeatable: boolean;
  })[];
  /** `null` on the last page. */
  readonly cursor: string | null;
}

export interface Container {
  readonly id: string;
  readonly name: string;
}

/** Facts from a response's headers. */
export interface Telemetry {
  /** Provider's clock minus ours, in microseconds, from the `Date` header. */
  readonly clockOffset: number | null;
  /** The number of requests in a whole rate limit, and the number that remain. */
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: Instant | null;
  /** A container that was found to have a new name, and that name; both or neither. */
  readonly containerId?: string;
  readonly containerName?: string;
}

/**
 * The API of one container. The adapter never repeats a request. Each write is one request, except for
 * sets: a provider may need one request per changed element. If one of them fails after another was
 * applied, the whole write fails with `applied: "unknown"`.
 */
export interface ContainerClient {
  /** Reads one resource by id. Throws `not_found` (404: gone or hidden) or `gone` (410). */
  read(ref: ResourceRef, signal?: AbortSignal): Promise<Observation>;
  /**
   * Reads one resource, or returns `unchanged` if the provider says that nothing changed since the
   * observation with this validator. Without a validator, or if the provider has none, it always reads.
   */
  readIfChanged(
    ref: ResourceRef,
    validator: string | null,
    signal?: AbortSignal,
  ): Promise<Observation | "unchanged">;
  create(request: CreateRequest, signal?: AbortSignal): Promise<Observation>;
  /**
   * Changes the given fields, and adds and removes the given elements of sets; other elements stay.
   * `token` is written back into a resource that carried one.
   */
  patch(
    ref: ResourceRef,
    values: Content,
    sets: SetChanges,
    token: string | null,
    signal?: AbortSignal,
  ): Promise<Observation>;
  delete(ref: ResourceRef, signal?: AbortSignal): Promise<void>;
  /** Closes a resource that cannot or should not be deleted; `comment` tells people there the reason. */
  close(ref: ResourceRef, comment: string | null, signal?: AbortSignal): Promise<Observation>;
  /** All resources updated since a time, oldest first, page by page; `since: null` lists all. */
  list(query: ListQuery, signal?: AbortSignal): AsyncIterable<ListPage>;
  /** All resources of a type below one parent, in the order of their creation. */
  children(
    parent: ResourceRef,
    type: string,
    signal?: AbortSignal,
  ): Promise<readonly Observation[]>;
}

export interface CreateRequest {
  readonly type: string;
  readonly values: Content;
  readonly parent: ResourceRef | null;
  /** `null` if the resource type says that these values have no room for one. */
  readonly token: string | null;
}

export interface ListQuery {
  readonly type: string;
  readonly since: Instant | null;
  /** Validator of the last finished listing; with it the adapter may return `unchanged`. */
  readonly etag: string | null;
  /** Continues after the page that returned it; a cursor that leads nowhere starts from the beginning. */
  readonly cursor?: string | null;
}

export interface ListPage {
  readonly observations: readonly Observation[];
  /** Nothing changed since the listing of the validator, so there are no pages. */
  readonly unchanged: boolean;
  readonly etag: string | null;
  /** When the request for this page was sent. */
  readonly readAt: Instant;
  readonly last: boolean;
  /** Continues after this page, in any process; `null` on the last page. */
  readonly cursor: string | null;
  /** How many pages follow, if the provider says so. */
  readonly pagesLeft: number | null;
}

export type IntegrationErrorKind =
  /** Network, time-out, 5xx: may succeed on a retry. */
  | "retryable"
  /** 403 or 429 with the provider's headers: the account pauses for `retryAfterMs`. */
  | "rate_limited"
  /** 401: the account needs attention. */
  | "credentials"
  /** 404: gone, or hidden from this account. Ambiguous. */
  | "not_found"
  /** 410: certainly deleted. */
  | "gone"
  /** The resource has another address now. */
  | "moved"
  /** 403 without a rate limit, 422 and other refusals: a retry does not help. */
  | "permanent";

/** A resource that has another address now. */
export interface RedirectedResource {
  readonly ref: ResourceRef;
  readonly to: Place;
  /** The addresses to which it was moved on from there, in this order. Default: none is known. */
  readonly further?: readonly Place[];
}

/** A request that failed. */
export class IntegrationError extends Error {
  override readonly name = "IntegrationError";
  readonly kind: IntegrationErrorKind;
  readonly code: string;
  readonly hint: string;
  /** Whether a write may have taken effect although it failed. */
  readonly applied: "no" | "unknown";
  readonly status: number | null;
  readonly requestId: string | null;
  /** How long to wait before a retry, if the provider says so. A duration, because clocks may differ. */
  readonly retryAfterMs: number | null;
  /** For kind `moved`: the resource, and its new address if the provider tells it. */
  readonly moved: RedirectedResource | null;

  constructor(details: {
    readonly kind: IntegrationErrorKind;
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly applied: "no" | "unknown";
    readonly status?: number | null;
    readonly requestId?: string | null;
    readonly retryAfterMs?: number | null;
    readonly moved?: IntegrationError["moved"];
    readonly cause?: unknown;
  }) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = details.kind;
    this.code = details.code;
    this.hint = details.hint;
    this.applied = details.applied;
    this.status = details.status ?? null;
    this.requestId = details.requestId ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.moved = details.moved ?? null;
  }
}
