/** Mutants of what holds for tables as apps have them: row security, time zones, other writers. */
import type { CodeMutant } from "./mutant.ts";

const absentRow = "src/engine/absent-row.ts";
const captureSql = "src/store/postgres/capture-sql.ts";
const FORGED = ["test/store/forged-capture.test.ts"];
const ZONES = ["test/situations/time-zones.test.ts"];
const HIDDEN = ["test/situations/hidden-rows.test.ts"];

export const schemas: readonly CodeMutant[] = [
  {
    id: "hidden-is-no-delete",
    rule: "A row that row security may hide is deleted only where its delete was captured (section 6)",
    reasons: ["record_not_visible"],
    file: absentRow,
    find: 'return mayHide && captured.at(-1)?.operation !== "delete";',
    replace: "return mayHide && captured.length === 0;",
    killedBy: ["test/engine/absent-row.test.ts"],
  },
  {
    id: "hidden-delete-captured",
    rule: "... and where it was captured it is one, though nobody shows us the row",
    file: absentRow,
    find: 'return mayHide && captured.at(-1)?.operation !== "delete";',
    replace: "return mayHide;",
    killedBy: ["test/engine/absent-row.test.ts"],
  },
  {
    id: "hidden-drained",
    rule: "... so an edit of a hidden row is no delete to the drain",
    file: "src/runtime/fold-changes.ts",
    find: "? !hidden",
    replace: "? true",
    killedBy: HIDDEN,
  },
  {
    id: "hidden-outbound-waits",
    rule: "... its event waits until the row can be seen",
    reasons: ["record_not_visible"],
    file: "src/engine/outbound.ts",
    find: "    if (view.hidden === true) return settled(awaitVisible(start, event, context));\n",
    replace: "",
    killedBy: ["test/engine/absent-row.test.ts"],
  },
  {
    id: "hidden-begun-alone",
    rule: "... also where writes are begun together",
    file: "src/runtime/begin-writes.ts",
    find: "  if (row === null) return null;\n  const context = book.context(held.lane, now);\n  try {\n    const record = recordContent(context.mapping, row);",
    replace:
      "  const context = book.context(held.lane, now);\n  try {\n    const record = row === null ? null : recordContent(context.mapping, row);",
    killedBy: HIDDEN,
  },
  {
    id: "hidden-inbound-waits",
    rule: "... and so does what comes in for it, be it a deletion",
    reasons: ["record_not_visible"],
    file: "src/runtime/absent-rows.ts",
    find: '? { status: "hidden" } : locked;',
    replace: "? locked : locked;",
    killedBy: HIDDEN,
  },
  {
    id: "hidden-no-blame",
    rule: "... which burns no attempt",
    file: absentRow,
    find: "    attempts: Math.max(0, event.attempts - 1),\n",
    replace: "",
    killedBy: ["test/engine/absent-row.test.ts"],
  },
  {
    id: "wall-written",
    rule: "A time without a zone is written in the zone in which the app writes it",
    file: "src/store/postgres/record-values.ts",
    find: "text : column.wall.show(at);",
    replace: "text : text;",
    killedBy: ZONES,
  },
  {
    id: "stamp-forward",
    rule: "The app's stamp never moves backwards",
    file: "src/engine/stamp.ts",
    find: "return isLater ? {} :",
    replace: "return isLater && wall === null ? {} :",
    killedBy: ["test/engine/stamp.test.ts"],
  },
  {
    id: "stamp-as-shown",
    rule: "... as its clock shows it, also in the hour that this shows twice",
    file: "src/engine/stamp.ts",
    find: "const own = wall === null ? instantOrNull(text) : shownAsUtc(text);\n  const theirs = wall === null ? at : shownAsUtc(wall.show(at));",
    replace:
      "const own = wall === null ? instantOrNull(text) : wall.read(text);\n  const theirs = at;",
    killedBy: ["test/engine/stamp.test.ts"],
  },
  {
    id: "wall-captured",
    rule: "A writer's stamp without a zone says when it wrote",
    file: "src/store/postgres/capture-triggers.ts",
    find: ' || column?.builtin === "timestamp";',
    replace: ";",
    killedBy: ZONES,
  },
  {
    id: "wall-configured",
    rule: "... in the zone that the configuration names, where it names one",
    file: "src/store/postgres/capture-sql.ts",
    find: 'builtin === "timestamp" && timeZone !== null',
    replace: 'builtin === "text" && timeZone !== null',
    killedBy: ZONES,
  },
  {
    id: "told-by-privilege",
    rule: "A setting of a writer without rights on Tandem's schema does not switch capture off",
    file: captureSql,
    find: "        then has_table_privilege('tandem.changes', 'insert')\n      else false",
    replace: "        then has_table_privilege('tandem.changes', 'insert')\n      else true",
    killedBy: FORGED,
  },
  {
    id: "origin-privilege",
    rule: "... nor does it mark a write as Tandem's",
    file: captureSql,
    find: "$' and has_table_privilege(",
    replace: "$' or has_table_privilege(",
    killedBy: FORGED,
  },
  {
    id: "origin-an-event",
    rule: "... and a mark that is no id of an event is none, whoever sets it",
    file: captureSql,
    find: "mark ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'",
    replace: "mark <> ''",
    killedBy: FORGED,
  },
  {
    id: "capture-own-table",
    rule: "The capture function says nothing of a table that it was attached to by others",
    file: captureSql,
    find: "is not true then\n    return null;",
    replace: "is null and false then\n    return null;",
    killedBy: FORGED,
  },
  {
    id: "capture-revoked",
    rule: "... which nobody may attach who was not given the right to",
    file: captureSql,
    find: "`revoke all on function ${name}() from public`",
    replace: "`grant execute on function ${name}() to public`",
    killedBy: FORGED,
  },
];
