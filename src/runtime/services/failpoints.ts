/**
 * Failpoints: named places where tests end a worker, and what has and has not happened there.
 *
 * Nothing reaches them unless the process was composed with failpoints (`assembleTandem`): by the test kit, or by the
 * command line if `TANDEM_FAILPOINT` arms one.
 */
import type { TandemEvent } from "../../model/event.ts";
import type { EventId, LaneId } from "../../model/ids.ts";

/**
 * Each point, with what is durable and what is not when it is reached. An event that a batch ends passes only `record`
 * and `commit`, because one transaction claims and ends it. An edit of a paired record is decided in the transaction
 * that claims it, so its `claim` and `intent` are one; an edit with nothing to send passes only `commit`.
 */
export const FAILPOINTS = {
  "before:claim": "The lane is locked and its event chosen. Nothing is written.",
  "after:claim": "The claim is committed. No work on the event has begun.",
  "before:intent": "The values to send are decided and the lane locked. Nothing of it is written.",
  "after:intent": "The values to send, and a create's token, are committed. No request was sent.",
  "before:send": "As after:intent; the request is sent next.",
  "after:send": "The integration has carried the request out. Its answer is not handled yet.",
  "before:answer": "The answer's transaction holds the lane. Nothing of it is written.",
  "after:answer": "The answer's transaction is over: it is merged, unless the claim was lost.",
  "before:record": "The record's row is locked, if there is one, and the write is planned.",
  "after:record": "The row is written, and not committed: the app does not see it.",
  "before:commit": "The event's end is written; COMMIT is next. A crash undoes it.",
  "after:commit": "The event's end is durable. The worker does not know it yet.",
  "before:heartbeat": "The renewal of the lease holds the lane. Nothing is written.",
  "after:heartbeat": "The renewal is committed. The event is still being processed.",
  "before:adoption":
    "A resource with a create's token is seen, its lane locked. Nothing is written.",
  "after:adoption": "The lane has its resource, committed. A create's event has not ended.",
} as const satisfies Readonly<Record<`${"before" | "after"}:${string}`, string>>;

export type Failpoint = keyof typeof FAILPOINTS;

/** The event that is at the point, and its worker. */
export interface FailpointContext {
  /** `null` for records that a batch writes. */
  readonly lane: LaneId | null;
  /** `null` for an adoption by webhook or poll while no event of the lane is processing. */
  readonly event: EventId | null;
  readonly direction: TandemEvent["direction"];
  readonly action: TandemEvent["action"];
  /** The worker that claimed the event; `null` if none has. */
  readonly worker: string | null;
}

/**
 * Called and awaited at each point. In a process of its own it may end the process. Within a test's process (virtual
 * time) it aborts the worker's signal and throws, which simulates a crash: the open transaction rolls back, and the
 * worker writes nothing more. A promise that stays pending simulates a frozen worker; at points before a commit, its
 * transaction stays open.
 */
export interface Failpoints {
  reach(point: Failpoint, context: FailpointContext): Promise<void>;
}

export const NO_FAILPOINTS: Failpoints = { reach: () => Promise.resolve() };
