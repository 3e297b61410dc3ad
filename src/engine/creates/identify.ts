/**
 * Identity: which lane an arrival belongs to. Admission comes after it, and decides about the arrival in its lane.
 *
 *   its external id is known                              that lane
 *   the token of a create that has no resource yet, ours  adopted by that lane
 *   the token of a create that has its resource, and      surplus: never gets a record, and is closed
 *   proof that another create of it made this one
 *   anything else                                         new; a token in it was copied and is stripped
 *
 * A create may take effect late in the container that its lane's resource was transferred from. Such a resource
 * is surplus too. Its id belongs to that container, even if it equals the lane's id in the new one.
 *
 * A resource may be ours if it carries the token and its author is the connection's own identity, or a user under
 * whose own token a create of the lane was sent. The token alone proves nothing (S58): a person who copies a
 * resource copies its token, and the account's credentials may be a person's.
 *
 * All of these together are proof:
 * 1. A create was sent under the author's credentials, and its resource was not seen yet.
 * 2. The resource was created between the first create and shortly after the last one.
 * 3. It has the texts of one of them.
 */
import type { Actor } from "../../model/content.ts";
import type { LaneId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Intent, Lane, Posted, PostedAuthor, PostedCreates } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";

/** The part of a lane that decides about identity. */
export interface LaneIdentity {
  readonly id: LaneId;
  readonly externalId: string | null;
}

/** A lane with the token of its create. */
export interface IntentKey extends LaneIdentity {
  /** The lane's resource was transferred away from the arrival's connection, to which its creates were sent. */
  readonly isElsewhere: boolean;
  /** When its first create began. */
  readonly since: Instant;
  /** The creates that were sent for it; `null` if none was, or all their resources were seen. */
  readonly posted: Posted | null;
}

/** How long after a create was sent its resource may still be made, including the difference between clocks. */
export const LATE_CREATE_MS = 15 * 60_000;

/** How far the provider's clock may be behind ours without Tandem noticing. */
export const CLOCK_ALLOWANCE_MS = 5 * 60_000;

/** The parts of an arrival that identify it. */
export interface ArrivalKey {
  readonly externalId: string;
  /** The token found in it, if any. */
  readonly token: string | null;
  /** The author; `null` if the provider does not tell. */
  readonly author: Actor | null;
  /** When it was created; absent if the provider does not tell. */
  readonly createdAt?: Instant;
  /** The digest of its texts, by `saidOf`; absent if they were not seen. */
  readonly said?: string;
}

export type Identification =
  /** The resource is known. */
  | { readonly kind: "lane"; readonly id: LaneId }
  /** The lane's create made the resource: the lane takes its external id. */
  | { readonly kind: "adopt"; readonly id: LaneId }
  /**
   * A second resource of ours; the named lane has its counterpart already. Without proof it may be that counterpart,
   * transferred away and back: it gets no record, and is not closed.
   */
  | { readonly kind: "surplus"; readonly of: LaneId; readonly isProven: boolean }
  /** Not seen before. `strippedToken` is the copied token, to be noted in the ledger. */
  | { readonly kind: "new"; readonly strippedToken: string | null };

/**
 * Decides which lane an arrival belongs to.
 *
 * An unknown author (our identity not asked yet, or no author given) counts as ours while the create waits for its
 * resource, because a second record would be the likelier mistake. It counts as another person once the create has
 * its resource, because surplus is closed.
 *
 * @param byExternalId The lane of the arrival's external id, if there is one.
 * @param byToken The lane whose create carried the arrival's token, if there is one.
 * @param identity The actor as which our account acts at the integration; `null` until the integration was asked.
 *
 * @example
 * const lane = { id, externalId: null, isElsewhere: false, since, posted: null };
 * identify({ externalId: "7", token: "t1", author: bot }, null, lane, bot)
 * // { kind: "adopt", id }
 */
export function identify(
  arrival: ArrivalKey,
  byExternalId: LaneIdentity | null,
  byToken: IntentKey | null,
  identity: Actor | null,
): Identification {
  if (byExternalId !== null) return { kind: "lane", id: byExternalId.id };
  if (arrival.token === null || byToken === null) {
    return { kind: "new", strippedToken: arrival.token };
  }
  if (!byToken.isElsewhere && byToken.externalId === arrival.externalId) {
    return { kind: "lane", id: byToken.id };
  }
  const byUs = writtenByUs(arrival, identity);
  const byAuthor = amongAuthors(arrival.author, byToken.posted);
  const isNew = { kind: "new", strippedToken: arrival.token } as const;
  if (byToken.externalId === null) {
    const mayBeOurs = isByItsWriter(arrival, byToken.posted, identity);
    return mayBeOurs ? { kind: "adopt", id: byToken.id } : isNew;
  }
  const sent = byUs === true ? (byToken.posted?.account ?? null) : byAuthor;
  const isProven = sent !== null && isSecond(arrival, sent, byToken);
  const mayBeFirst = byUs === true && mayHaveComeBack(arrival, byToken);
  return isProven || mayBeFirst ? { kind: "surplus", of: byToken.id, isProven } : isNew;
}

/**
 * Whether a create was sent under the credentials of a resource's author: of the account, as which an unknown author
 * counts, or of a user under whose own token a create was sent.
 */
export function isByItsWriter(
  arrival: Pick<ArrivalKey, "author">,
  posted: Posted | null,
  identity: Actor | null,
): boolean {
  return writtenByUs(arrival, identity) !== false || amongAuthors(arrival.author, posted) !== null;
}

/** The entry of an author under whose own token a create was sent; `null` if none was. */
export function amongAuthors(author: Actor | null, posted: Posted | null): PostedAuthor | null {
  return posted?.authors.find(({ id }) => id === author?.id) ?? null;
}

/**
 * Whether another create of this author made the resource, rather than the author a copy by hand. A copy with the
 * texts of an unseen create, made within minutes of it, cannot be distinguished from that create's resource.
 */
function isSecond(
  { externalId, createdAt, said }: ArrivalKey,
  { times, made, said: sent }: PostedCreates,
  { posted }: IntentKey,
): boolean {
  if (made.includes(externalId)) return true;
  if (posted === null || createdAt === undefined || said === undefined) return false;
  return times > made.length && isInTime(createdAt, posted) && sent.includes(said);
}

/** Whether a resource's time of creation fits one of the creates; yes if the time is unknown. */
export function isMadeBetween({ createdAt }: Observation, posted: Posted): boolean {
  return createdAt === undefined || isInTime(createdAt, posted);
}

/** Whether a resource may have been created since; yes if its time of creation is unknown. */
export function isMadeSince({ createdAt }: Observation, since: Instant): boolean {
  return createdAt === undefined || createdAt >= since;
}

/** Whether one of the creates may have made a resource at that time. */
function isInTime(createdAt: Instant, { from, at }: Pick<Posted, "from" | "at">): boolean {
  const isBefore = from !== undefined && createdAt < addMillis(from, -CLOCK_ALLOWANCE_MS);
  return !isBefore && createdAt <= addMillis(at, LATE_CREATE_MS);
}

/**
 * Whether an arrival may be the lane's own resource, transferred away and back. A transfer keeps the time of
 * creation, so a resource that was created later is a copy.
 */
function mayHaveComeBack({ createdAt }: ArrivalKey, { isElsewhere, since }: IntentKey): boolean {
  return isElsewhere && createdAt !== undefined && isInTime(createdAt, { from: since, at: since });
}

/** The creates after the lane's resource got another id: ids of the former container are removed. */
export function madeAnew(posted: Posted, before: string | null, bound: string | null): Posted {
  if (before === null) return posted;
  const now = bound === null ? [] : [bound];
  const anew = <C extends PostedCreates>(one: C): C => ({
    ...one,
    made: one.made.includes(before) ? now : [],
  });
  const { account, authors } = posted;
  return { ...posted, ...(account && { account: anew(account) }), authors: authors.map(anew) };
}

/** Notes that a create of the resource's author made it. Without such a user, a create of the account counts. */
export function withMade<P extends Posted | null>(
  posted: P,
  { author, externalId }: Pick<ArrivalKey, "author" | "externalId">,
): P {
  if (posted === null) return posted;
  const noted = <C extends PostedCreates>(one: C): C =>
    one.made.includes(externalId) ? one : { ...one, made: [...one.made, externalId] };
  const writer = amongAuthors(author, posted);
  if (writer === null) {
    const { account } = posted;
    if (account === undefined || noted(account) === account) return posted;
    return { ...posted, account: noted(account) };
  }
  if (noted(writer) === writer) return posted;
  return { ...posted, authors: posted.authors.map((one) => (one === writer ? noted(one) : one)) };
}

/** Whether our account is the author; `null` if that cannot be told. */
export function writtenByUs(
  { author }: Pick<ArrivalKey, "author">,
  identity: Actor | null,
): boolean | null {
  return identity === null || author === null ? null : author.id === identity.id;
}

/** Fills in the lane's external id, parent and writer from the first observation. Later ones never change them. */
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

function learnWriter(intent: Intent | null, observation: Observation): Intent | null {
  if (intent?.posted === undefined) return intent;
  const byAuthor = amongAuthors(observation.author, intent.posted);
  const posted = { ...withMade(intent.posted, observation), byAuthor: byAuthor?.id ?? null };
  return withPosted(intent, posted, observation.externalId);
}

/** The intent with its creates. A single create that made the lane's resource can make no second, so it is dropped. */
export function withPosted(
  { posted: _, ...intent }: Intent,
  posted: Posted,
  bound: string | null,
): Intent {
  const { account, ...others } = posted;
  const isSpent =
    account === undefined ||
    (account.times <= 1 && account.made.length === 1 && account.made[0] === bound);
  const kept = isSpent ? others : posted;
  return isSpent && others.authors.length === 0 ? intent : { ...intent, posted: kept };
}
