/** The lanes that take the captured writes of a record: which ones, and which facts come with each. */
import { describe, expect, it, test } from "vitest";
import { routeWrites, type WrittenRecord } from "../../../src/engine/lifecycle/route-writes.ts";
import { type ConnectionId, connectionId, laneId } from "../../../src/model/ids.ts";
import type { Tombstone } from "../../../src/model/tombstone.ts";
import { aMapping, anEventId, at } from "../builders.ts";

const [site, app, other] = ["1", "2", "3"].map((id) => connectionId(id)) as [
  ConnectionId,
  ConnectionId,
  ConnectionId,
];
const mapping = aMapping({ scopeColumn: "project_id", softDelete: "archived_at" });
const row = { id: "7", title: "A", project_id: "1", archived_at: null };
const archived = { ...row, archived_at: "2026-03-02 09:00:30" };

type Write = WrittenRecord["writes"][number];
const titled: Write = { operation: "update", columns: ["title"], origin: null };
const moved: Write = { operation: "update", columns: ["title", "project_id"], origin: null };
const restored: Write = { operation: "update", columns: ["archived_at"], origin: null };
const inserted: Write = { operation: "insert", columns: [], origin: null };
const ours = { origin: anEventId(3) };

/** A living lane in a connection; its id is the connection's, with a 1 before it. */
const livingIn = (id: ConnectionId, isMapped = true) => ({
  id: laneId(`1${id}`),
  connectionId: id,
  isMapped,
});
type Ended = WrittenRecord["ended"][number];
/** A lane that ended in a connection. Default: by its record's deletion. Its id is the connection's, with a 2 before it. */
const endedIn = (
  id: ConnectionId,
  how: Partial<Tombstone> = {},
  movedFrom: ConnectionId | null = null,
): Ended => ({
  id: laneId(`2${id}`),
  connectionId: id,
  isMapped: true,
  tombstone: { event: anEventId(1), at: at(10), record: "deleted", resource: "present", ...how },
  moved: movedFrom && { connection: movedFrom, externalId: "9" },
});
const byResource = { record: "present", resource: "deleted" } as const;
const outOfReach = { record: "present", resource: { outOfReach: "11/7" } } as const;
const byScope = (...connections: readonly ConnectionId[]) =>
  ({ kind: "by_scope", connections }) as const;

/** The routes in short, such as `11` for a living lane, `21 ended`, or `ensured in 2, arrives`. */
function routes(how: Partial<WrittenRecord>): readonly string[] {
  const record = { mapping, row, hidden: false, writes: [titled], living: [], ended: [] };
  return routeWrites({ ...record, where: byScope(site), ...how }).map((route) => {
    if (route.kind === "ensured") {
      const { connectionId: id, arrives, revives } = route;
      return `ensured in ${id}${arrives ? ", arrives" : ""}${revives ? ", revives" : ""}`;
    }
    const { lane, living, moved: left, restoresIn } = route;
    const facts = [left ?? [], restoresIn === null ? [] : `restores in ${restoresIn}`].flat();
    return [`${lane}${living ? "" : " ended"}`, ...facts].join(", ");
  });
}

describe("a present record's writes", () => {
  test.each<readonly [string, Partial<WrittenRecord>, readonly string[]]>([
    ["reach its living lane", { living: [livingIn(site)] }, ["11", "ensured in 1"]],
    ["create its first lane where it belongs", {}, ["ensured in 1"]],
    [
      "create one lane in each connection",
      { where: byScope(site, app) },
      ["ensured in 1", "ensured in 2"],
    ],
    [
      "reach no lane of a connection without the mapping",
      { living: [livingIn(site, false)] },
      ["ensured in 1"],
    ],
    ["reach none while its scope is not decided", { where: { kind: "unsettled" } }, []],
    [
      "reach its living lane while its scope is not decided",
      { where: { kind: "unsettled" }, living: [livingIn(site)], writes: [moved] },
      ["11"],
    ],
  ])("%s", (_what, how, expected) => {
    expect(routes(how)).toEqual(expected);
  });
});

describe("a record that is moved", () => {
  const leaves = { living: [livingIn(site)], where: byScope(app) };

  test.each<readonly [string, Partial<WrittenRecord>, readonly string[]]>([
    [
      "leaves its lane and arrives",
      { ...leaves, writes: [moved] },
      ["11, to_connection", "ensured in 2, arrives"],
    ],
    ["leaves all scopes", { ...leaves, where: byScope(), writes: [moved] }, ["11, out_of_scope"]],
    ["stays until a write moves it", { ...leaves, writes: [titled] }, ["11", "ensured in 2"]],
    [
      "does not arrive if the same batch inserted it",
      { where: byScope(app), writes: [inserted, moved] },
      ["ensured in 2"],
    ],
    [
      "does not arrive where it has a lane",
      { living: [livingIn(site), livingIn(app)], where: byScope(app), writes: [moved] },
      ["11, to_connection", "12", "ensured in 2"],
    ],
    [
      "leaves its lane if it was archived, moved and restored unseen",
      { ...leaves, writes: [restored] },
      ["11, to_connection", "ensured in 2"],
    ],
    [
      "gets a lane that follows the one whose resource was deleted",
      { ...leaves, writes: [moved], ended: [endedIn(app, byResource)] },
      ["11, to_connection", "ensured in 2, revives"],
    ],
    [
      "is by its parent, too",
      {
        mapping: aMapping({
          parent: { column: "task_id", recordType: "tasks" },
          scopeColumn: null,
        }),
        living: [livingIn(site)],
        where: { kind: "by_parent", parents: [{ connectionId: app, standing: "living" }] },
        writes: [{ operation: "update", columns: ["task_id"], origin: null }],
      },
      ["11, to_connection", "ensured in 2, arrives"],
    ],
  ])("%s", (_what, how, expected) => {
    expect(routes(how)).toEqual(expected);
  });
});

describe("a record whose lane has ended", () => {
  const deleted = endedIn(site, byResource);

  test.each<readonly [string, Partial<WrittenRecord>, readonly string[]]>([
    [
      "restores the lane that ended with it",
      { ended: [endedIn(site)] },
      ["21 ended, restores in 1"],
    ],
    [
      "restores it where its resource was moved to",
      { ended: [endedIn(app, {}, site)] },
      ["22 ended, restores in 1"],
    ],
    [
      "restores it in the last of two connections in which it counts",
      { ended: [endedIn(app, {}, site)], where: byScope(site, app) },
      ["22 ended, restores in 2"],
    ],
    ["notes a write in the lane of its deleted resource", { ended: [deleted] }, ["21 ended"]],
    [
      "revives if the app inserts it again",
      { ended: [deleted], writes: [inserted] },
      ["ensured in 1, revives"],
    ],
    [
      "revives if the app restores it",
      { ended: [deleted], writes: [restored] },
      ["ensured in 1, revives"],
    ],
    [
      "does not revive by a write of ours",
      {
        ended: [deleted],
        writes: [
          { ...restored, ...ours },
          { ...inserted, ...ours },
        ],
      },
      ["21 ended"],
    ],
    [
      "does not revive by another column, if there is no soft delete",
      { mapping: aMapping({ scopeColumn: "project_id" }), ended: [deleted], writes: [restored] },
      ["21 ended"],
    ],
    [
      "belongs elsewhere: its ended lane is left",
      { ended: [endedIn(site)], where: byScope(app), writes: [restored] },
      ["ensured in 2", "21 ended, to_connection"],
    ],
    [
      "belongs nowhere: its ended lane is left",
      { ended: [endedIn(site)], where: byScope() },
      ["21 ended, out_of_scope"],
    ],
    [
      "left it before: it is not left again",
      { ended: [endedIn(site, { record: "to_connection" })], where: byScope(app) },
      ["ensured in 2"],
    ],
    [
      "ended by its resource: it is not left",
      { ended: [deleted], where: byScope(app) },
      ["ensured in 2"],
    ],
    [
      "has no mapping in that connection: it is not left",
      { ended: [{ ...endedIn(site), isMapped: false }], where: byScope(app) },
      ["ensured in 2"],
    ],
    [
      "is restored elsewhere than it ended: it is not left",
      { ended: [endedIn(other, {}, site)] },
      ["23 ended, restores in 1"],
    ],
    [
      "is a child whose resource is out of reach, and whose parent has another one: it revives",
      {
        mapping: aMapping({
          parent: { column: "task_id", recordType: "tasks" },
          scopeColumn: null,
        }),
        ended: [endedIn(site, outOfReach)],
        where: { kind: "by_parent", parents: [{ connectionId: site, standing: "living" }] },
      },
      ["ensured in 1, revives"],
    ],
    [
      "has its resource out of reach: a write is noted there",
      { ended: [endedIn(site, outOfReach)] },
      ["21 ended"],
    ],
    [
      "is a child: it leaves no ended lane",
      {
        mapping: aMapping({
          parent: { column: "task_id", recordType: "tasks" },
          scopeColumn: null,
        }),
        ended: [endedIn(site)],
        where: { kind: "by_parent", parents: [{ connectionId: app, standing: "living" }] },
      },
      ["ensured in 2"],
    ],
  ])("%s", (_what, how, expected) => {
    expect(routes(how)).toEqual(expected);
  });
});

describe("an absent record", () => {
  const gone = { row: null, where: { kind: "unsettled" } } as const;
  const [first, last] = [endedIn(site, byResource), endedIn(app, byResource)];

  test.each<readonly [string, Partial<WrittenRecord>, readonly string[]]>([
    ["ends its living lanes", { living: [livingIn(site), livingIn(app)] }, ["11", "12"]],
    ["creates no lane", {}, []],
    [
      "is noted in the last lane whose resource was deleted",
      { ended: [first, last, endedIn(other)] },
      ["22 ended"],
    ],
    ["is noted in no lane that ended with it", { ended: [endedIn(site)] }, []],
    [
      "is noted in no ended lane beside a living one",
      { living: [livingIn(other)], ended: [first] },
      ["13"],
    ],
    ["that may be hidden is noted in no ended lane", { hidden: true, ended: [first] }, []],
  ])("%s", (_what, how, expected) => {
    expect(routes({ ...gone, ...how })).toEqual(expected);
  });
});

describe("an archived record", () => {
  it("reaches its living lanes only, and leaves none", () => {
    const living = [livingIn(site)];
    expect(routes({ row: archived, living, where: byScope(app), writes: [moved] })).toEqual(["11"]);
    expect(routes({ row: archived, ended: [endedIn(site)], where: byScope(app) })).toEqual([]);
    expect(routes({ row: archived })).toEqual([]);
  });
});
