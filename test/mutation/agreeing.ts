/** Mutants of what becomes of an edit that was never sent, for both sides had said the same. */
import type { CodeMutant } from "./mutant.ts";

const killedBy = ["test/engine/agreed-before.test.ts"];

export const agreeing: readonly CodeMutant[] = [
  {
    id: "plan-agreed-before",
    rule: "An app's value is named if the resource changes from it no later than the app wrote it, for it was never sent",
    file: "src/engine/merge/plan.ts",
    find: 'return resolveField(name, "resource", record, seen, "agreed_before");',
    replace: "return { record: seen, base: seen, news: true };",
    killedBy,
  },
  {
    id: "plan-agreed-before-sent",
    rule: "... unless it has left since ...",
    file: "src/engine/merge/later-side.ts",
    find: "if (leftAt !== undefined && leftAt >= changedAt) return false;",
    replace: "",
    killedBy,
  },
  {
    id: "plan-agreed-before-value",
    rule: "... as what the record says",
    file: "src/engine/merge/plan.ts",
    find: "const leftElse = left?.value !== undefined && !sameValue(left.value, record);",
    replace: "const leftElse = false;",
    killedBy,
  },
  {
    id: "plan-agreed-before-create",
    rule: "... and a create says all of its record, also what it leaves to the provider",
    file: "src/engine/merge/merge.ts",
    find: 'const fields = kind === "create" ? plannedFields(mapping).map(({ name }) => name) : [];',
    replace: "const fields: readonly string[] = [];",
    killedBy,
  },
  {
    id: "plan-agreed-before-once",
    rule: "... and once: what goes on from there replaces nothing of the app's",
    file: "src/engine/merge/merge.ts",
    find: "recordChangedAt: stillSaid(lane.recordChangedAt, merged),",
    replace: "",
    killedBy,
  },
  {
    id: "plan-agreed-before-theirs",
    rule: "... and what the record took from the resource never was the app's",
    file: "src/engine/merge/merge.ts",
    find: "const gone = new Set([...named, ...taken]);",
    replace: "const gone = new Set(named);",
    killedBy,
  },
];
