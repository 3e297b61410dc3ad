import type { Reason } from "../../src/model/event.ts";

/**
 * A code mutant: the product with one rule taken out of its source. The suite must fail for each,
 * or the rule is one that nobody would miss.
 */
export interface CodeMutant {
  /** Short and stable, such as `row-5-doubt`. */
  readonly id: string;
  /** The removed rule, in a sentence; a rule of the design names its section. */
  readonly rule: string;
  /** The reasons that this rule leads to; see `reasons.ts`. */
  readonly reasons?: readonly Reason[];
  /** Path below the repository's root. */
  readonly file: string;
  /** Text that stands exactly once in the file ... */
  readonly find: string;
  /** ... and what stands there instead. */
  readonly replace: string;
  /** The test files that miss it; default: `DECISIONS`. */
  readonly killedBy?: readonly string[];
}

/** The pure decisions' own tests, which take a second or two together. */
export const DECISIONS: readonly string[] = [
  "test/engine/admission/admit.test.ts",
  "test/engine/lane/sent-writes.test.ts",
  "test/engine/creates/create-schedules.test.ts",
  "test/engine/processing/failure.test.ts",
  "test/engine/founding-rules.test.ts",
  "test/engine/creates/identify.test.ts",
  "test/engine/processing/inbound.test.ts",
  "test/engine/looks.test.ts",
  "test/engine/next-look.test.ts",
  "test/engine/processing/outbound.test.ts",
  "test/engine/plan-laws.test.ts",
  "test/engine/plan-pairing.test.ts",
  "test/engine/merge/plan.test.ts",
  "test/engine/processing/local-change.test.ts",
  "test/engine/lane/restart.test.ts",
  "test/engine/restore.test.ts",
  "test/engine/schedules/sequences.test.ts",
  "test/engine/lane/claim.test.ts",
  "test/engine/creates/unmarked.test.ts",
];

/** Schedules explored exhaustively: what no single story shows. */
export const SCHEDULES: readonly string[] = ["test/engine/schedules/schedules.test.ts"];

/** One change of the product's source, made as its module is loaded. */
export interface Fault {
  readonly id: string;
  /** Path below the repository's root. */
  readonly file: string;
  /** @throws Error if the text to change is missing. */
  apply(source: string): string;
}

export function faultOf(mutant: CodeMutant): Fault {
  return { id: mutant.id, file: mutant.file, apply: (source) => mutate(source, mutant) };
}

/** @throws Error where the text to replace does not stand there exactly once. */
export function mutate(source: string, mutant: CodeMutant): string {
  const parts = source.split(mutant.find);
  if (parts.length !== 2) {
    throw new Error(
      `mutant ${mutant.id}: its text stands ${String(parts.length - 1)} times in ${mutant.file}; ` +
        "the code has changed, so find the rule's new place and correct test/mutation",
    );
  }
  return parts.join(mutant.replace);
}
