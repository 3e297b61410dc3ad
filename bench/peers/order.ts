/** Whether the jobs of an issue were handled one at a time, and in the order in which they were handed over. */

/** One edit, with microseconds of one clock. */
export interface Handled {
  /** Which of all edits it is, from 0. */
  readonly edit: number;
  readonly issue: number;
  /** The first edit of its batch. */
  readonly batch: number;
  /** When the batch was handed over, and when the queue had taken it. */
  readonly sent: number;
  readonly taken: number;
  readonly started: number;
  readonly ended: number;
}

export interface Order {
  /** Edits that began while another of the same issue was being handled. */
  readonly overlaps: number;
  /** Edits that began after a later one of the same issue, though they had been handed over before it. */
  readonly inversions: number;
}

/**
 * One edit was handed over before another if they came in one batch, or the queue had taken its batch
 * before the other was sent. What two processes hand over at the same time may be handled in any order.
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
