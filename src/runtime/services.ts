/** What every loop of the runtime works with; composed once, in `compose.ts`. */
import type { BlastRadius } from "../engine/blast-radius.ts";
import type { QuarantineLimits } from "../engine/quarantine.ts";
import type { Integration } from "../integrations/integration.ts";
import type { Clock, Random } from "../model/clock.ts";
import type { EventId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { Journal, Mapping } from "../model/mapping.ts";
import type { IdentitySettings, Store } from "../store/store.ts";
import type { AuthorTokens } from "./author-tokens.ts";
import type { Failpoints } from "./failpoints.ts";
import type { Gathering } from "./gather.ts";
import type { Gateway } from "./gateway.ts";
import type { AuthorHooks, HookBook } from "./hooks.ts";
import type { InstanceGuard } from "./instance.ts";
import type { Log } from "./log.ts";
import type { WaitingEdit } from "./read-first.ts";
import type { PatchAnswer } from "./settle-together.ts";

/** What stops Tandem before it does harm. */
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

export interface Services {
  readonly store: Store;
  readonly integrations: ReadonlyMap<string, Integration>;
  readonly mappings: readonly Mapping[];
  readonly hooks: HookBook;
  readonly journals: readonly Journal[];
  /** Which rows stand for actors; `null` where nothing says so. */
  readonly identities: IdentitySettings | null;
  readonly authors: AuthorHooks;
  readonly authorTokens: AuthorTokens;
  /** What answered edits, to be taken in together. */
  readonly answers: Gathering<PatchAnswer>;
  /** Edits that have read what they would overwrite, to be begun together. */
  readonly reads: Gathering<WaitingEdit>;
  readonly gateway: Gateway;
  /** Where tests let a worker die; else nothing happens there. */
  readonly failpoints: Failpoints;
  readonly clock: Clock;
  readonly random: Random;
  readonly newEventId: (now: Instant) => EventId;
  readonly log: Log;
  readonly safety: Safety;
  /** How often providers' logs are looked at for webhooks that failed; `null`: never. */
  readonly redeliverMillis: number | null;
  readonly instance: InstanceGuard;
}

/** The mapping of a resource type, or `null` where nothing is mapped to it. */
export function mappingOfResource(
  services: Pick<Services, "mappings">,
  integration: string,
  resourceType: string,
): Mapping | null {
  return (
    services.mappings.find(
      (mapping) => mapping.integration === integration && mapping.resource.type === resourceType,
    ) ?? null
  );
}

/** A token nobody can guess, made of the services' own randomness. */
export function randomToken(random: Random): string {
  return Array.from({ length: 22 }, () => Math.floor(random() * 36).toString(36)).join("");
}
