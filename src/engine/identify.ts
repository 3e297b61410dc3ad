/**
 * Identity: which lane an arrival belongs to. It is decided before admission, which then decides
 * what becomes of the arrival.
 *
 *   its external id is known                              that lane
 *   the token of a create that has no resource yet, ours  adopted by that lane
 *   the token of a create that has its resource, ours     surplus: never a record, the sweep closes it
 *   anything else                                         new; a token in it was copied and is stripped
 *
 * Ours is what carries the token and was written by the connection's own identity. A person who
 * copies a resource copies its token, and gets a record of their own.
 */
import type { Actor } from "../model/content.ts";
import type { LaneId } from "../model/ids.ts";
import type { Lane } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";

/** A lane as far as identity is concerned. */
export interface LaneKey {
  readonly id: LaneId;
  readonly externalId: string | null;
}

/** What an arrival says of its own identity. */
export interface ArrivalKey {
  readonly externalId: string;
  /** The token found in it, if any. */
  readonly token: string | null;
  /** Who wrote it; `null` where the provider does not tell. */
  readonly author: Actor | null;
}

export type Identification =
  /** The resource is known. */
  | { readonly kind: "lane"; readonly id: LaneId }
  /** It is what the lane's create made: the lane takes its external id. */
  | { readonly kind: "adopt"; readonly id: LaneId }
  /** A second resource of ours; the lane named has its counterpart already. */
  | { readonly kind: "surplus"; readonly of: LaneId }
  /** Not seen before. `strippedToken` is the copied token, to be said in the ledger. */
  | { readonly kind: "new"; readonly strippedToken: string | null };

/**
 * Decides which lane an arrival belongs to.
 *
 * Who cannot be told from us (no identity asked yet, or no author given) is taken for us where a
 * create waits for its resource, since a second record would be the likelier mistake; and for
 * somebody else where the create has its resource, since what is surplus gets closed.
 *
 * @param byExternalId The lane of the arrival's external id, if there is one.
 * @param byToken The lane whose create carried the arrival's token, if there is one.
 * @param identity Who we are at the integration; `null` until it was asked.
 *
 * @example
 * identify({ externalId: "7", token: "t1", author: bot }, null, { id, externalId: null }, bot)
 * // { kind: "adopt", id }
 */
export function identify(
  arrival: ArrivalKey,
  byExternalId: LaneKey | null,
  byToken: LaneKey | null,
  identity: Actor | null,
): Identification {
  if (byExternalId !== null) return { kind: "lane", id: byExternalId.id };
  if (arrival.token === null || byToken === null) {
    return { kind: "new", strippedToken: arrival.token };
  }
  if (byToken.externalId === arrival.externalId) return { kind: "lane", id: byToken.id };
  const byUs = writtenByUs(arrival, identity);
  if (byToken.externalId === null && byUs !== false) {
    return { kind: "adopt", id: byToken.id };
  }
  if (byToken.externalId !== null && byUs === true) {
    return { kind: "surplus", of: byToken.id };
  }
  return { kind: "new", strippedToken: arrival.token };
}

/** Whether we wrote it; `null` where that cannot be told. */
export function writtenByUs(
  { author }: Pick<ArrivalKey, "author">,
  identity: Actor | null,
): boolean | null {
  return identity === null || author === null ? null : author.id === identity.id;
}

/** The first look at a resource tells its id and parent; a later one never changes them. */
export function learnIdentity(lane: Lane, observation: Observation): Lane {
  const { display } = observation;
  const shown = Object.entries(display).every(([name, text]) => lane.display[name] === text);
  return {
    ...lane,
    externalId: lane.externalId ?? observation.externalId,
    parent: lane.parent ?? observation.parent,
    display: shown ? lane.display : { ...lane.display, ...display },
  };
}
