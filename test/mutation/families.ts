/**
 * Mutants of parents and transfers: rules of the runtime, most of which must be missed on the very
 * schedules that refute their models (design, section 5; `spec/traces`).
 */
import type { CodeMutant } from "./mutant.ts";

const processInbound = "src/runtime/inbound/process-event.ts";
const killedBy = ["test/situations/model-traces.test.ts"];

export const families: readonly CodeMutant[] = [
  {
    id: "parent-wait",
    rule: "A child waits for its parent's record",
    reasons: ["awaiting_parent"],
    file: processInbound,
    find: "    await save(tx, held, awaitParent(held.start, event, context));\n    return DONE;",
    replace:
      "    await save(tx, held, endForEndedParent(held.start, event, null, context));\n    return DONE;",
    killedBy,
  },
  {
    id: "parent-ended",
    rule: "An event below a deleted record ends",
    reasons: ["parent_deleted"],
    file: processInbound,
    find: 'if (typeof parentId === "object" && parentId !== null) {',
    replace: 'if (typeof parentId === "object" && parentId !== null && parentId.ended === "") {',
    killedBy,
  },
  {
    id: "parent-ended-outbound",
    rule: "A create below a detached resource ends",
    reasons: ["parent_deleted"],
    file: "src/engine/processing/outbound.ts",
    find: 'if (parent !== null && parent !== "none" && "ended" in parent) {',
    replace:
      'if (parent !== null && parent !== "none" && "ended" in parent && parent.ended === "") {',
    killedBy,
  },
  {
    id: "moved-claims",
    rule: "A request that is led elsewhere takes the lane there",
    reasons: ["resource_moved"],
    file: "src/runtime/worker/process-claimed.ts",
    find: "if (!(thrown instanceof IntegrationError) || thrown.moved === null) return false;",
    replace:
      'if (!(thrown instanceof IntegrationError) || thrown.moved === null || thrown.message !== "") return false;',
    killedBy: ["test/situations/moves/transfers.test.ts"],
  },
  {
    id: "moved-sweep",
    rule: "A redirect to another address is no deletion: the sweep follows it",
    file: "src/runtime/records/compare.ts",
    find: "if (error.moved !== null) return error.moved;",
    replace: 'if (error.moved !== null) return "absent";',
    killedBy,
  },
  {
    id: "moved-double",
    rule: "A lane that knew the new address before the move is a double, and its record is removed",
    file: "src/runtime/moves/settle-move.ts",
    find: "const conflicts = await removeDoubles(tx, held, behind, families, rows, decided, book, context);",
    replace: "const conflicts: readonly Conflict[] = [];",
    killedBy,
  },
];
