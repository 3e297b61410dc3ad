/** Whether the jobs of an issue were handled one at a time, and in the order in which they were enqueued. */

/** One edit, with microseconds of one clock. */
export interface Handled {
  /** The index of the edit among all, from 0. */
  readonly edit: number;
  readonly issue: number;
  /** The first edit of its batch. */
  readonly batch: number;
  /** When the batch was sent, and when the queue had stored it. */
  readonly sent: number;
  readonly taken: number;
  readonly started: number;
  readonly ended: number;
}

export interface Order {
  /** Edits that began while another of the same issue was in progress. */
  readonly overlaps: number;
  /** Edits that began after a later one of the same issue, although they were enqueued before it. */
  readonly inversions: number;
}

/**
 * An edit comes before another if both are in one batch in that order, or if the queue had stored its batch
 * before the other was sent. Batches that two processes send at the same time have no order.
 */
export function orderOf(handled: readonly Handled[]): Order {
  let overlaps = 0;
  let inversions = 0;
  const issues = new Map<number, Handled[]>();
  for (const each of handled.toSorted((a, b) => a.started - b.started)) {
    const before = issues.get(each.issue) ?? [];
    if (before.some(({ ended }) => ended > each.started)) overlaps += 1;
    if (before.some((other) => other.edit > each.edit && isBefore(each, other))) inversions += 1;
    before.push(each);
    issues.set(each.issue, before);
  }
  return { overlaps, inversions };
}

function isBefore(one: Handled, other: Handled): boolean {
  return one.batch === other.batch || one.taken <= other.sent;
}
