/** Mutants of what belongs to a resource that was out of reach, as simulated histories found. */
import type { CodeMutant } from "./mutant.ts";

const killedBy = ["test/situations/moves/found-by-simulation-back-in-reach.test.ts"];

export const backInReach: readonly CodeMutant[] = [
  {
    id: "back-no-rival",
    rule: "A lane that follows its parent back to where it is already is no rival of itself",
    file: "src/engine/lifecycle/moved-children.ts",
    find: "const present = rest.filter(",
    replace: "const present = ofType.filter(",
    killedBy,
  },
  {
    id: "back-unsent",
    rule: "A change that was not sent when its parent went out of reach is sent when the parent returns",
    file: "src/engine/lifecycle/moved-children.ts",
    find: "child.tombstone === null ? admitUnsent : admitDrift;",
    replace: "admitDrift;",
    killedBy,
  },
  {
    id: "back-by-way-of",
    rule: "A child that is still to follow a parent whose move ended on the way belongs below that parent's origin",
    file: "src/engine/lifecycle/record-placement.ts",
    find: "? [connectionId] : [previous.connection, connectionId];",
    replace: "? [connectionId] : [connectionId];",
    killedBy,
  },
  {
    id: "back-nobody-waits",
    rule: "No child waits for a parent whose move ended on the way",
    file: "src/runtime/records/parent.ts",
    find: "endedIn(candidate).some(",
    replace: "[candidate.connectionId].some(",
    killedBy,
  },
  {
    id: "back-below-another",
    rule: "A comment of an issue that is out of reach is created below the issue that its task has by now",
    file: "src/engine/lifecycle/record-placement.ts",
    find: "isChild && placeOutOfReach(tombstone) !== null;",
    replace: "!isChild && placeOutOfReach(tombstone) !== null;",
    killedBy,
  },
  {
    id: "back-no-other-issue",
    rule: "A task whose issue is out of reach gets no other by being edited",
    file: "src/engine/lifecycle/record-placement.ts",
    find: "isChild && placeOutOfReach(tombstone) !== null;",
    replace: "placeOutOfReach(tombstone) !== null;",
    killedBy,
  },
  {
    id: "back-left-meanwhile",
    rule: "An issue that is back when its task has another one elsewhere is one that the task has left",
    reasons: ["moved_to_connection"],
    file: "src/engine/lifecycle/move-routes.ts",
    find: "if (!isAway || there === undefined) return false;",
    replace: "if (!isAway || there !== undefined) return false;",
    killedBy,
  },
  {
    id: "transfer-came-below-meanwhile",
    rule: "A child that arrives while its parent's transfer is examined moves with the parent",
    file: "src/runtime/moves/follow-moves.ts",
    find: "if (missed !== undefined) throw",
    replace: "if (missed === null) throw",
    killedBy: ["test/situations/moves/transfers-raced.test.ts"],
  },
];
