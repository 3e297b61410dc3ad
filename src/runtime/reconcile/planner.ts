/** The steps of a reconcile's plan, and the state that each part of planning is given. */
import type { PlannedAction } from "../../engine/lifecycle/index.ts";
import type { ConnectionId, LaneId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Observation, ResourceMove } from "../../model/observation.ts";
import type { Contact, LaneKey } from "../../store/store.ts";
import type { Adoptions } from "../admission/index.ts";
import type { Services } from "../services/index.ts";

/** A resource that was created twice. */
export interface SurplusStep {
  readonly cause: "surplus";
  readonly lane: LaneId;
  /** The resource that the lane is bound to, as people name it here: `#7`, or its page where it was transferred. */
  readonly counterpart: string;
  readonly observation: Observation;
}

/** A resource that is alive after all, as a read by id showed it. */
export interface ReturnedStep {
  readonly cause: "returned";
  readonly lane: LaneId;
  readonly observation: Observation;
  /** Not later than when the read began. */
  readonly verifiedAt: Instant;
  readonly actions: readonly PlannedAction[];
}

/** The returns that one run has found so far. It grows while the run plans. */
export interface Returns {
  /** Asked for by now, of each type. */
  readonly asked: Set<LaneId>;
  /** Resources that are alive after all, below which life goes on. */
  readonly alive: Set<string>;
}

/** A record that is gone: the drain ends its pairing, as if it had been told. */
export interface RecordGoneStep {
  readonly cause: "record_gone";
  readonly mapping: Mapping;
  readonly recordType: string;
  readonly recordId: string | null;
  /** Its counterpart, below which nothing new is taken in. */
  readonly externalId: string | null;
  readonly actions: readonly PlannedAction[];
}

/** A record that is to be looked at by the drain. */
export interface RecordMovedStep extends Pick<LaneKey, "recordType" | "recordId"> {
  readonly cause: "record_moved";
  readonly mapping: Mapping;
  /** It left this connection, so that its resource here is removed. */
  readonly leaves: boolean;
  /** The connections that lose a resource of it, be it this one or others that it has left. */
  readonly losing: readonly ConnectionId[];
  /** Also what is ended in other connections that it has left: the drain decides on all at once. */
  readonly actions: readonly PlannedAction[];
}

/** A step to be carried out, and how; its actions say what comes of it. */
export type PlannedStep = {
  readonly mapping: Mapping;
  readonly actions: readonly PlannedAction[];
} & (
  | { readonly cause: "seen"; readonly observation: Observation }
  | { readonly cause: "record_differs" | "outlived"; readonly lane: LaneId }
  | {
      readonly cause: "unpaired";
      readonly key: LaneKey;
      /** The step that its parent comes here, or is back, by. */
      readonly above: PlannedStep | null;
    }
  | { readonly cause: "absent"; readonly externalId: string }
  | { readonly cause: "moved"; readonly move: ResourceMove }
  | SurplusStep
  | Pick<RecordMovedStep, "cause" | "recordType" | "recordId" | "leaves" | "losing">
  | ReturnedStep
  | Pick<RecordGoneStep, "cause" | "recordType" | "recordId" | "externalId">
);

/** A plan, or the part of it that one look has led to. */
export interface ReconcilePlan {
  /** Resources that the lists showed. */
  readonly listed: number;
  /** Missing, but heard of too shortly before to be sure: they are for a later look. */
  readonly unconfirmed: number;
  /** In the order in which they are carried out: parents before their children. */
  readonly steps: readonly PlannedStep[];
}

export interface ReconcileScope {
  /** Whether records are compared too, and get their counterparts; a sweep leaves them out. */
  readonly records: boolean;
}

export interface Planner {
  readonly services: Services;
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly scope: ReconcileScope;
  /** The lanes that this plan has bound to resources, be it carried out by now or not. */
  readonly adopted: Adoptions;
  /** Lanes whose record belongs elsewhere: nothing is to be sent there. */
  readonly leaving: ReadonlySet<LaneId>;
  /** Resources whose record is gone: below them nothing new is taken in. */
  readonly ending: ReadonlySet<string>;
  /** Missing, but heard of too shortly before: a later look tells. It grows while this runs. */
  readonly young: Set<string>;
  readonly returns: Returns;
  readonly signal?: AbortSignal;
}
