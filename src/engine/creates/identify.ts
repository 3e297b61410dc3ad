/**
 * Identity: which lane an arrival belongs to. It is decided before admission, which then decides
 * what becomes of the arrival.
 *
 *   its external id is known                              that lane
 *   the token of a create that has no resource yet, ours  adopted by that lane
 *   the token of a create that has its resource, and      surplus: never a record, it is closed
 *   proof that another create of it made this one
 *   anything else                                         new; a token in it was copied and is stripped
 *
 * A create may land late where its lane's resource was transferred from: that is surplus too. An id there
 * is none of the lane's, however much it looks like it.
 *
 * Ours may be what carries the token and was written by the connection's own identity, or by a user under
 * whose own token one of the lane's creates left. The token alone proves nothing (S58): a person who copies
 * a resource copies its token, and the account's credentials may be a person's. Proof is a create that left
 * under the writer's credentials and whose resource was not seen yet, while this one was made between the
 * first create and shortly after the last one, and says what one of them said.
 */
import type { Actor } from "../../model/content.ts";
import type { LaneId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Intent, Lane, Posted, PostedAuthor, PostedCreates } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";

/** A lane as far as identity is concerned. */
export interface LaneKey {
  readonly id: LaneId;
  readonly externalId: string | null;
}

/** A lane with the token of its create. */
export interface IntentKey extends LaneKey {
  /** Its resource was transferred to another connection from the arrival's, where the create left. */
  readonly isElsewhere: boolean;
  /** When its first create began. */
  readonly since: Instant;
  /** What left for it, as far as its resources were not all seen; `null` where they were. */
  readonly posted: Posted | null;
}

/** How long after a create left its resource may still be made, with what clocks may differ by. */
export const LATE_CREATE_MS = 15 * 60_000;

/** How far the provider's clock may be behind ours without our knowing. */
export const CLOCK_ALLOWANCE_MS = 5 * 60_000;

/** What an arrival says of its own identity. */
export interface ArrivalKey {
  readonly externalId: string;
  /** The token found in it, if any. */
  readonly token: string | null;
  /** Who wrote it; `null` where the provider does not tell. */
  readonly author: Actor | null;
  /** When it was created, where the provider tells. */
  readonly createdAt?: Instant;
  /** What it says in words, by `saidOf`; absent where that was not seen. */
  readonly said?: string;
}

export type Identification =
  /** The resource is known. */
  | { readonly kind: "lane"; readonly id: LaneId }
  /** It is what the lane's create made: the lane takes its external id. */
  | { readonly kind: "adopt"; readonly id: LaneId }
  /**
   * A second resource of ours; the lane named has its counterpart already. Without proof it may be that
   * counterpart, transferred away and back: it is no record, and is not closed.
   */
  | { readonly kind: "surplus"; readonly of: LaneId; readonly isProven: boolean }
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
 * const lane = { id, externalId: null, isElsewhere: false, since, posted: null };
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
 * Whether the writer of a resource may be one under whose credentials a create left: the account, for which
 * an unknown writer is taken too, or a user under whose own token it did.
 */
export function isByItsWriter(
  arrival: Pick<ArrivalKey, "author">,
  posted: Posted | null,
  identity: Actor | null,
): boolean {
  return writtenByUs(arrival, identity) !== false || amongAuthors(arrival.author, posted) !== null;
}

/** The user under whose own token a create of the intent left, where it is this one. */
export function amongAuthors(author: Actor | null, posted: Posted | null): PostedAuthor | null {
  return posted?.authors.find(({ id }) => id === author?.id) ?? null;
}

/**
 * Whether what a writer wrote is what another create of theirs made, and not a copy of their own making.
 * One in the very words of a create that was never seen, within minutes of it, cannot be told from it.
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

/** Whether one of the creates may have made a resource by its time; yes where nobody tells it. */
export function isMadeBetween({ createdAt }: Observation, posted: Posted): boolean {
  return createdAt === undefined || isInTime(createdAt, posted);
}

/** Whether a resource may have been made since; yes where nobody tells when it was. */
export function isMadeSince({ createdAt }: Observation, since: Instant): boolean {
  return createdAt === undefined || createdAt >= since;
}

/** Whether one of the creates may have made what was created then. */
function isInTime(createdAt: Instant, { from, at }: Pick<Posted, "from" | "at">): boolean {
  const isBefore = from !== undefined && createdAt < addMillis(from, -CLOCK_ALLOWANCE_MS);
  return !isBefore && createdAt <= addMillis(at, LATE_CREATE_MS);
}

/**
 * Whether it may be the lane's resource itself, which was transferred from there: a transfer keeps the time
 * of creation, so a later copy is none.
 */
function mayHaveComeBack({ createdAt }: ArrivalKey, { isElsewhere, since }: IntentKey): boolean {
  return isElsewhere && createdAt !== undefined && isInTime(createdAt, { from: since, at: since });
}

/** What has left, where the lane's resource has another id by now; the ids of before are nobody's. */
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

/** Notes a resource of ours as what a create of its writer made; without a user, the account's. */
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

function learnWriter(intent: Intent | null, observation: Observation): Intent | null {
  if (intent?.posted === undefined) return intent;
  const byAuthor = amongAuthors(observation.author, intent.posted);
  const posted = { ...withMade(intent.posted, observation), byAuthor: byAuthor?.id ?? null };
  return withPosted(intent, posted, observation.externalId);
}

/** An intent with what has left for it; a single create that made what the lane is bound to is spent. */
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
