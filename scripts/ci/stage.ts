/** A stage of CI: a command with a budget, and how its result is counted. */

export interface Stage {
  readonly name: string;
  /** Its budget. Over it, the table marks the stage; it does not fail, since machines differ. */
  readonly minutes: number;
  /**
   * `exit`: passes or fails as a whole. `vitest`: runs Vitest, whose report is counted. `counted`: prints as its
   * last line of JSON the counts, such as `{"passed": 39, "failed": 1, "failures": ["which, and why"]}`.
   */
  readonly reads: "exit" | "vitest" | "counted";
  /** Program and arguments. An element such as `$NAME` is replaced by what another stage set. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The last line that it prints becomes this variable for the stages after it. */
  readonly sets?: string;
  /** It needs one core and heeds no clock: it runs at the same time as a neighbour in the list that is `beside`. */
  readonly beside?: boolean;
  /** Neighbours that must have ended before it begins. */
  readonly after?: readonly string[];
}

/** A stage that hangs is ended after this: four times its budget and three minutes. */
export function limitMillis({ minutes }: Stage): number {
  return (minutes * 4 + 3) * 60_000;
}

/** The command with its variables replaced. Returns the name of a variable that no stage has set instead. */
export function fillCommand(
  { command }: Stage,
  variables: ReadonlyMap<string, string>,
): { readonly filled: readonly string[] } | { readonly missing: string } {
  const filled: string[] = [];
  for (const element of command) {
    const name = /^\$(\w+)$/.exec(element)?.[1];
    const value = name === undefined ? element : variables.get(name);
    if (value === undefined) return { missing: name ?? element };
    filled.push(value);
  }
  return { filled };
}
