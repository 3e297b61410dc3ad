/** Mutants of what a failover may have lost (docs/design/databases.md; situation 64). */
import type { CodeMutant } from "./mutant.ts";

const logPlace = "src/engine/limits/log-place.ts";
const logWatch = "src/store/postgres/directory/log-watch.ts";
const guard = "src/runtime/safety/instance.ts";
const onPostgres = ["test/situations/safety/failover.test.ts"];

export const failingOver: readonly CodeMutant[] = [
  {
    id: "failover-lost",
    rule: "A replica that took over lacks what lies behind the end of its recovery",
    file: logPlace,
    find: "found.recoveredTo <= committed.at",
    replace: "found.recoveredTo < committed.at",
    killedBy: ["test/engine/limits/log-place.test.ts"],
  },
  {
    id: "failover-old-primary",
    rule: "... and an old primary lacks what was committed on a later timeline",
    file: logPlace,
    find: 'if (found.timeline < committed.timeline) return "lost";',
    replace: "",
    killedBy: ["test/engine/limits/log-place.test.ts"],
  },
  {
    id: "failover-short",
    rule: "... and a log that ends before a commit lacks it on any timeline",
    file: logPlace,
    find: 'if (found.at < committed.at) return "lost";',
    replace: "",
    killedBy: ["test/engine/limits/log-place.test.ts"],
  },
  {
    id: "failover-compared",
    rule: "Every transaction compares the log with what was seen committed",
    file: logWatch,
    find: "if (found !== null) this.#judge(entry.before, found);",
    replace: "",
    killedBy: onPostgres,
  },
  {
    id: "failover-told",
    rule: "... and whoever finds work lost tells everybody",
    file: logWatch,
    find: "await instance.noteSetBack(SET_BACK, lost);",
    replace: "",
    killedBy: onPostgres,
  },
  {
    id: "failover-asked-again",
    rule: "... and what relies on what was asked before is refused",
    file: logWatch,
    find: "if (this.#doubts !== entry.doubts) throw new LostWorkError(null);",
    replace: "",
    killedBy: onPostgres,
  },
  {
    id: "failover-others",
    rule: "After a failover of asynchronous replicas others have time to tell what they lost",
    file: guard,
    find: "if (othersTellUntil !== null && clock.now() < othersTellUntil) return FAILED_OVER;",
    replace: "",
    killedBy: onPostgres,
  },
  {
    id: "failover-synchronous",
    rule: "... and after one of synchronous replicas nothing waits",
    file: logWatch,
    find: 'if (!isTurn || (isSynchronous && verdict === "kept")) return;',
    replace: "if (!isTurn) return;",
    killedBy: onPostgres,
  },
  {
    id: "set-back-approved-since",
    rule: "Work that was lost before an approval is not reported again",
    file: "src/store/postgres/directory/instance-rows.ts",
    find: "where instance.adopted_at <= $2::timestamptz",
    replace: "where $2::timestamptz is not null",
    killedBy: ["test/store/postgres-store.test.ts"],
  },
  {
    id: "lost-create-sought",
    rule: "A create that may have been forgotten is looked for by what it said before anything is created",
    file: "src/engine/limits/instance.ts",
    find: "return unchanged(lookForCreated(lane, first, create, since));",
    replace: "return unchanged(lane);",
    killedBy: ["test/engine/limits/instance.test.ts"],
  },
  {
    id: "lost-create-old",
    rule: "... and of an old record a person says whether it exists, for its text may be another by now",
    file: "src/engine/limits/instance.ts",
    find: "if (create === null || addMillis(since, RECOGNISED_WITHIN_MS) < now) {",
    replace: "if (create === null) {",
    killedBy: ["test/engine/limits/instance.test.ts"],
  },
  {
    id: "lost-create-token",
    rule: "A resource of a forgotten create carries a token that no lane knows",
    file: "src/runtime/outbound/find-created.ts",
    find: "if (one.token !== null && !mayBeForgotten) continue;",
    replace: "if (one.token !== null) continue;",
    killedBy: onPostgres,
  },
  {
    id: "lost-create-copied",
    rule: "... and one with a token that a lane knows is a copy",
    file: "src/runtime/outbound/find-created.ts",
    find: " && !knownTokens.has(one.token)",
    replace: "",
    killedBy: ["test/situations/safety/restored-database.test.ts"],
  },
  {
    id: "lost-create-alone",
    rule: "... but in a copy a person says, for the original may still create it",
    file: guard,
    find: "isAlone ? book : null",
    replace: "book",
    killedBy: ["test/cli/in-step.test.ts"],
  },
];
