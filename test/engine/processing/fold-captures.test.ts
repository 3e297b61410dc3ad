/** A burst of captured writes is one change of its record. */
import { describe, expect, test } from "vitest";
import {
  admitWrites,
  foldChanges,
  type Folded,
  type LaneWrites,
} from "../../../src/engine/processing/fold-captures.ts";
import { connectionId, laneId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import type { CapturedWrite } from "../../../src/model/mapping.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";
import { aContext, aLane, aMapping, anEventId, at, issueType, withEvent } from "../builders.ts";

const mapping = aMapping({ softDelete: "archived_at" });
const context = aContext({ mapping });
const agreed = { id: "7", title: "A", markdown: "text", archived_at: null };
const edited = { ...agreed, title: "B" };

function aWrite(second: number, how: Partial<CapturedWrite> = {}): CapturedWrite {
  return {
    operation: "update",
    columns: ["title"],
    changedAt: at(second),
    origin: null,
    oldRow: null,
    ...how,
  };
}

const ours = { origin: anEventId(3) };

function fold(how: Partial<Folded>, lane = aLane()) {
  return foldChanges(
    lane,
    { mapping, row: edited, hidden: false, changes: [aWrite(20)], ...how },
    context,
  );
}

describe("the action", () => {
  const archived = { ...agreed, archived_at: "2026-03-02 09:00:30" };
  const asArchived = { archivedAs: archived.archived_at };

  test.each([
    ["a present row", { row: edited }, aLane(), "upsert"],
    ["an absent row", { row: null }, aLane(), "delete"],
    ["an absent row that may be hidden", { row: null, hidden: true }, aLane(), "upsert"],
    ["an archived row", { row: archived }, aLane(), "delete"],
    [
      "a row that Tandem archived, with a living resource",
      { row: archived },
      aLane(asArchived),
      "upsert",
    ],
    [
      "a row that Tandem archived, with an ended lane",
      { row: archived },
      aLane({ ...asArchived, tombstone: resourceDeleted(anEventId(2), at(10)) }),
      "delete",
    ],
  ] as const)("of %s", (_what, how, lane, action) => {
    expect(fold(how, lane).action).toBe(action);
  });
});

describe("a write of ours", () => {
  test.each([
    ["is ours if the row equals base", { row: agreed, changes: [aWrite(20, ours)] }, true],
    [
      "is not ours if the app wrote too",
      { row: agreed, changes: [aWrite(20, ours), aWrite(21)] },
      false,
    ],
    [
      "is not ours if it changed a column that differs from base",
      { changes: [aWrite(20, ours)] },
      false,
    ],
    [
      "is ours beside a difference in a column that it did not change",
      { changes: [aWrite(20, { ...ours, columns: ["markdown"] })] },
      true,
    ],
    ["is not ours if the row is gone", { row: null, changes: [aWrite(20, ours)] }, false],
  ] as const)("%s", (_what, how, expected) => {
    expect(fold(how).ours).toBe(expected);
  });

  test("is not ours if the lane has no base", () => {
    expect(fold({ row: agreed, changes: [aWrite(20, ours)] }, aLane({ base: null })).ours).toBe(
      false,
    );
  });
});

describe("the time of a column", () => {
  const other = { lane: laneId("2"), at: at(5) };

  test.each([
    ["is that of its last write", [aWrite(20), aWrite(30)], { title: at(30) }],
    ["is none for a column that is not mapped", [aWrite(20, { columns: ["colour"] })], {}],
    [
      "is none for our write, if the column equals base",
      [aWrite(20, { ...ours, columns: ["markdown"] })],
      {},
    ],
    [
      "is that of our write, if the column differs from base",
      [aWrite(20, ours)],
      { title: at(20) },
    ],
    [
      "is that of the edit that another lane merged, if that is earlier",
      [aWrite(20, { ...ours, edit: other })],
      { title: at(5) },
    ],
    [
      "is that of the write, if the merged edit came by this lane",
      [aWrite(20, { ...ours, edit: { ...other, lane: laneId("1") } })],
      { title: at(20) },
    ],
    [
      "is that of the write, if the merged edit claims to be later",
      [aWrite(20, { ...ours, edit: { ...other, at: at(90) } })],
      { title: at(20) },
    ],
  ] as const)("%s", (_what, changes, expected) => {
    expect(fold({ changes }).changedAt).toEqual(expected);
  });
});

describe("the deleted content", () => {
  test("is that of the last captured row", () => {
    const changes = [
      aWrite(20, { oldRow: agreed }),
      aWrite(21, { operation: "delete", oldRow: edited }),
      aWrite(22),
    ];
    expect(fold({ row: null, changes }).deleted).toMatchObject({ title: "B" });
    expect(fold({ row: null }).deleted).toBeNull();
  });

  test("is that of the row, if it is present", () => {
    const changes = [aWrite(20, { oldRow: agreed })];
    expect(fold({ changes }).deleted).toMatchObject({ title: "B" });
  });
});

describe("the writes of a lane's record", () => {
  const living = aLane();
  const following = aLane({ moved: { connection: connectionId("2"), externalId: "9" } });
  const deleted = { event: anEventId(9), at: at(50), record: "deleted" } as const;
  const ended = aLane({ tombstone: { ...deleted, resource: "present" } });
  const closing = withEvent(ended, 5, { direction: "outbound", action: "delete" }).lane;
  const removing = aLane({
    ...closing,
    live: closing.live.map((event) => ({ ...event, state: "processing" })),
  });
  const removable = aContext({
    mapping: {
      ...mapping,
      onRecordDeleted: "delete",
      resource: { ...issueType, removal: ["delete"] },
    },
  });

  /** The outcome in short: the new event's action, and what follows for the children. */
  function outcome(lane: Lane, how: Partial<LaneWrites>, given = context) {
    const unmoved = { moved: null, shift: null, arrives: false, restores: false, revives: false };
    const written = { mapping, row: edited, hidden: false, changes: [aWrite(20)], goneWith: null };
    const admission = admitWrites(lane, { ...written, ...unmoved, ...how }, given);
    if (admission.kind === "next_lane") return "next lane";
    const { after, movesChildren, revivesChildren } = admission;
    return [
      after.event === null ? "no event" : `${after.event.action} ${after.event.state}`,
      ...(movesChildren ? ["moves children"] : []),
      ...(revivesChildren ? ["revives children"] : []),
    ].join(", ");
  }

  test.each<readonly [string, Lane, Partial<LaneWrites>, string]>([
    ["are an edit", living, {}, "upsert queued"],
    [
      "end the lane that it has left",
      living,
      { moved: "to_connection" },
      "delete queued, moves children",
    ],
    [
      "are an edit while the lane follows its resource",
      following,
      { moved: "to_connection" },
      "upsert queued",
    ],
    ["move its children if it arrives", living, { arrives: true }, "upsert queued, moves children"],
    [
      "revive its children if the lane follows another",
      living,
      { revives: true },
      "upsert queued, revives children",
    ],
    ["are ignored behind a tombstone", ended, {}, "upsert ignored"],
    [
      "are an edit if a living lane's record is restored",
      living,
      { restores: true },
      "upsert queued",
    ],
    ["take the ended lane back", ended, { restores: true }, "upsert queued"],
    [
      "revive children at once without a resource",
      { ...ended, externalId: null },
      { restores: true },
      "upsert queued, revives children",
    ],
  ])("%s", (_what, lane, how, expected) => {
    expect(outcome(lane, how)).toBe(expected);
  });

  test("need the next lane while the resource is being deleted", () => {
    expect(outcome(removing, { restores: true }, removable)).toBe("next lane");
  });

  test("show the change that moved it, and the deletion that it went with", () => {
    const shift = { side: "record", field: "project_id", from: "1", to: "2" } as const;
    const moved = { moved: "to_connection", shift } as const;
    const written = { mapping, row: null, hidden: false, changes: [aWrite(20)] };
    const stays = { moved: null, shift: null, arrives: false, restores: false, revives: false };
    const left = admitWrites(living, { ...written, ...stays, ...moved, goneWith: null }, context);
    expect(left).toMatchObject({ after: { event: { changes: [shift] } } });
    const gone = admitWrites(living, { ...written, ...stays, goneWith: anEventId(8) }, context);
    expect(gone).toMatchObject({ after: { event: { reason: "parent_deleted" } } });
  });
});
