/**
 * What is checked. A row of `matrix.json` is a model, the bounds within which it is searched, the
 * rules taken away, if any, and what must come out. A clause of docs/design.md that closes a
 * schedule has a mutant there: a row with `without`, which the search must refute.
 */
import { z } from "zod";
import json from "./matrix.json" with { type: "json" };

const rowSchema = z.strictObject({
  /** Unique; the name of its trace as well. */
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** The file beside this one, without `.pml`. */
  model: z.enum(["lane", "delete", "create", "fence", "parent", "transfer", "move", "read"]),
  /** The world: policy, budgets, what is looked at. Each word is defined in the model. */
  bounds: z.string(),
  /** The rules taken away; absent in a whole model. */
  without: z.string().optional(),
  expect: z.enum(["holds", "refuted"]),
  /** The section of docs/design.md, and what it says, or what the row is for. */
  clause: z.string(),
  /** The largest bounds, for `--full` only. */
  full: z.literal(true).optional(),
  /** The rule's name in `test/engine/schedules/mutants.ts` or `creates/create-mutants.ts`, where the engine has the same mutant. */
  engineMutant: z.string().optional(),
});

export type Row = z.infer<typeof rowSchema>;

export const matrix: readonly Row[] = z.array(rowSchema).parse(json);

/** What is defined for a row's model, as `NE=2` or `STRICT`. */
export function flagsOf({ bounds, without = "" }: Row): readonly string[] {
  return `${bounds} ${without}`.split(" ").filter((flag) => flag !== "");
}

/** A trace as it is kept: what it is of, then one move a line. */
export function traceText(row: Row, why: string, steps: readonly string[]): string {
  const head = [
    `model: ${row.model} ${row.bounds}`,
    `without: ${row.without ?? ""}`,
    `clause: ${row.clause}`,
    `violated: ${why}`,
  ];
  return `${[...head, "", ...steps].join("\n")}\n`;
}
