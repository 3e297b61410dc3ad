/** An arrival is an observation that comes in; an admission says what becomes of it. */
import type { TandemEvent } from "../../model/event.ts";
import type { DeliveryId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import type { Observation, ObservationSource } from "../../model/observation.ts";

/** An observation with where it came from. */
export interface Arrival {
  readonly observation: Observation;
  readonly source: ObservationSource;
  readonly deliveryId: DeliveryId | null;
  /** When the read began; only a read by id that began after a tombstone can lift it. */
  readonly verifiedAt: Instant | null;
}

/** The decision on an arrival: the lane as it is then, and the event. */
export interface Admission extends Transition {
  /** The event born of the arrival; `null` where a poll saw what it had seen before. */
  readonly event: TandemEvent | null;
}

/** A child that was at the old place, with its counterpart at the new one, if that has arrived. */
export interface ChildMatch {
  readonly child: Lane;
  readonly seen: Observation | null;
}
