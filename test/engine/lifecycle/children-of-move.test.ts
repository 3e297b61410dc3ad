/** The children of a moved resource: which lanes they are, and what becomes of each. */
import { describe, expect, test } from "vitest";
import {
  childrenOfMove,
  duplicatesAmong,
  moveChildren,
} from "../../../src/engine/lifecycle/moved-children.ts";
import { connectionId, laneId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import type { Observation } from "../../../src/model/observation.ts";
import { recordDeleted, resourceDeleted, type Tombstone } from "../../../src/model/tombstone.ts";
import {
  aContext,
  aLane,
  aMapping,
  anEvent,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  bot,
  issueType,
} from "../builders.ts";

const HERE = connectionId("1");
const THERE = connectionId("2");
const comments = aMapping({
  recordType: "comments",
  resource: { ...issueType, type: "issue_comment" },
});
const below = (externalId: string) => ({ type: "issue", externalId });

/** The resource was issue 42 of one repository, and is issue 5 of the other. */
const parent = aLane({
  id: laneId("9"),
  connectionId: THERE,
  externalId: "5",
  moved: { connection: HERE, externalId: "42" },
});

function aComment(number: number, changes: Partial<Lane> = {}): Lane {
  return aLane({
    id: laneId(String(number)),
    resourceType: "issue_comment",
    recordType: "comments",
    externalId: `c${String(number)}`,
    recordId: String(number),
    parent: below("42"),
    ...changes,
  });
}

const shown = (externalId: string, title = "A"): Observation =>
  anObservation({ title, body: "text" }, 50, { type: "issue_comment", externalId });

const outOfReach: Tombstone = {
  ...resourceDeleted(anEventId(3), at(30)),
  resource: { outOfReach: "github 77 5" },
};

function found(
  others: readonly Lane[],
  seen: readonly Observation[] = [],
  behind: readonly Lane[] = [],
) {
  return childrenOfMove(parent, behind, others, seen, { mapping: comments, identity: bot });
}

const idsOf = (lanes: readonly Lane[]): readonly string[] => lanes.map(({ id }) => id);

describe("a child of a moved resource", () => {
  test("is a lane below its former address", () => {
    const child = aComment(1);
    const { matches, missing } = found([child], [shown("c1")]);
    expect(matches).toEqual([{ child, seen: shown("c1") }]);
    expect(missing).toEqual([]);
  });

  test("is a lane there whose parent is not known", () => {
    expect(found([aComment(1, { parent: null })], []).matches).toHaveLength(1);
  });

  test.each([
    ["is in another connection", { connectionId: connectionId("3") }],
    ["is below another resource", { parent: below("43") }],
    ["has a resource that was deleted", { tombstone: resourceDeleted(anEventId(2), at(20)) }],
    ["is of another type", { resourceType: "issue" }],
  ])("is no lane that %s", (_what, changes) => {
    expect(found([aComment(1, changes)], [shown("c1")]).matches).toEqual([]);
  });

  test("is missing if the new place does not show it, whether it was in reach or not", () => {
    const children = [aComment(1), aComment(2, { tombstone: outOfReach })];
    expect(idsOf(found(children).missing)).toEqual(["1", "2"]);
  });

  test.each([
    ["has no resource yet", { externalId: null }],
    ["was deleted in the app", { tombstone: recordDeleted(anEventId(2), at(20)) }],
  ])("is not missing if it %s", (_what, changes) => {
    expect(found([aComment(1, changes)]).missing).toEqual([]);
  });
});

describe("a lane that was created before the move was known", () => {
  test("is at the destination if it is below the resource's new address", () => {
    const early = aComment(7, { connectionId: THERE, externalId: "c9", parent: below("5") });
    const others = [
      early,
      aComment(8, { connectionId: THERE, parent: below("6") }),
      aComment(9, { connectionId: connectionId("3"), parent: below("5") }),
    ];
    expect([...found(others).atDestination]).toEqual([["c9", early]]);
  });

  test("is passed if it is below an address that the resource has left again", () => {
    const left = aLane({ connectionId: connectionId("4"), externalId: "8" });
    const there = { connectionId: left.connectionId, parent: below("8") };
    const others = [
      aComment(1, there),
      aComment(2, { ...there, connectionId: connectionId("3") }),
      aComment(3, { ...there, parent: below("9") }),
      aComment(4, { ...there, externalId: null }),
      aComment(5, { ...there, tombstone: resourceDeleted(anEventId(2), at(20)) }),
    ];
    expect(idsOf(found(others, [], [left]).passed)).toEqual(["1"]);
  });

  test("has a duplicate of a child's record if the child is seen there and has a record", () => {
    const early = aComment(7, { connectionId: THERE, externalId: "c9", parent: below("5") });
    const moved = (changes: Partial<Lane>) =>
      duplicatesAmong(found([aComment(1, changes), early], [shown("c9")]));
    expect(moved({})).toEqual([early]);
    expect(moved({ recordId: null })).toEqual([]);
    expect(duplicatesAmong(found([aComment(1), early], []))).toEqual([]);
  });
});

describe("the children of a move", () => {
  const event = anEvent(parent, 60);
  const moved = (children: ReturnType<typeof found>) =>
    moveChildren({ lane: parent, event }, children, (lane) =>
      aContext({ mapping: lane.resourceType === "issue" ? aMapping() : comments }),
    );
  const [here, there] = [parent.moved?.connection, parent.connectionId];

  test("follow to the address at which they are seen, below the resource's new one", () => {
    const { decided, yielding } = moved(found([aComment(1)], [shown("c9")]));
    expect(yielding).toEqual([]);
    expect(decided).toMatchObject([
      { before: { externalId: "c1" }, after: { lane: { connectionId: there, externalId: "c9" } } },
    ]);
    expect(decided[0]?.after.lane.parent).toEqual(below("5"));
  });

  test("that are missing are deleted, although they were out of reach", () => {
    const { decided } = moved(found([aComment(1), aComment(2, { tombstone: outOfReach })]));
    expect(decided.map(({ after }) => after.lane)).toMatchObject(
      ["1", "2"].map((id) => ({
        id,
        connectionId: here,
        tombstone: { record: "present", resource: "deleted" },
        live: [{ direction: "inbound", action: "delete", source: "reread", state: "queued" }],
      })),
    );
    expect(decided.map(({ after }) => after.lane.live[0]?.updatedAt)).toEqual([at(10), at(10)]);
  });

  test("that were deleted in the app and are not seen stay as they are", () => {
    const gone = aComment(1, { tombstone: recordDeleted(anEventId(2), at(20)) });
    expect(moved(found([gone])).decided).toEqual([]);
  });

  test("that were deleted in the app and are seen are removed there", () => {
    const gone = aComment(1, { tombstone: recordDeleted(anEventId(2), at(20)) });
    const { decided } = moved(found([gone], [shown("c9")]));
    expect(decided).toMatchObject([
      {
        after: { lane: { externalId: "c9", live: [{ direction: "outbound", action: "delete" }] } },
      },
    ]);
  });

  test("that have no resource yet are created at the new place", () => {
    const unsent = anUnseenLane({ ...aComment(1), externalId: null, known: null, clock: null });
    const { decided } = moved(found([unsent]));
    expect(decided).toMatchObject([
      { after: { lane: { connectionId: there, externalId: null, tombstone: null } } },
    ]);
  });

  test("trade places with the lane that was created for them there", () => {
    const early = aComment(7, { connectionId: THERE, externalId: "c9", parent: below("5") });
    const { decided } = moved(found([aComment(1), early], [shown("c9")]));
    expect(decided.map(({ before, after }) => [before.id, after.lane.connectionId])).toEqual([
      ["1", there],
      ["7", here],
    ]);
    expect(decided[1]?.after.lane).toMatchObject({
      externalId: "c1",
      tombstone: { event: event.id },
    });
  });

  test("do not keep a lane at an address that the resource has left again", () => {
    const left = aLane({ connectionId: connectionId("4"), externalId: "8" });
    const passed = aComment(3, { connectionId: left.connectionId, parent: below("8") });
    const { decided } = moved(found([passed], [], [left]));
    expect(decided).toMatchObject([
      { before: { id: "3" }, after: { lane: { tombstone: { event: event.id } } } },
    ]);
  });
});
