/** A claimed event as its worker holds it, and how far the work has come. */
import type { OutboundRequest, OutboundStep } from "../../engine/processing/index.ts";
import type { Claim } from "../../engine/lane/index.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { AccountId, LaneId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import type { AddressBook, Contact } from "./directory-snapshot.ts";

/** A lane under the claim, within a transaction. */
export interface Held {
  readonly lane: Lane;
  readonly event: TandemEvent;
  /** The decisions so far in this transaction. */
  readonly start: Transition;
}

type Read = Extract<OutboundStep, { kind: "read" }>;

/** How far an event has come in the transaction that claimed it. */
export type Begun =
  /** It ended, or went back to wait; nothing is left to do. */
  | { readonly kind: "settled" }
  /** The resource is to be read before anything leaves; nothing is noted yet. */
  | ({ readonly kind: "read" } & Pick<Read, "ref" | "validator"> & { readonly contact: Contact })
  /** The request that leaves next is noted. */
  | { readonly kind: "request"; readonly contact: Contact; readonly request: OutboundRequest };

/** A claimed write as it is saved, and how far it has come. */
export interface BegunWrite {
  readonly after: Transition;
  readonly begun: Begun;
}

/** An event that this worker holds. */
export interface Claimed {
  readonly lane: LaneId;
  /** The account whose place it takes; `null` where the lane's connection is gone. */
  readonly account: AccountId | null;
  readonly direction: TandemEvent["direction"];
  readonly action: TandemEvent["action"];
  readonly resourceType: string;
  readonly claim: Claim;
  /** Until then nobody else can have it, by this process's clock. Renewals are not counted. */
  readonly ownUntil: Instant;
  /** How far the transaction that claimed it has come; `null` where its work is still to begin. */
  readonly begun: Begun | null;
}

/** The answer to an edit of ours. */
export interface PatchAnswer {
  readonly claimed: Claimed;
  readonly book: AddressBook;
  readonly contact: Contact;
  readonly answer: Observation;
  readonly signal: AbortSignal;
}

/** The result of a read; `absent`: there is nothing that a deletion could take along. */
export type SeenFirst = Observation | "unchanged" | "absent";

/** An edit that has read what it would overwrite. */
export interface ReadEdit {
  readonly claimed: Claimed;
  readonly book: AddressBook;
  readonly seen: Exclude<SeenFirst, "absent">;
  /** When the read began. */
  readonly from: ReadStart;
  readonly signal: AbortSignal;
}

/** An edit that waits to be begun, with the map that takes its result. */
export interface WaitingEdit extends ReadEdit {
  readonly begun: Map<LaneId, Begun>;
}

/** When a read began, by the clock that says `now`. */
export type ReadStart = (now: Instant) => Instant;
