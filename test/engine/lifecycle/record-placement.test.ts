/** The meaning of a local write in its record's connection, and the one of the ended lanes that counts there. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type EndedLane,
  expectedIn,
  type Placed,
  placeRecord,
  takingBack,
} from "../../../src/engine/lifecycle/record-placement.ts";
import { type ConnectionId, connectionId } from "../../../src/model/ids.ts";
import {
  isEndedByResource,
  placeOutOfReach,
  type RecordEnd,
  recordMoveOf,
  type ResourceEnd,
  type Tombstone,
} from "../../../src/model/tombstone.ts";
import { anEventId, at } from "../builders.ts";

const [site, app, other] = ["1", "2", "3"].map((id) => connectionId(id)) as [
  ConnectionId,
  ConnectionId,
  ConnectionId,
];

const outOfReach = { outOfReach: "11/7" };

/** A lane that ended at a connection. Default: by its record's deletion. */
const endedAt = (
  id: ConnectionId,
  how: Partial<Tombstone> = {},
  movedFrom: ConnectionId | null = null,
): EndedLane => ({
  connectionId: id,
  tombstone: { event: anEventId(1), at: at(10), record: "deleted", resource: "present", ...how },
  moved: movedFrom && { connection: movedFrom, externalId: "9" },
});

const byResource = { record: "present", resource: "deleted" } as const;

const placed = (
  ended: readonly EndedLane[],
  how: Partial<Placed<EndedLane>> = {},
): Placed<EndedLane> => ({
  living: [],
  ended,
  isRevival: false,
  isFromElsewhere: false,
  isChild: false,
  ...how,
});

describe("the connections that a parent is to get its first lane in", () => {
  it("are those that its row belongs to, unless a lane of it has ended there", () => {
    expect(expectedIn([site, app], [])).toEqual([site, app]);
    expect(expectedIn([site, app], [endedAt(site)])).toEqual([app]);
    expect(expectedIn([site, app], [endedAt(site, byResource)])).toEqual([app]);
    expect(expectedIn([], [endedAt(site)])).toEqual([]);
  });
});

describe("the lane that takes a record back", () => {
  const gone = endedAt(app, {}, site);

  it("is the last that ended where it belongs, or whose resource was moved from there", () => {
    const here = endedAt(site);
    expect(takingBack([here, gone], false, site)).toBe(gone);
    expect(takingBack([gone, here], false, site)).toBe(here);
    expect(takingBack([gone], false, other)).toBeUndefined();
  });

  it("is one whose resource ended on its way from there, wherever the record is by now", () => {
    for (const resource of ["deleted", outOfReach] as const) {
      const ended = endedAt(app, { record: "present", resource }, site);
      expect(takingBack([ended], false, site)).toBe(ended);
      expect(takingBack([ended], true, site)).toBe(ended);
    }
  });

  it("is none that the record has left", () => {
    const left = endedAt(app, { record: "out_of_scope" }, site);
    expect(takingBack([left], false, site)).toBeUndefined();
  });

  it("is none elsewhere where the app has put the record elsewhere since", () => {
    const leftAt = (time: number) => endedAt(other, { record: "to_connection", at: at(time) });
    expect(takingBack([gone, leftAt(20)], false, site)).toBeUndefined();
    for (const before of [5, 10]) {
      expect(takingBack([gone, leftAt(before)], false, site)).toBe(gone);
    }
    expect(takingBack([gone], true, site)).toBeUndefined();
  });
});

describe("a write where its record belongs", () => {
  const deleted = endedAt(site, byResource);

  it("goes to the lane that lives there, or begins the first", () => {
    const living = [{ connectionId: site }];
    expect(placeRecord(site, placed([], { living }))).toEqual({ kind: "paired" });
    expect(placeRecord(app, placed([], { living }))).toEqual({ kind: "first" });
    expect(placeRecord(site, placed([deleted], { living }))).toEqual({ kind: "paired" });
  });

  it("takes back what ended with the record", () => {
    const lane = endedAt(site);
    expect(placeRecord(site, placed([lane]))).toEqual({ kind: "back", lane });
  });

  it("makes nothing of what was deleted, unless the record was taken back or comes from elsewhere", () => {
    const onItsWay = endedAt(app, byResource, site);
    for (const lane of [deleted, onItsWay]) {
      expect(placeRecord(site, placed([lane]))).toEqual({ kind: "over", lane });
      expect(placeRecord(site, placed([lane], { isRevival: true }))).toEqual({ kind: "anew" });
      expect(placeRecord(site, placed([lane], { isFromElsewhere: true }))).toEqual({
        kind: "anew",
      });
    }
    const left = endedAt(site, { record: "to_connection", resource: "deleted" });
    expect(placeRecord(site, placed([left]))).toEqual({ kind: "anew" });
  });

  it("says a child again whose parent has another resource there than the one out of reach", () => {
    const lane = endedAt(site, { record: "present", resource: outOfReach });
    expect(placeRecord(site, placed([lane], { isChild: true }))).toEqual({ kind: "anew" });
    expect(placeRecord(site, placed([lane]))).toEqual({ kind: "over", lane });
  });

  const connection = fc.constantFrom(site, app, other);
  const tombstone = fc
    .record({
      event: fc.constant(anEventId(1)),
      at: fc.integer({ min: 1, max: 50 }).map(at),
      record: fc.constantFrom<RecordEnd[]>(
        "present",
        "deleted",
        "to_connection",
        "out_of_scope",
        "with_parent",
      ),
      resource: fc.constantFrom<ResourceEnd[]>("present", "deleted", outOfReach),
    })
    .filter(({ record, resource }) => record !== "present" || resource !== "present");
  const ended = fc
    .tuple(connection, tombstone, fc.option(connection))
    .map(([id, how, movedFrom]) => endedAt(id, how, movedFrom));
  const writes = fc.record({
    living: fc.uniqueArray(connection).map((ids) => ids.map((id) => ({ connectionId: id }))),
    ended: fc
      .array(ended, { maxLength: 4 })
      .map((lanes) => [...lanes].sort((a, b) => a.tombstone.at - b.tombstone.at)),
    isRevival: fc.boolean(),
    isFromElsewhere: fc.boolean(),
    isChild: fc.boolean(),
  });

  it("law: an edit alone begins no lane where one that ended for its resource's sake is the last", () => {
    fc.assert(
      fc.property(connection, writes, (id, write) => {
        const { kind } = placeRecord(id, { ...write, isRevival: false, isFromElsewhere: false });
        const last = takingBack(write.ended, write.living.length > 0, id);
        const end = last?.tombstone ?? null;
        if (!isEndedByResource(end) || recordMoveOf(end) !== null) return;
        const isBelowAnother = write.isChild && placeOutOfReach(end) !== null;
        if (!isBelowAnother) expect(["over", "paired"]).toContain(kind);
      }),
    );
  });

  it("law: what the app takes back has a lane afterwards, or gets one", () => {
    fc.assert(
      fc.property(connection, writes, (id, write) => {
        const { kind } = placeRecord(id, { ...write, isRevival: true });
        expect(["paired", "first", "anew", "back"]).toContain(kind);
      }),
    );
  });
});
