/**
 * Whose database this is. One that was restored from a backup, or copied to a staging host, must not
 * post: what it believes is old, or belongs to somebody else.
 */
import type { Lane, Transition } from "../model/lane.ts";
import type { Instant } from "../model/instant.ts";
import { disableLane } from "./restart.ts";
import { liveEvents, move, unchanged } from "./transition.ts";

export interface Instance {
  /** What the configuration or `TANDEM_INSTANCE_ID` calls this deployment; `null`: nothing. */
  readonly name: string | null;
  /** Where the database lives, told by its server and no part of a dump; `null`: not known. */
  readonly place: string | null;
}

export type InstanceVerdict =
  | { readonly kind: "ours" }
  /** Seen for the first time, or more is known of it now. */
  | { readonly kind: "new" }
  | { readonly kind: "foreign"; readonly why: string };

/** Compares what a database says of itself with where it is found. */
export function judgeInstance(stored: Instance | null, here: Instance): InstanceVerdict {
  if (stored === null) return { kind: "new" };
  if (stored.name !== null && stored.name !== here.name) {
    const given = here.name === null ? "no instance id" : `the instance id ${here.name}`;
    return {
      kind: "foreign",
      why: `this database belongs to the instance ${stored.name}, and this process has ${given}`,
    };
  }
  if (stored.place !== null && here.place !== null && stored.place !== here.place) {
    return {
      kind: "foreign",
      why: "this database is a copy: it was restored from a backup, or moved, since it was last worked on",
    };
  }
  const isKnown = stored.name === here.name && (stored.place !== null || here.place === null);
  return { kind: isKnown ? "ours" : "new" };
}

/** Why a record of a restored database is left alone until somebody enables it. */
export const CREATED_SINCE =
  "the database was restored: a resource may have been created for it after the backup; enable it if there is none";

/**
 * A lane of a database that was restored and approved. Whatever it wants to write looks at the
 * resource first. What it wants to create may exist by now under a token that nobody remembers, so a
 * person says whether it does.
 */
export function takeUpAgain(lane: Lane, now: Instant): Transition {
  const waiting = (["queued", "errored", "disabled"] as const)
    .flatMap((state) => liveEvents(lane, state, "outbound"))
    .filter(({ action }) => action === "upsert");
  if (waiting.length === 0) return unchanged(lane);
  if (lane.externalId === null && lane.intent === null && lane.disabled === null) {
    return disableLane(lane, CREATED_SINCE, now);
  }
  return waiting.reduce(
    (transition, { id, state }) => move(transition, id, state, now, { reread: true }),
    unchanged(lane),
  );
}
