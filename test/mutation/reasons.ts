/**
 * Every reason that an event can carry has a rule behind it which is taken out somewhere, or a sentence
 * that says why there is none.
 */
import { type Reason, REASONS } from "../../src/model/event.ts";
import type { CodeMutant } from "./mutant.ts";

/** Reasons that no rule stands behind, with why. */
export const WITHOUT_RULE: Partial<Readonly<Record<Reason, string>>> = {
  admitted: "Nothing was decided yet: it is how an event waits that no rule holds up.",
};

/** A reason with the mutants of the rules behind it, or with why there is none; empty where neither is said. */
export interface ReasonLine {
  readonly reason: Reason;
  readonly behind: readonly string[] | string;
}

/** All of them, in the order of the model. */
export function reasonLines(mutants: readonly CodeMutant[]): readonly ReasonLine[] {
  return (Object.keys(REASONS) as readonly Reason[]).map((reason) => {
    const behind = mutants.filter((mutant) => mutant.reasons?.includes(reason) === true);
    const ids = behind.map(({ id }) => id);
    return { reason, behind: ids.length > 0 ? ids : (WITHOUT_RULE[reason] ?? []) };
  });
}
