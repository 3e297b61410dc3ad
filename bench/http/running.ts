/** A part of the product or a peer runs in a process of its own, whose costs the harness measures. */

/** A part that runs, with what it tells its callers, and how it is stopped. */
export interface Running<Opened, Last> {
  readonly opened: Opened;
  readonly stop: () => Promise<Last>;
}

export type Part<Input, Opened, Last> = (input: Input) => Promise<Running<Opened, Last>>;
