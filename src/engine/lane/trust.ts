/**
 * Whether what is known of a resource is good enough to act on. Trusted: act. Outdated or a duplicate: nothing is left
 * to do. Read: read the resource first. Wait: try again later. In each block the first row that holds decides:
 *
 *   An event arrives, and admission asks (`trustArrival`):
 *     any        it is a deletion                                     trusted
 *     inbound    older than the clock, a version never known          read   `older_unread`
 *     inbound    older than the clock                                 outdated
 *     inbound    it has no content                                    read   `no_content`
 *     inbound    each version has its own time, and its is the clock's   duplicate `same_version`, `same_content`
 *     inbound    an event is processing                               read   `event_processing`
 *     inbound    a request is not settled                             read   `outcome_unknown`
 *     inbound    the event of the known content was canceled          read   `known_lost`
 *     inbound    the event of the known content is errored or off     read   `known_unmerged`
 *     inbound    later than the clock, and an older one waits to be read   read `older_waits`
 *     inbound    its content is the known content                     duplicate `same_content`
 *     inbound    its time is the clock's                              read   `same_time`
 *     inbound    a version known before the present one               read   `known_before`
 *     inbound    an event with other content waits, and is not older  read   `newer_waits`
 *     outbound   a live event that it follows asks for a read         read   `read_asked`
 *     outbound   the event of the known content was canceled          read   `known_lost`
 *
 *   A worker has claimed an event (`trust`). A read since the claim settles these rows, so it asks before that only:
 *     inbound    its lane waits for creates of other lanes            wait   `creates_open`
 *     inbound    it is a deletion                                     trusted
 *     inbound    record and children still follow a move              read   `resource_moved`
 *     inbound    older than the clock, a version never known          read   `older_unread`
 *     inbound    older than the clock                                 outdated
 *     inbound    it asks for a read                                   read   `read_asked`
 *     inbound    it has no content                                    read   `no_content`
 *     inbound    its time is the clock's, and the known content differs   read `same_time`
 *     inbound    the outcome of a request is unknown                  read   `outcome_unknown`
 *     outbound   no resource yet, and a create may have made it       read   `create_unanswered`
 *     outbound   no resource yet, or a deletion                       trusted
 *     outbound   known content is from a read of its own second       wait   `read_may_be_older`
 *     outbound   a request is not settled                             read   `outcome_unknown`
 *     outbound   it asks for a read                                   read   `read_asked`
 *     outbound   an observed change could not be read                 read   `unread_change`
 *
 *   Its request would overwrite the resource (`trustWrite`):
 *     closing    nothing of the resource was ever merged              trusted
 *     any        no read since the claim, and no fresh answer of ours:
 *                  the known content is lost, doubted or not merged   read   `known_unmerged`
 *                  otherwise                                          read   `not_read`, conditionally
 *     edit       an inbound event has arrived since the claim         wait   `news_arrived`
 *
 *   In each block, if no row holds                                    trusted
 *
 * An event keeps its duty to read in `reread`. Rules that pass it from event to event (`supersede`, `requeue`,
 * `observe`) are about the order of events, and stand with them.
 */
import type { TandemEvent } from "../../model/event.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Known, Lane, LaneClock } from "../../model/lane.ts";
import type { Context } from "./context.ts";
import { liveEvents, outcomeUnknown, processing } from "./transition.ts";
import { isOlderUnread, wasKnown } from "./versions.ts";

interface Trusted {
  readonly kind: "trusted";
}

/** An event's time, which is older than the clock. */
export interface OlderTime {
  readonly clock: LaneClock;
  readonly at: Instant;
}

/** The event is older than the clock. Its version was known, or was never known and is read first. */
type Older = OlderTime &
  ({ readonly kind: "outdated" } | { readonly kind: "read"; readonly why: "older_unread" });

/** The resource is read first. */
interface ReadFor<Why extends ReadReason = ReadReason> {
  readonly kind: "read";
  readonly why: Why;
}

type ReadReason =
  | "create_unanswered"
  | "event_processing"
  | "known_before"
  | "known_lost"
  | "known_unmerged"
  | "newer_waits"
  | "no_content"
  | "not_read"
  | "older_waits"
  | "outcome_unknown"
  | "read_asked"
  | "resource_moved"
  | "same_time"
  | "unread_change";

/** The answer about an event that arrives. */
export type ArrivalTrust =
  | Trusted
  | Older
  | ReadFor
  | {
      readonly kind: "duplicate";
      readonly why: "same_content" | "same_version";
      readonly of: Known;
    };

/** The answer about a claimed event. */
export type Trust =
  | Trusted
  | Older
  | ReadFor
  /** Until that time by our clock the creates may settle. After it the content decides. */
  | { readonly kind: "wait"; readonly why: "creates_open"; readonly until: Instant }
  /** The resource is read as soon as no read can be older than that time by the provider's clock. */
  | { readonly kind: "wait"; readonly why: "read_may_be_older"; readonly than: Instant };

/** The answer about a request. */
export type WriteTrust =
  | Trusted
  | (ReadFor<"known_unmerged" | "not_read"> & { readonly validator: string | null })
  | { readonly kind: "wait"; readonly why: "news_arrived" };

const TRUSTED: Trusted = { kind: "trusted" };

/** Decides whether an event that arrives is queued as it is, is queued to read its resource first, or ends. */
export function trustArrival(lane: Lane, event: TandemEvent, { mapping }: Context): ArrivalTrust {
  if (event.action === "delete") return TRUSTED;
  if (event.direction === "outbound") return trustChange(lane);
  return trustSeen(lane, event, mapping.resource.versions === "monotonic");
}

function trustSeen(lane: Lane, event: TandemEvent, isTimeExact: boolean): ArrivalTrust {
  const { clock, known } = lane;
  const older = trustOlder(lane, event);
  if (older !== null) return older;
  if (event.content === null) return readFor("no_content");
  const isSameTime = clock !== null && event.updatedAt === clock.at;
  const isSameContent = known !== null && known.digest === event.digest;
  if (known !== null && isSameTime && isTimeExact) {
    return { kind: "duplicate", why: isSameContent ? "same_content" : "same_version", of: known };
  }
  const doubt = doubtOf(lane);
  if (doubt !== null) return readFor(doubt);
  if (!isSameTime && awaitsOlder(lane)) return readFor("older_waits");
  if (isSameContent) return { kind: "duplicate", why: "same_content", of: known };
  if (isSameTime) return readFor("same_time");
  if (wasKnown(lane, event)) return readFor("known_before");
  return hasNewerWaiting(lane, event) ? readFor("newer_waits") : TRUSTED;
}

/** Why the known content may be outdated, or will not be merged without help; `null` if neither holds. */
function doubtOf(lane: Lane): ReadReason | null {
  const { attempt, known, live } = lane;
  if (processing(lane) !== null) return "event_processing";
  if (attempt !== null) return "outcome_unknown";
  if (known === null) return null;
  if (known.lost) return "known_lost";
  const carrier = live.find(({ id }) => id === known.event);
  return carrier?.state === "errored" || carrier?.state === "disabled" ? "known_unmerged" : null;
}

/** Whether an event with an older time than the clock waits to be read. */
function awaitsOlder(lane: Lane): boolean {
  return liveEvents(lane, "queued", "inbound").some((event) => isOlderUnread(lane, event));
}

/**
 * Whether an event with different content waits that is not older. It did not advance the clock because it was
 * added while the lane was switched off.
 */
function hasNewerWaiting(lane: Lane, { updatedAt: at, digest: said }: TandemEvent): boolean {
  return liveEvents(lane, "queued", "inbound").some(
    ({ updatedAt, digest: other }) =>
      at !== null && updatedAt !== null && updatedAt >= at && other !== said,
  );
}

function trustChange({ live, known }: Lane): ArrivalTrust {
  if (live.some(asksForRead)) return readFor("read_asked");
  return known?.lost === true ? readFor("known_lost") : TRUSTED;
}

/** Whether an outbound upsert must read the resource before it writes. */
export function asksForRead({ direction, action, reread }: TandemEvent): boolean {
  return direction === "outbound" && action === "upsert" && reread;
}

/** Decides whether an event is acted on as it is, reads its resource first, or waits. */
export function trust(lane: Lane, event: TandemEvent): Trust {
  return event.direction === "inbound" ? trustInbound(lane, event) : trustOutbound(lane, event);
}

function trustInbound(lane: Lane, event: TandemEvent): Trust {
  const { awaitingIntent, clock, known } = lane;
  if (awaitingIntent !== null) return { kind: "wait", why: "creates_open", until: awaitingIntent };
  if (event.action === "delete") return TRUSTED;
  // Record and children have not followed the resource's move yet, so newer knowledge must not end the event.
  if (lane.moved !== null) return readFor("resource_moved");
  const older = trustOlder(lane, event);
  if (older !== null) return older;
  if (event.reread) return readFor("read_asked");
  if (event.content === null) return readFor("no_content");
  const isSameTime = clock?.at === event.updatedAt;
  if (isSameTime && known !== null && known.digest !== event.digest) return readFor("same_time");
  return outcomeUnknown(lane) ? readFor("outcome_unknown") : TRUSTED;
}

/** The answer about an event that is older than the clock; `null` about any other. */
function trustOlder(lane: Lane, event: TandemEvent): Older | null {
  const { clock } = lane;
  if (clock === null || event.updatedAt === null || event.updatedAt >= clock.at) return null;
  const older: OlderTime = { clock, at: event.updatedAt };
  return isOlderUnread(lane, event)
    ? { kind: "read", why: "older_unread", ...older }
    : { kind: "outdated", ...older };
}

function trustOutbound(lane: Lane, event: TandemEvent): Trust {
  const { clock, known } = lane;
  const isDoubted = known?.doubted === true;
  if (lane.externalId === null) {
    const mayExist = lane.intent !== null && mayHaveLanded(lane);
    return mayExist ? readFor("create_unanswered") : TRUSTED;
  }
  if (event.action === "delete") return TRUSTED;
  if (isDoubted && clock !== null) {
    return { kind: "wait", why: "read_may_be_older", than: clock.at };
  }
  if (lane.attempt !== null) return readFor("outcome_unknown");
  if (event.reread) return readFor("read_asked");
  return isDoubted || lane.live.some(isUnreadChange) ? readFor("unread_change") : TRUSTED;
}

/**
 * Decides whether a request may overwrite the resource. Without the read an unread edit would be lost without a
 * record: webhooks get lost, and polls see an edit a minute late (situation 56).
 *
 * An answer to our own request replaces a read for `readFreshness` (default: 0), counted from the sending of that
 * request. A webhook or a list cannot: it shows past content. An edit between the read and our request can still be
 * lost: the round trip of one request.
 *
 * @param looked Whether this worker has read the resource since its claim, and merged what it read.
 */
export function trustWrite(
  lane: Lane,
  kind: "patch" | "close" | "delete",
  looked: boolean,
  context: Context,
): WriteTrust {
  const { base, known } = lane;
  // If a create was never answered, no content is known: closing its resource replaces nothing that could be new.
  if (kind === "close" && base === null) return TRUSTED;
  if (!looked && !isAnswerFresh(lane, context)) {
    // "Unchanged" since content that was not merged would skip its merge.
    if (known === null || known.lost || known.doubted === true || known.baseFrom !== undefined) {
      return { kind: "read", why: "known_unmerged", validator: null };
    }
    return { kind: "read", why: "not_read", validator: known.validator ?? null };
  }
  const hasNews = kind === "patch" && liveEvents(lane, "queued", "inbound").length > 0;
  return hasNews ? { kind: "wait", why: "news_arrived" } : TRUSTED;
}

/** Whether the answer to our last request is recent enough to replace a read. */
function isAnswerFresh({ lastSent }: Lane, { now, readFreshness }: Context): boolean {
  if (lastSent?.settledAt === undefined) return false;
  return addMillis(lastSent.sentAt, readFreshness) > now;
}

function readFor(why: ReadReason): ReadFor {
  return { kind: "read", why };
}

/** Whether a create was sent and not answered, so that its resource may exist. */
export function mayHaveLanded({ attempt, unanswered }: Lane): boolean {
  return attempt !== null || unanswered.some(({ kind }) => kind === "create");
}

/** Whether an event is an observed change whose read failed: a write of ours could overwrite it unseen. */
function isUnreadChange({ direction, action, state, error }: TandemEvent): boolean {
  return (
    direction === "inbound" &&
    action === "upsert" &&
    state === "errored" &&
    error !== null &&
    error.httpStatus !== null
  );
}
