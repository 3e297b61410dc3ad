/**
 * Failpoints: the places where a worker may die, by name, and what has and has not happened there.
 *
 * They are for tests only. Nothing reaches them unless the process was composed with some
 * (`assembleTandem`): by the test kit, or by the command line where `TANDEM_FAILPOINT` arms one.
 */
import type { TandemEvent } from "../../model/event.ts";
import type { EventId, LaneId } from "../../model/ids.ts";

/**
 * Each point, with what is durable and what is not when it is reached. An event that is ended together
 * with others passes `record` and `commit` only: it is claimed and ended in one transaction. An edit of
 * what is paired is begun in the transaction that claims it: `claim` and `intent` are one there, and one
 * that has nothing to send passes `commit` only.
 */
export const FAILPOINTS = {
  "before:claim": "The lane is locked and its event chosen. Nothing is written.",
  "after:claim": "The claim is committed. No work on the event has begun.",
  "before:intent": "What to send is decided and the lane locked. Nothing of it is written.",
  "after:intent": "What is to be sent, and a create's token, is committed. No request has left.",
  "before:send": "As after:intent; the request leaves next.",
  "after:send": "The integration has carried the request out. Nobody has looked at its answer.",
  "before:answer": "The answer's transaction holds the lane. Nothing of it is written.",
  "after:answer": "The answer's transaction is over: it is taken in, unless the claim was lost.",
  "before:record": "The record's row is locked, where there is one, and what to write is planned.",
  "after:record": "The row is written, and not committed: the app does not see it.",
  "before:commit": "All that ends the event is written; COMMIT comes next. A crash undoes it.",
  "after:commit": "The event's end is durable. The worker has not heard of it.",
  "before:heartbeat": "The renewal of the lease holds the lane. Nothing is written.",
  "after:heartbeat": "The renewal is committed. The work it is for is still under way.",
  "before:adoption":
    "A resource with a create's token is seen, its lane locked. Nothing is written.",
  "after:adoption": "The lane has its resource, committed. A create's event has not ended.",
} as const satisfies Readonly<Record<`${"before" | "after"}:${string}`, string>>;

export type Failpoint = keyof typeof FAILPOINTS;

/** Which event is at the point, and whose. */
export interface FailpointContext {
  /** `null` of records that are written together. */
  readonly lane: LaneId | null;
  /** `null` of an adoption by webhook or poll before any event of the lane is worked on. */
  readonly event: EventId | null;
  readonly direction: TandemEvent["direction"];
  readonly action: TandemEvent["action"];
  /** Who claimed the event; `null` where nobody has. */
  readonly worker: string | null;
}

/**
 * Told of each point as it is reached, and waited for. In a process of its own it may end the
 * process. Within one (virtual time) it aborts the worker's signal and throws, which is a crash: an
 * open transaction rolls back, and the worker writes nothing more. A promise that is kept waiting is
 * a frozen worker; the points before a commit then hold their transaction open.
 */
export interface Failpoints {
  reach(point: Failpoint, context: FailpointContext): Promise<void>;
}

export const NO_FAILPOINTS: Failpoints = { reach: () => Promise.resolve() };
