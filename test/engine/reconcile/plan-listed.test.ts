/** The plan for one listed resource: which steps it leads to, and which of them come from its parent. */
import { expect, test } from "vitest";
import { type Listed, planListed } from "../../../src/engine/reconcile/plan-listed.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";
import { aContext, aLane, anArrival, anEventId, anUnseenLane, at } from "../builders.ts";

const context = aContext();
const listed = (title: string, seconds = 60) => anArrival({ title }, seconds, { source: "poll" });
const present = (title: string) => ({ kind: "present", content: { title, body: "text" } }) as const;

/** The plan in short: each step's cause with the kinds of its actions, and `read` if it may have returned. */
function plan(how: Partial<Listed>) {
  const { steps, mayBeBack } = planListed(
    {
      lane: aLane(),
      isKnown: true,
      arrival: listed("A", 10),
      record: present("A"),
      isPairing: false,
      isBelowEnded: false,
      isBelowReturned: false,
      comparesRecord: true,
      ...how,
    },
    context,
  );
  const short = steps.map(({ cause, actions }) =>
    [cause, ...actions.map(({ kind }) => kind)].join(" "),
  );
  return mayBeBack ? [...short, "read"] : short;
}

const unknown = { lane: anUnseenLane(), isKnown: false, record: { kind: "none" } } as const;
const news = { arrival: listed("B") };
const edited = { record: present("Mine") };
const orphaned = { lane: aLane({ recordId: null, base: null }), record: { kind: "none" } } as const;
const deleted = { lane: aLane({ tombstone: resourceDeleted(anEventId(9), at(50)) }) };
const endedBy = (record: "deleted" | "with_parent"): Lane =>
  aLane({ tombstone: { event: anEventId(9), at: at(50), record, resource: "present" } });
const gone = { kind: "gone" } as const;

test.each<readonly [string, Partial<Listed>, readonly string[]]>([
  ["known and in step needs nothing", {}, []],
  ["with news is admitted", news, ["seen update_record"]],
  ["without news leaves its record's edit to be sent", edited, ["record_differs patch_resource"]],
  [
    "with a later time and known content shows the edit apart",
    { ...edited, arrival: listed("A") },
    ["seen", "record_differs patch_resource"],
  ],
  ["and its edit stay apart if the record has left", { ...edited, comparesRecord: false }, []],
  ["unknown is admitted", { ...unknown, ...news }, ["seen create_record"]],
  [
    "unknown is left to a backfill that pairs its type",
    { ...unknown, ...news, isPairing: true },
    [],
  ],
  [
    "unknown below an ended parent is not admitted",
    { ...unknown, ...news, isBelowEnded: true },
    [],
  ],
  [
    "known is admitted while a backfill pairs its type",
    { ...news, isPairing: true },
    ["seen update_record"],
  ],
  [
    "known below an ended parent is admitted",
    { ...news, isBelowEnded: true },
    ["seen update_record"],
  ],
  ["taken for deleted is read", deleted, ["read"]],
  [
    "taken for deleted is not read while a backfill pairs its type",
    { ...deleted, isPairing: true },
    [],
  ],
  ["taken for deleted is not read below an ended parent", { ...deleted, isBelowEnded: true }, []],
  [
    "that outlived its record is removed",
    { lane: endedBy("deleted"), record: gone },
    ["outlived remove_resource"],
  ],
  [
    "that outlived its record while its parent was away is removed",
    { lane: endedBy("with_parent"), record: gone },
    ["outlived remove_resource"],
  ],
  [
    "stays below a parent that has ended",
    { lane: endedBy("with_parent"), record: gone, isBelowEnded: true },
    [],
  ],
  ["without a record is left to its parent's return", orphaned, []],
  [
    "without a record shows what its parent's return makes of it",
    { ...orphaned, isBelowReturned: true },
    ["seen create_record"],
  ],
  [
    "without a record and with news shows that only",
    { ...orphaned, ...news, isBelowReturned: true },
    ["seen create_record"],
  ],
])("a listed resource %s", (_what, how, expected) => {
  expect(plan(how)).toEqual(expected);
});
