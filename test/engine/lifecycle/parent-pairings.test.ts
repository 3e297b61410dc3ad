/** The pairings of a child's parent: which connections the child follows it to, waits for, or has lost it in. */
import { describe, expect, it, test } from "vitest";
import {
  hasParentIn,
  presentParents,
  withEndedParents,
} from "../../../src/engine/lifecycle/parent-pairings.ts";
import {
  isBelow,
  type ParentPairing,
  type RecordLocation,
} from "../../../src/engine/lifecycle/record-move.ts";
import { type ConnectionId, connectionId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { recordDeleted, resourceDeleted, type Tombstone } from "../../../src/model/tombstone.ts";
import { aLane, anEventId, at } from "../builders.ts";

const [site, app, other] = ["1", "2", "3"].map((id) => connectionId(id)) as [
  ConnectionId,
  ConnectionId,
  ConnectionId,
];
const inSite = { connectionId: site };
const inApp = { connectionId: app };
const deletion = resourceDeleted(anEventId(1), at(10));
const departure: Tombstone = { ...recordDeleted(anEventId(1), at(10)), record: "to_connection" };
const short = (parents: readonly ParentPairing[]) =>
  parents.map(({ connectionId: id, standing }) => `${standing} in ${id}`);

describe("the present pairings of a parent", () => {
  const stays = aLane({ connectionId: app, moved: null });
  const follows: Lane = {
    ...stays,
    moved: { connection: site, externalId: "7" },
  };
  const child = { living: [], ended: [] };
  type Child = Parameters<typeof presentParents>[2];

  test.each<readonly [string, Lane, Partial<Child>, readonly string[]]>([
    ["is living where it is paired", stays, { living: [inApp] }, ["living in 2"]],
    [
      "is living beside a child in another connection",
      stays,
      { living: [inSite] },
      ["living in 2"],
    ],
    ["is moving while the child is where it was", follows, { living: [inSite] }, ["moving in 2"]],
    ["is living once the child has followed", follows, { living: [inApp] }, ["living in 2"]],
    ["is living for a new child", follows, {}, ["living in 2"]],
    [
      "is moving for a child that was out of reach with it",
      follows,
      { ended: [{ ...inSite, tombstone: deletion }] },
      ["moving in 2"],
    ],
    [
      "is living for a child that the app moved away before",
      follows,
      { ended: [{ ...inSite, tombstone: departure }] },
      ["living in 2"],
    ],
    [
      "is living for a child that ended elsewhere",
      follows,
      { ended: [{ connectionId: other, tombstone: deletion }] },
      ["living in 2"],
    ],
  ])("%s", (_what, parent, how, expected) => {
    expect(short(presentParents([parent], [], { ...child, ...how }))).toEqual(expected);
  });

  it("come before those that it will get", () => {
    expect(short(presentParents([stays], [other], child))).toEqual([
      "living in 2",
      "expected in 3",
    ]);
    expect(short(presentParents([], [site, other], child))).toEqual([
      "expected in 1",
      "expected in 3",
    ]);
  });
});

describe("the ended pairings of a parent", () => {
  const ended = { ...inSite, tombstone: deletion, moved: null };
  const left = { ...ended, tombstone: departure };
  const living: ParentPairing = { connectionId: app, standing: "living" };

  test.each<
    readonly [string, readonly ParentPairing[], readonly (typeof ended)[], readonly string[]]
  >([
    ["are those of deletions", [], [ended], ["ended in 1"]],
    ["are those of moves by the app", [], [left], ["left in 1"]],
    ["come after the present ones", [living], [left], ["living in 2", "left in 1"]],
    ["are none where the parent is present", [living], [{ ...ended, ...inApp }], ["living in 2"]],
    [
      "are none where the parent is expected",
      [{ ...living, standing: "expected" }],
      [{ ...left, ...inApp }],
      ["expected in 2"],
    ],
    ["tell how the last lane ended that moved away", [], [ended, left], ["left in 1"]],
    ["tell how the last lane ended that was deleted", [], [left, ended], ["ended in 1"]],
  ])("%s", (_what, present, lanes, expected) => {
    expect(short(withEndedParents(present, lanes))).toEqual(expected);
  });

  it("are also where the resource came from, until the children follow", () => {
    const onTheWay = { ...ended, moved: { connection: other, externalId: "7" } };
    expect(short(withEndedParents([], [onTheWay]))).toEqual(["ended in 3", "ended in 1"]);
  });
});

describe("a parent in the connection of a child's lane", () => {
  it("counts with any standing", () => {
    for (const standing of ["living", "expected", "moving", "left", "ended"] as const) {
      const parents = [{ connectionId: site, standing }];
      expect(hasParentIn(inSite, parents)).toBe(true);
      expect(hasParentIn(inApp, parents)).toBe(false);
    }
    expect(hasParentIn(inSite, [])).toBe(false);
  });
});

describe("whether a child's parent is in a connection", () => {
  const at = (...parents: readonly (readonly [ConnectionId, ParentPairing["standing"]])[]) =>
    ({
      kind: "by_parent",
      parents: parents.map(([id, standing]) => ({ connectionId: id, standing })),
    }) satisfies RecordLocation;

  test.each<readonly [string, RecordLocation | undefined, boolean | null]>([
    ["is true where it lives", at([site, "living"]), true],
    ["is true where it is expected", at([site, "expected"]), true],
    ["is false where another one lives", at([app, "living"]), false],
    ["is false without any parent", at(), false],
    ["is false if it only ended elsewhere", at([app, "ended"]), false],
    ["cannot be told while it is moving", at([app, "living"], [site, "moving"]), null],
    ["cannot be told if it has ended here and lives nowhere", at([site, "ended"]), null],
    ["cannot be told if it has left from here and lives nowhere", at([site, "left"]), null],
    [
      "is false if it has ended here and lives elsewhere",
      at([site, "ended"], [app, "living"]),
      false,
    ],
    ["cannot be told without its row", undefined, null],
    [
      "cannot be told of a record without a parent",
      { kind: "by_scope", connections: [site] },
      null,
    ],
  ])("%s", (_what, where, expected) => {
    expect(isBelow(site, where)).toBe(expected);
  });
});
