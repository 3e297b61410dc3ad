/** The configuration, the clock and fresh ids: the part of the services that becomes input of decisions. */
import type { BlastRadius } from "../../engine/limits/index.ts";
import type { QuarantineLimits } from "../../engine/lane/index.ts";
import type { Clock } from "../../model/clock.ts";
import type { EventId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Journal, Mapping } from "../../model/mapping.ts";
import type { IdentitySettings } from "../../store/store.ts";
import type { HookBook } from "./hooks.ts";

/** Limits that stop Tandem before it can do harm. */
export interface Safety {
  /** `null`: no pairing is put under quarantine. */
  readonly quarantine: QuarantineLimits | null;
  /** `null`: no run is held. */
  readonly blastRadius: BlastRadius | null;
  /** The least time between two writes of a record to its resource, in milliseconds. */
  readonly writePause: number;
  /** How long the answer to a write of ours replaces the read before the next write, in milliseconds. */
  readonly readFreshness: number;
}

/** The part of the configuration that decisions need; `Services` has the rest. */
export interface Rules {
  readonly mappings: readonly Mapping[];
  readonly hooks: HookBook;
  readonly journals: readonly Journal[];
  /** The table whose rows represent actors; `null` if none is configured. */
  readonly identities: IdentitySettings | null;
  readonly safety: Safety;
  readonly clock: Clock;
  readonly newEventId: (now: Instant) => EventId;
}

/** The mapping of a resource type, or `null` if it has none. */
export function mappingOfResource(
  rules: Pick<Rules, "mappings">,
  integration: string,
  resourceType: string,
): Mapping | null {
  return (
    rules.mappings.find(
      (mapping) => mapping.integration === integration && mapping.resource.type === resourceType,
    ) ?? null
  );
}

/** The mappings of the children of a mapped resource. */
export function mappingsBelow(
  { mappings }: Pick<Rules, "mappings">,
  { integration, resource, recordType }: Mapping,
): readonly Mapping[] {
  return mappings.filter(
    (mapping) =>
      mapping.integration === integration &&
      mapping.resource.parent === resource.type &&
      mapping.parent?.recordType === recordType,
  );
}
