/** An arrival is an observation for which the lane was found. An admission is the decision about it. */
import type { TandemEvent } from "../../model/event.ts";
import type { DeliveryId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Observation, ObservationSource } from "../../model/observation.ts";

/** An observation with its origin. */
export interface Arrival {
  readonly observation: Observation;
  readonly source: ObservationSource;
  readonly deliveryId: DeliveryId | null;
  /** When the read began; only a read by id that began after a tombstone can lift it. */
  readonly verifiedAt: Instant | null;
}

/** The decision on an arrival: the lane that results, and the event. */
export interface Admission extends Transition {
  /** The event that the arrival added; `null` if a poll showed nothing new. */
  readonly event: TandemEvent | null;
}

/** A child from the old container, with its observation in the new one if that was seen. */
export interface ChildMatch {
  readonly child: Lane;
  readonly seen: Observation | null;
}
