/**
 * Identity: which lane an arrival belongs to. It is decided before admission, which then decides
 * what becomes of the arrival.
 *
 *   its external id is known                              that lane
 *   the token of a create that has no resource yet, ours  adopted by that lane
 *   the token of a create that has its resource, ours     surplus: never a record, the sweep closes it
 *   anything else                                         new; a token in it was copied and is stripped
 *
 * Ours is what carries the token and was written by the connection's own identity, or by a user under
 * whose own token one of the lane's creates left. A person who copies a resource copies its token, and
 * gets a record of their own; so does such a user, who may copy what they wrote, unless it can be a
 * second create's: several left, and it was made shortly after the last of them at the latest.
 */
import type { Actor } from "../model/content.ts";
import type { LaneId } from "../model/ids.ts";
import { addMillis, type Instant } from "../model/instant.ts";
import type { Intent, Lane, Posted } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";

/** A lane as far as identity is concerned. */
export interface LaneKey {
  readonly id: LaneId;
  readonly externalId: string | null;
}

/** A lane with the token of its create. */
export interface IntentKey extends LaneKey {
  /** What left for it; `null` where nothing did, or nobody has noted it. */
  readonly posted: Posted | null;
}

/** How long after a create left its resource may still be made, with what clocks may differ by. */
export const LATE_CREATE_MS = 15 * 60_000;

/** What an arrival says of its own identity. */
export interface ArrivalKey {
  readonly externalId: string;
  /** The token found in it, if any. */
  readonly token: string | null;
  /** Who wrote it; `null` where the provider does not tell. */
  readonly author: Actor | null;
  /** When it was created, where the provider tells. */
  readonly createdAt?: Instant;
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
 * const lane = { id, externalId: null, posted: null };
 * identify({ externalId: "7", token: "t1", author: bot }, null, lane, bot)
 * // { kind: "adopt", id }
 */
export function identify(
  arrival: ArrivalKey,
  byExternalId: LaneKey | null,
  byToken: IntentKey | null,
  identity: Actor | null,
): Identification {
  if (byExternalId !== null) return { kind: "lane", id: byExternalId.id };
  if (arrival.token === null || byToken === null) {
    return { kind: "new", strippedToken: arrival.token };
  }
  if (byToken.externalId === arrival.externalId) return { kind: "lane", id: byToken.id };
  const byUs = writtenByUs(arrival, identity);
  const byAuthor = isAuthorOf(arrival.author, byToken.posted);
  const isNew = { kind: "new", strippedToken: arrival.token } as const;
  if (byToken.externalId === null) {
    const mayBeOurs = byUs !== false || byAuthor;
    return mayBeOurs ? { kind: "adopt", id: byToken.id } : isNew;
  }
  const isOurs = byUs === true || (byAuthor && mayBeSecond(arrival, byToken));
  return isOurs ? { kind: "surplus", of: byToken.id } : isNew;
}

/** Whether a create of the intent left under this user's own token. */
export function isAuthorOf(author: Actor | null, posted: Posted | null): boolean {
  return author !== null && posted?.authors.some(({ id }) => id === author.id) === true;
}

/** Whether what a user wrote can be what a second create made, and not a copy of their own making. */
function mayBeSecond({ createdAt }: ArrivalKey, { posted }: IntentKey): boolean {
  if (posted === null || posted.times < 2 || createdAt === undefined) return false;
  return createdAt <= addMillis(posted.at, LATE_CREATE_MS);
}

/** Whether we wrote it; `null` where that cannot be told. */
export function writtenByUs(
  { author }: Pick<ArrivalKey, "author">,
  identity: Actor | null,
): boolean | null {
  return identity === null || author === null ? null : author.id === identity.id;
}

/** The first look at a resource tells its id, parent and writer; a later one never changes them. */
export function learnIdentity(lane: Lane, observation: Observation): Lane {
  const { display } = observation;
  const shown = Object.entries(display).every(([name, text]) => lane.display[name] === text);
  return {
    ...lane,
    intent: lane.externalId === null ? learnWriter(lane.intent, observation) : lane.intent,
    externalId: lane.externalId ?? observation.externalId,
    parent: lane.parent ?? observation.parent,
    display: shown ? lane.display : { ...lane.display, ...display },
  };
}

function learnWriter(intent: Intent | null, { author }: Observation): Intent | null {
  if (intent?.posted === undefined || !isAuthorOf(author, intent.posted)) return intent;
  return { ...intent, posted: { ...intent.posted, byAuthor: true } };
}
