/** What runs in a process of its own, of which the harness measures what it costs. */

/** What a part gives when it runs, and how it is stopped. */
export interface Running<Opened, Last> {
  readonly opened: Opened;
  readonly stop: () => Promise<Last>;
}

export type Part<Input, Opened, Last> = (input: Input) => Promise<Running<Opened, Last>>;
