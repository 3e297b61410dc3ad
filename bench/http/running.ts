/** A part of the product or a peer in its own process, whose costs the harness measures. */

/** A running part, with its values for callers and the way to stop it. */
export interface Running<Opened, Last> {
  readonly opened: Opened;
  readonly stop: () => Promise<Last>;
}

export type Part<Input, Opened, Last> = (input: Input) => Promise<Running<Opened, Last>>;
