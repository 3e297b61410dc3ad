/** Runs that wait for a person's word, as the runtime reads and writes them. */
import type { HeldRun, Outlook, RunEnd, RunKind, AffectedRecord } from "../model/held-run.ts";
import type { ConnectionId } from "../model/ids.ts";

export interface HeldRuns {
  /** Those that have not ended, oldest first. */
  open(): Promise<readonly HeldRun[]>;
  /** Holds a run, or brings the one of its kind that is open up to date. Returns its id. */
  hold(run: {
    readonly connectionId: ConnectionId;
    readonly kind: RunKind;
    readonly state: HeldRun["state"];
    readonly outlook: Outlook;
    readonly sample: readonly AffectedRecord[];
  }): Promise<string>;
  /** Moves an open run; `false` where there is none of that id. */
  move(id: string, to: HeldRun["state"] | RunEnd): Promise<boolean>;
}
