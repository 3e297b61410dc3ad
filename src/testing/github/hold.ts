/** A request caught in flight, so that a test can decide what happens before it is answered. */
import type { RequestEntry } from "./request-log.ts";

/** What a hold tells the request it holds. */
export interface HeldRequest {
  readonly entry: RequestEntry;
  /** Makes it take effect; a second call does nothing. */
  readonly apply: () => void;
  readonly answer: () => void;
  readonly fail: (as: "reset" | "timeout") => void;
}

/**
 * @example
 * const hold = sim.holdNext({ method: "POST", path: "/repos/acme/site/issues" });
 * const answer = client.createIssue(...);
 * await hold.arrived;
 * hold.apply();   // the issue exists and its webhook is on its way
 * hold.release(); // only now does the caller hear of it
 * await answer;
 */
export class Hold {
  /** Resolves when a request was caught. */
  readonly arrived: Promise<RequestEntry>;
  #held: HeldRequest | null = null;
  readonly #announce: (entry: RequestEntry) => void;

  constructor() {
    let announce: (entry: RequestEntry) => void = () => undefined;
    this.arrived = new Promise((resolve) => {
      announce = resolve;
    });
    this.#announce = announce;
  }

  /** Called by the simulator when a request that matches arrives. */
  catch(held: HeldRequest): void {
    this.#held = held;
    this.#announce(held.entry);
  }

  /** Lets the request take effect without an answer. Works after `drop` too: it lands late. */
  apply(): void {
    this.#caught().apply();
  }

  /** Lets the request take effect, unless it has, and answers. */
  release(): void {
    this.#caught().apply();
    this.#caught().answer();
  }

  /** The caller sees a failure; whether the request took effect is as it was. */
  drop(as: "reset" | "timeout" = "reset"): void {
    this.#caught().fail(as);
  }

  #caught(): HeldRequest {
    if (this.#held === null) throw new Error("no request has arrived yet; await hold.arrived");
    return this.#held;
  }
}
