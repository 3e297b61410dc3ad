/** A claimed event of a worker, and the progress of its processing. */
import type { OutboundRequest, OutboundStep } from "../../engine/processing/index.ts";
import type { Claim } from "../../engine/lane/index.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { AccountId, LaneId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import type { DirectorySnapshot, Contact } from "./directory-snapshot.ts";

/** A locked lane under the claim, within a transaction. */
export interface ClaimedLane {
  readonly lane: Lane;
  readonly event: TandemEvent;
  /** The decisions so far in this transaction. */
  readonly start: Transition;
}

type Read = Extract<OutboundStep, { kind: "read" }>;

/** The step of an event that the transaction of its claim has decided. */
export type Begun =
  /** The event ended or was requeued; nothing is left to do. */
  | { readonly kind: "settled" }
  /** The resource must be read before anything is sent; no attempt is noted yet. */
  | ({ readonly kind: "read" } & Pick<Read, "ref" | "validator"> & { readonly contact: Contact })
  /** The attempt is noted; its request is sent next. */
  | { readonly kind: "request"; readonly contact: Contact; readonly request: OutboundRequest };

/** A claimed write as it is saved, and its step. */
export interface BegunWrite {
  readonly after: Transition;
  readonly begun: Begun;
}

/** An event that this worker has claimed. */
export interface Claimed {
  readonly lane: LaneId;
  /** The account whose place it takes; `null` if the lane's connection no longer exists. */
  readonly account: AccountId | null;
  readonly direction: TandemEvent["direction"];
  readonly action: TandemEvent["action"];
  readonly resourceType: string;
  readonly claim: Claim;
  /** Until when no other worker can claim it, by this process's clock. Renewals are not counted. */
  readonly ownUntil: Instant;
  /** The step that the transaction of its claim has decided; `null` if no step is decided yet. */
  readonly begun: Begun | null;
}

/** The answer to an edit that this worker sent. */
export interface PatchAnswer {
  readonly claimed: Claimed;
  readonly book: DirectorySnapshot;
  readonly contact: Contact;
  readonly answer: Observation;
  readonly signal: AbortSignal;
}

/** The result of a read before a write; `absent`: a deletion has nothing to overwrite. */
export type SeenFirst = Observation | "unchanged" | "absent";

/** An edit that has read what it would overwrite. */
export interface ReadEdit {
  readonly claimed: Claimed;
  readonly book: DirectorySnapshot;
  readonly seen: Exclude<SeenFirst, "absent">;
  /** When the read began. */
  readonly from: ReadStart;
  readonly signal: AbortSignal;
}

/** An edit that waits for the batch that decides it, with the map for its result. */
export interface WaitingEdit extends ReadEdit {
  readonly begun: Map<LaneId, Begun>;
}

/** The time at which a read began, on the clock of `now`. */
export type ReadStart = (now: Instant) => Instant;
