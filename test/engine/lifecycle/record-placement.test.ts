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
import { at } from "../builders.ts";

const [site, app, other] = ["1", "2", "3"].map((id) => connectionId(id)) as [
  ConnectionId,
  ConnectionId,
  ConnectionId,
];

const endedAt = (id: ConnectionId, how: Partial<EndedLane> = {}): EndedLane => ({
  connectionId: id,
  side: "record",
  at: at(10),
  recordMoved: null,
  movedFrom: null,
  isAway: false,
  ...how,
});

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
    expect(expectedIn([site, app], [endedAt(site, { side: "resource" })])).toEqual([app]);
    expect(expectedIn([], [endedAt(site)])).toEqual([]);
  });
});

describe("the lane that takes a record back", () => {
  const gone = endedAt(app, { movedFrom: site });

  it("is the last that ended where it belongs, or whose resource was moved from there", () => {
    const here = endedAt(site);
    expect(takingBack([here, gone], false, site)).toBe(gone);
    expect(takingBack([gone, here], false, site)).toBe(here);
    expect(takingBack([gone], false, other)).toBeUndefined();
  });

  it("is one whose resource ended on its way from there, wherever the record is by now", () => {
    for (const isAway of [false, true]) {
      const ended = { ...gone, side: "resource", isAway } as const;
      expect(takingBack([ended], false, site)).toBe(ended);
      expect(takingBack([ended], true, site)).toBe(ended);
    }
  });

  it("is none that the record has left", () => {
    const left = { ...gone, recordMoved: "out_of_scope" } as const;
    expect(takingBack([left], false, site)).toBeUndefined();
  });

  it("is none elsewhere where the app has put the record elsewhere since", () => {
    const left = endedAt(other, { recordMoved: "to_connection", at: at(20) });
    expect(takingBack([gone, left], false, site)).toBeUndefined();
    for (const before of [5, 10]) {
      expect(takingBack([gone, { ...left, at: at(before) }], false, site)).toBe(gone);
    }
    expect(takingBack([gone], true, site)).toBeUndefined();
  });
});

describe("a write where its record belongs", () => {
  const deleted = endedAt(site, { side: "resource" });

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
    const onItsWay = endedAt(app, { side: "resource", movedFrom: site });
    for (const lane of [deleted, onItsWay]) {
      expect(placeRecord(site, placed([lane]))).toEqual({ kind: "over", lane });
      expect(placeRecord(site, placed([lane], { isRevival: true }))).toEqual({ kind: "anew" });
      expect(placeRecord(site, placed([lane], { isFromElsewhere: true }))).toEqual({
        kind: "anew",
      });
    }
    const left = { ...deleted, recordMoved: "to_connection" } as const;
    expect(placeRecord(site, placed([left]))).toEqual({ kind: "anew" });
  });

  it("says a child again whose parent has another resource there than the one out of reach", () => {
    const lane = { ...deleted, isAway: true };
    expect(placeRecord(site, placed([lane], { isChild: true }))).toEqual({ kind: "anew" });
    expect(placeRecord(site, placed([lane]))).toEqual({ kind: "over", lane });
  });

  const connection = fc.constantFrom(site, app, other);
  const ended = fc.record({
    connectionId: connection,
    side: fc.constantFrom("record", "resource"),
    at: fc.integer({ min: 1, max: 50 }).map(at),
    recordMoved: fc.constantFrom(null, "to_connection", "out_of_scope", "with_parent"),
    movedFrom: fc.option(connection),
    isAway: fc.boolean(),
  } as const);
  const writes = fc.record({
    living: fc.uniqueArray(connection).map((ids) => ids.map((id) => ({ connectionId: id }))),
    ended: fc.array(ended, { maxLength: 4 }).map((lanes) => [...lanes].sort((a, b) => a.at - b.at)),
    isRevival: fc.boolean(),
    isFromElsewhere: fc.boolean(),
    isChild: fc.boolean(),
  });

  it("law: an edit alone begins no lane where one that ended for its resource's sake is the last", () => {
    fc.assert(
      fc.property(connection, writes, (id, write) => {
        const { kind } = placeRecord(id, { ...write, isRevival: false, isFromElsewhere: false });
        const last = takingBack(write.ended, write.living.length > 0, id);
        if (last?.side !== "resource" || last.recordMoved !== null) return;
        const isBelowAnother = write.isChild && last.isAway;
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
