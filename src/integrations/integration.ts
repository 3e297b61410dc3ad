/**
 * The adapter contract: everything Tandem needs of an external system.
 *
 * 1. An adapter never decides. It translates, and it says truthfully what happened to a request.
 * 2. It holds no state that a restart may not lose.
 * 3. Its failures are `IntegrationError`s, classified by type and status, never by text.
 * 4. An address that it returns to be shown (`display.url`) is one of the web: http or https.
 * 5. Whatever it returns is canonical and carries no token of ours in its content.
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
  /** How many writes an hour the provider takes of one account; absent: it does not say. */
  readonly writesPerHour?: number;
  /** Fields of credentials that are secrets: given literally, they are stored encrypted. Absent: none. */
  readonly secretFields?: readonly string[];
  /** Environment variables that accounts may name, beside those that Tandem allows by their prefix. */
  readonly environment?: readonly string[];
  /** Checks a webhook request's signature and names the delivery; reads the raw bytes only. */
  verify(request: WebhookRequest): Promise<Verified>;
  /** Reads a stored delivery. Pure; throws a `TranslationError` where it is not what it claims. */
  translate(delivery: StoredDelivery): Translation;
  /** Opens the API of one account. */
  connect(settings: AccountSettings): AccountClient;
  /**
   * The installation that credentials log in as, where webhooks speak of installations. `null` or
   * absent: none.
   */
  installationOf?(credentials: unknown): string | null;
}

/** A webhook request as it came in. */
export interface WebhookRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The secrets that may have signed it, newest first, so that a secret can be rotated. */
  readonly secrets: readonly string[];
}

export type Verified =
  | {
      readonly ok: true;
      /** The provider's id of the delivery; the same when it is delivered again. */
      readonly deliveryKey: string;
      readonly event: string;
      /** Those of the secrets that it is signed with: it may concern only the accounts that have them. */
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

/** A stored delivery that is not what its event's name claims. */
export class TranslationError extends Error {
  override readonly name = "TranslationError";
  readonly code: "malformed_json" | "malformed_payload";
  /** Where in the payload, such as `issue.updated_at`; empty for the whole. */
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

/** What a delivery, a poll's item or an answer says. */
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
      /** A resource was moved to another container; told at its old place or at its new one. */
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

/** News about containers and accounts, not about a resource in them. */
export type ContainerChange =
  | { readonly kind: "renamed"; readonly containerId: string; readonly name: string }
  | { readonly kind: "removed"; readonly containerId: string; readonly why: string }
  | { readonly kind: "added"; readonly containerId: string; readonly name: string }
  | { readonly kind: "suspended" | "unsuspended"; readonly installationId: string };

/** How to reach an account; `credentials` are the adapter's own business. */
export interface AccountSettings {
  readonly name: string;
  readonly credentials: unknown;
  /** For tests and the simulator; default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** The account's present time, for token expiry and the provider's clock offset. */
  readonly now: () => Instant;
  /** For tests in virtual time: how a request waits for its time-out. Default: real timers. */
  readonly setTimer?: Clock["setTimer"];
}

export interface AccountClient {
  /** Who we are; what we write carries this author. */
  identity(signal?: AbortSignal): Promise<Actor>;
  /** Finds a container by its name or id. */
  findContainer(nameOrId: string, signal?: AbortSignal): Promise<Container>;
  container(container: Container): ContainerClient;
  /**
   * The same server under the credentials of one of its users, who is nobody's account here: nothing
   * of theirs is told to listeners. No request is made yet.
   *
   * @throws IntegrationError of kind `credentials` where they cannot work.
   */
  asUser(name: string, credentials: unknown): Pick<AccountClient, "identity" | "container">;
  /** Asks what webhooks tell of an installation; absent where credentials log in as none. */
  readonly installation?: InstallationClient;
  /** The provider's log of its webhooks; absent where it keeps none, or shows these credentials none. */
  readonly deliveryLog?: DeliveryLog;
  /** Told after every answer that carries them; the caller keeps the newest. */
  onTelemetry(listener: (telemetry: Telemetry) => void): void;
}

/** The installation that an account logs in as, as the provider knows it. */
export interface InstallationClient {
  /** Whether its tokens work; `gone`: it was uninstalled, or never was. */
  state(signal?: AbortSignal): Promise<"active" | "suspended" | "gone">;
  /** Whether it was given a container: others may be seen all the same, where they are public. */
  includes(containerId: string, signal?: AbortSignal): Promise<boolean>;
}

/** What a provider keeps of the webhooks it sent, and its sending them again. */
export interface DeliveryLog {
  /** The same for all accounts that share it. */
  readonly name: string;
  /** A page, newest first; `cursor` goes on behind the page that gave it. */
  page(cursor: string | null, signal?: AbortSignal): Promise<DeliveryLogPage>;
  /** Asks for a delivery again, by any attempt at it; it comes under the same delivery id. */
  redeliver(attemptId: string, signal?: AbortSignal): Promise<void>;
}

export interface DeliveryLogPage {
  readonly attempts: readonly (DeliveryAttempt & {
    /** Whose news it is; `null` where it is nobody's, or not told. */
    readonly installationId: string | null;
    /** Whether `translate` makes something of its event that does no harm when it comes late. */
    readonly isRepeatable: boolean;
  })[];
  /** `null` where the page is the last. */
  readonly cursor: string | null;
}

export interface Container {
  readonly id: string;
  readonly name: string;
}

/** What an answer's headers say beside its content. */
export interface Telemetry {
  /** Provider's clock minus ours, in microseconds, from the `Date` header. */
  readonly clockOffset: number | null;
  /** Requests that a whole budget has, and those that are left of it. */
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: Instant | null;
  /** A container that turned out to have a new name, and that name; both or neither. */
  readonly containerId?: string;
  readonly containerName?: string;
}

/**
 * The API of one container. No request is repeated by the adapter itself, and every write is one, but for
 * sets: a provider may want a request for each change of one. One that fails after another was applied
 * has failed with `applied: "unknown"`.
 */
export interface ContainerClient {
  /** Reads one resource by id. Throws `not_found` (404: gone or hidden) or `gone` (410). */
  read(ref: ResourceRef, signal?: AbortSignal): Promise<Observation>;
  /**
   * The same, or `unchanged` where the provider says that nothing has changed since the observation whose
   * validator is given. `null`, or a provider that keeps none: it is read.
   */
  readIfChanged(
    ref: ResourceRef,
    validator: string | null,
    signal?: AbortSignal,
  ): Promise<Observation | "unchanged">;
  create(request: CreateRequest, signal?: AbortSignal): Promise<Observation>;
  /**
   * Changes the given fields, and adds and removes elements of sets; whatever else is in those stays.
   * `token` is put back where the resource carried one.
   */
  patch(
    ref: ResourceRef,
    values: Content,
    sets: SetChanges,
    token: string | null,
    signal?: AbortSignal,
  ): Promise<Observation>;
  delete(ref: ResourceRef, signal?: AbortSignal): Promise<void>;
  /** Closes a resource that cannot or should not be deleted; `comment` says why, to people there. */
  close(ref: ResourceRef, comment: string | null, signal?: AbortSignal): Promise<Observation>;
  /** Everything updated since, oldest first, page by page; `since: null` is everything. */
  list(query: ListQuery, signal?: AbortSignal): AsyncIterable<ListPage>;
  /** All resources of a type within one parent, in the order of their creation. */
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
  /** `null` where the resource type says that these values cannot carry one. */
  readonly token: string | null;
}

export interface ListQuery {
  readonly type: string;
  readonly since: Instant | null;
  /** Validator of the last finished listing; the adapter may answer "unchanged" with it. */
  readonly etag: string | null;
  /** Goes on behind the page that gave it; what no longer leads anywhere begins anew. */
  readonly cursor?: string | null;
}

export interface ListPage {
  readonly observations: readonly Observation[];
  /** Nothing changed since the validator's listing; there are no pages. */
  readonly unchanged: boolean;
  readonly etag: string | null;
  /** When the request for this page was sent. */
  readonly readAt: Instant;
  readonly last: boolean;
  /** Where to go on behind this page, for another process too; `null` where it is the last. */
  readonly cursor: string | null;
  /** How many pages follow, as far as the provider tells. */
  readonly pagesLeft: number | null;
}

export type IntegrationErrorKind =
  /** Network, timeout, 5xx: may pass. */
  | "retryable"
  /** 403 or 429 with the provider's headers: the account pauses for `retryAfterMs`. */
  | "rate_limited"
  /** 401: the account needs attention. */
  | "credentials"
  /** 404: gone, or hidden from us. Ambiguous. */
  | "not_found"
  /** 410: deleted, for certain. */
  | "gone"
  /** The resource lives elsewhere now. */
  | "moved"
  /** 403 without a rate limit, 422 and other refusals: will not pass by itself. */
  | "permanent";

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
  /** How long to wait before another try, where the provider says. No time of day: clocks may differ. */
  readonly retryAfterMs: number | null;
  /** Of kind `moved`: which resource, and where it is now, where the provider says. */
  readonly moved: { readonly ref: ResourceRef; readonly to: Place } | null;

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
