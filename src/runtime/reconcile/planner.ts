/** The steps of a reconcile's plan, and the state that the parts of planning share. */
import type { PlannedAction } from "../../engine/lifecycle/index.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Observation, ResourceMove } from "../../model/observation.ts";
import type { Contact, LaneKey } from "../../store/store.ts";
import type { Adoptions } from "../admission/index.ts";
import type { Services } from "../services/index.ts";

/** The closing of a resource that was created twice. */
export interface SurplusStep {
  readonly cause: "surplus";
  readonly lane: LaneId;
  /** The name of the lane's own resource for people: `#7`, or its page if it was transferred. */
  readonly counterpart: string;
  readonly observation: Observation;
}

/** The return of a resource, as a read by id showed it. */
export interface ReturnedStep {
  readonly cause: "returned";
  readonly lane: LaneId;
  readonly observation: Observation;
  /** A time not later than the beginning of the read. */
  readonly verifiedAt: Instant;
  readonly actions: readonly PlannedAction[];
}

/** The returns that one run has found so far. It grows while the run plans. */
export interface Returns {
  /** Lanes whose resource was read already. */
  readonly asked: Set<LaneId>;
  /** Resources that returned, so that their children may be admitted. */
  readonly alive: Set<string>;
}

/** A deleted record: the drain ends its pairing, as if the deletion had been captured. */
export interface RecordGoneStep {
  readonly cause: "record_gone";
  readonly mapping: Mapping;
  readonly recordType: string;
  readonly recordId: string | null;
  /** Its counterpart, below which nothing new is admitted. */
  readonly externalId: string | null;
  readonly actions: readonly PlannedAction[];
}

/** A record whose connection the drain must decide again. */
export interface RecordMovedStep extends Pick<LaneKey, "recordType" | "recordId"> {
  readonly cause: "record_moved";
  readonly mapping: Mapping;
  /** Whether it left this connection, so that its resource here is removed. */
  readonly leaves: boolean;
  /** The connections that the record has left and in which its resource is removed. */
  readonly losing: readonly ConnectionId[];
  /** Includes actions in other connections that the record has left, because the drain decides about all its lanes. */
  readonly actions: readonly PlannedAction[];
}

/** A step to execute. `cause` says how; its actions show the result. */
export type PlannedStep = {
  readonly mapping: Mapping;
  readonly actions: readonly PlannedAction[];
} & (
  | { readonly cause: "seen"; readonly observation: Observation }
  | { readonly cause: "record_differs" | "outlived"; readonly lane: LaneId }
  | {
      readonly cause: "unpaired";
      readonly key: LaneKey;
      /** The step by which its parent arrives here, or returns. */
      readonly above: PlannedStep | null;
    }
  | { readonly cause: "absent"; readonly externalId: string }
  | { readonly cause: "moved"; readonly move: ResourceMove }
  | SurplusStep
  | Pick<RecordMovedStep, "cause" | "recordType" | "recordId" | "leaves" | "losing">
  | ReturnedStep
  | Pick<RecordGoneStep, "cause" | "recordType" | "recordId" | "externalId">
);

/** A plan, or one part of it. */
export interface ReconcilePlan {
  /** The number of listed resources. */
  readonly listed: number;
  /** The number of missing resources that are too recent to be sure: a later run decides. */
  readonly unconfirmed: number;
  /** The steps in their order of execution: parents before their children. */
  readonly steps: readonly PlannedStep[];
}

export interface ReconcileScope {
  /** Whether records are compared and get their counterparts too; a sweep skips that. */
  readonly records: boolean;
}

export interface Planner {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly scope: ReconcileScope;
  /** The lanes that this plan has paired with resources, executed or not. */
  readonly adopted: Adoptions;
  /** Lanes whose record has left the connection: nothing may be sent for them. */
  readonly leaving: ReadonlySet<LaneId>;
  /** Resources whose record is deleted: nothing new is admitted below them. */
  readonly ending: ReadonlySet<string>;
  /** Missing resources that are too recent to be sure. It grows while this runs. */
  readonly young: Set<string>;
  readonly returns: Returns;
  readonly signal?: AbortSignal;
}
