/**
 * Whether a claimed event may be acted on with what is known of its resource. The first row that holds decides:
 *
 *   inbound    its lane waits for creates of other lanes         wait   `creates_open`
 *   inbound    it is a deletion                                  trusted
 *   inbound    record and children still follow a move           read   `resource_moved`
 *   inbound    older than the clock, a version never known       read   `older_unread`
 *   inbound    older than the clock                              trusted: it is outdated for certain
 *   inbound    it asks for a read                                read   `read_asked`
 *   inbound    it has no content                                 read   `no_content`
 *   inbound    as old as the known content, which differs        read   `same_time`
 *   inbound    the outcome of a request is unknown               read   `outcome_unknown`
 *   outbound   no resource yet, and a create may have made it    read   `create_unanswered`
 *   outbound   no resource yet, or a deletion                    trusted
 *   outbound   known content is from a read of its own second    wait   `read_may_be_older`
 *   outbound   a request is not settled                          read   `outcome_unknown`
 *   outbound   it asks for a read                                read   `read_asked`
 *   outbound   an observed change could not be read              read   `unread_change`
 *   any        otherwise                                         trusted
 *
 * A read that was made since the claim settles every row, so a caller asks before that read only.
 */
import type { TandemEvent } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import { outcomeUnknown } from "./transition.ts";
import { isOlderUnread } from "./versions.ts";

export type Trust =
  | { readonly kind: "trusted" }
  /** The resource is read first. */
  | { readonly kind: "read"; readonly why: ReadReason }
  /** Until that time by our clock the creates may settle. After it the content decides. */
  | { readonly kind: "wait"; readonly why: "creates_open"; readonly until: Instant }
  /** The resource is read as soon as no read can be older than that time by the provider's clock. */
  | { readonly kind: "wait"; readonly why: "read_may_be_older"; readonly than: Instant };

export type ReadReason =
  | "create_unanswered"
  | "no_content"
  | "older_unread"
  | "outcome_unknown"
  | "read_asked"
  | "resource_moved"
  | "same_time"
  | "unread_change";

const TRUSTED: Trust = { kind: "trusted" };

/** Decides whether an event is acted on as it is, reads its resource first, or waits. */
export function trust(lane: Lane, event: TandemEvent): Trust {
  return event.direction === "inbound" ? trustInbound(lane, event) : trustOutbound(lane, event);
}

function trustInbound(lane: Lane, event: TandemEvent): Trust {
  const { awaitingIntent, clock, known } = lane;
  const { updatedAt } = event;
  if (awaitingIntent !== null) return { kind: "wait", why: "creates_open", until: awaitingIntent };
  if (event.action === "delete") return TRUSTED;
  // Record and children have not followed the resource's move yet, so newer knowledge must not end the event.
  if (lane.moved !== null) return readFor("resource_moved");
  if (isOlderUnread(lane, event)) return readFor("older_unread");
  if (clock !== null && updatedAt !== null && updatedAt < clock.at) return TRUSTED;
  if (event.reread) return readFor("read_asked");
  if (event.content === null) return readFor("no_content");
  const isSameTime = clock?.at === updatedAt;
  if (isSameTime && known !== null && known.digest !== event.digest) return readFor("same_time");
  return outcomeUnknown(lane) ? readFor("outcome_unknown") : TRUSTED;
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

function readFor(why: ReadReason): Trust {
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
