/** A request caught in flight, so that a test decides what happens before its response. */
import type { RequestEntry } from "./request-log.ts";

/** The hold's ways to control its request. */
export interface HeldRequest {
  readonly entry: RequestEntry;
  /** Applies the request; a second call does nothing. */
  readonly apply: () => void;
  readonly answer: () => void;
  readonly fail: (as: "reset" | "timeout") => void;
}

/**
 * @example
 * const hold = sim.holdNext({ method: "POST", path: "/repos/acme/site/issues" });
 * const answer = client.createIssue(...);
 * await hold.arrived;
 * hold.apply();   // the issue exists and its webhook is sent
 * hold.release(); // only now does the caller get the response
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

  /** Applies the request without a response. After `drop` too, for a request that takes effect late. */
  apply(): void {
    this.#caught().apply();
  }

  /** Applies the request, unless that was done, and sends the response. */
  release(): void {
    this.#caught().apply();
    this.#caught().answer();
  }

  /** Shows the caller a failure; the request stays applied or not applied. */
  drop(as: "reset" | "timeout" = "reset"): void {
    this.#caught().fail(as);
  }

  #caught(): HeldRequest {
    if (this.#held === null) throw new Error("no request has arrived yet; await hold.arrived");
    return this.#held;
  }
}
