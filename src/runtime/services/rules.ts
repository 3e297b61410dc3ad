/** The configuration, with the clock and fresh ids: the part of the services that decisions are told. */
import type { BlastRadius } from "../../engine/limits/index.ts";
import type { QuarantineLimits } from "../../engine/lane/index.ts";
import type { Clock } from "../../model/clock.ts";
import type { EventId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Journal, Mapping } from "../../model/mapping.ts";
import type { IdentitySettings } from "../../store/store.ts";
import type { HookBook } from "./hooks.ts";

/** Limits that stop Tandem before it does harm. */
export interface Safety {
  /** `null`: two systems may fight for ever. */
  readonly quarantine: QuarantineLimits | null;
  /** `null`: a run may do whatever it finds. */
  readonly blastRadius: BlastRadius | null;
  /** The least time between two writes of a record to its resource, in milliseconds. */
  readonly writePause: number;
  /** How long the answer to a write of ours stands for a read before the next, in milliseconds. */
  readonly readFreshness: number;
}

/** The configuration as decisions need it; `Services` has the rest. */
export interface Rules {
  readonly mappings: readonly Mapping[];
  readonly hooks: HookBook;
  readonly journals: readonly Journal[];
  /** Which rows stand for actors; `null` where nothing says so. */
  readonly identities: IdentitySettings | null;
  readonly safety: Safety;
  readonly clock: Clock;
  readonly newEventId: (now: Instant) => EventId;
}

/** The mapping of a resource type, or `null` where nothing is mapped to it. */
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
