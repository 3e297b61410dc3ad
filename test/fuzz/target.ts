/**
 * A fuzz target: inputs drawn from a seed, and a check that throws where an input breaks an invariant.
 * `npm run fuzz` runs them; each failure comes with its seed, its path and the shortest input.
 */
import fc from "fast-check";

export interface FuzzTarget {
  readonly name: string;
  /** Its part of all inputs; those of all targets add up to 1. */
  readonly share: number;
  run(options: FuzzOptions): Promise<FuzzOutcome>;
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** The begin in the tree of inputs, as a failure gives it. */
  readonly path?: string;
}

export interface FuzzOutcome {
  readonly inputs: number;
  /** `null`: every input holds. */
  readonly failure: FuzzFailure | null;
}

export interface FuzzFailure {
  readonly target: string;
  readonly seed: number;
  readonly path: string;
  /** The shortest input found that breaks the invariant. */
  readonly input: string;
  readonly cause: string;
  /** The command that tells it again. */
  readonly again: string;
}

/** The parts that a target works on while its inputs run. */
export interface Bench<Input> {
  /** Throws where the input breaks an invariant. */
  check(input: Input): Promise<void>;
  close(): Promise<void>;
}

const LONGEST_INPUT_SHOWN = 2_000;

/**
 * Makes a target of inputs and what checks them.
 *
 * @example fuzzTarget({ name: "config", share: 0.2, inputs: oddConfig, open: openConfigBench })
 */
export function fuzzTarget<Input>(given: {
  readonly name: string;
  readonly share: number;
  readonly inputs: fc.Arbitrary<Input>;
  readonly open: () => Promise<Bench<Input>>;
}): FuzzTarget {
  const { name, share } = given;
  return {
    name,
    share,
    async run({ inputs, seed, path }) {
      const bench = await given.open();
      try {
        const property = fc.asyncProperty(given.inputs, (input) => bench.check(input));
        const details = await fc.check(property, {
          seed,
          numRuns: path === undefined ? inputs : 1,
          ...(path === undefined ? {} : { path }),
        });
        const failedAt = details.counterexamplePath;
        if (!details.failed || failedAt === null) {
          return { inputs: details.numRuns, failure: null };
        }
        const failure = {
          target: name,
          seed,
          path: failedAt,
          input: shortened(fc.stringify(details.counterexample)),
          cause: causeOf(details.errorInstance),
          again: `npm run fuzz -- --only "${name}" --seed ${String(seed)} --path ${failedAt}`,
        };
        return { inputs: details.numRuns, failure };
      } finally {
        await bench.close();
      }
    },
  };
}

function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const frame = thrown.stack?.split("\n").find((line) => line.trim().startsWith("at ")) ?? "";
  return shortened(`${thrown.message} ${frame.trim()}`);
}

function shortened(text: string): string {
  return text.length <= LONGEST_INPUT_SHOWN ? text : `${text.slice(0, LONGEST_INPUT_SHOWN)}...`;
}

/** Throws unless `holds`, saying what does not. */
export function must(holds: boolean, says: () => string): asserts holds {
  if (!holds) throw new Error(says());
}
