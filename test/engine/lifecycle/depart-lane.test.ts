/** The effect of a reported move on each lane at the old address, once it is locked. */
import { describe, expect, test } from "vitest";
import {
  departLane,
  type HeldDeparture,
  takesRecordsPlace,
} from "../../../src/engine/lifecycle/depart-lane.ts";
import { connectionId, deliveryId, laneId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import {
  isResourceGone,
  placeOutOfReach,
  recordDeleted,
  resourceDeleted,
} from "../../../src/model/tombstone.ts";
import { aContext, aLane, anEventId, anObservation, anUnseenLane, at } from "../builders.ts";

const URL = "https://example.org/app/5";
const to = { containerId: "app", externalId: "5" };
const seen = anObservation({ title: "A" }, 30, {
  externalId: "5",
  display: { number: "5", url: URL },
});
const webhook = { source: "webhook", deliveryId: deliveryId("1") } as const;
const poll = { source: "poll", deliveryId: null } as const;

/** A lane at its old address, in a connection that does not cover the new one. */
function aDeparture(changes: Partial<HeldDeparture> = {}): HeldDeparture {
  const lane = aLane({ display: { number: "42", url: "https://example.org/site/42" } });
  return { lane, context: aContext(), gone: false, place: null, leavesRecord: false, ...changes };
}

/** The lane that the move makes at the new address. */
function aPlace(changes: Partial<Lane> = {}): HeldDeparture["place"] {
  const there = { id: laneId("2"), connectionId: connectionId("2"), externalId: "5" };
  return { lane: anUnseenLane({ ...there, ...changes }), context: aContext({ firstId: 200 }) };
}

describe("a lane whose new address no connection covers", () => {
  test("ends out of reach: it keeps its number, and points to the new page", () => {
    const [decided, ...others] = departLane(aDeparture(), { seen, to }, webhook);
    expect(others).toEqual([]);
    const { lane } = decided?.after ?? {};
    expect(placeOutOfReach(lane?.tombstone ?? null)).toBe("app/5");
    const page = "https://example.org/site/42";
    expect(lane?.display).toEqual({ number: "42", url: page, movedTo: URL });
    const event = lane?.live.at(-1);
    expect(event).toMatchObject({ action: "delete", source: "webhook", deliveryId: "1" });
  });

  test("keeps its display as it is where the page is not known", () => {
    const unseen = anObservation({ title: "A" }, 30);
    for (const move of [
      { seen: null, to },
      { seen: unseen, to },
    ]) {
      const [decided] = departLane(aDeparture(), move, poll);
      expect(decided?.after.lane.display).toEqual(aDeparture().lane.display);
      expect(placeOutOfReach(decided?.after.lane.tombstone ?? null)).toBe("app/5");
    }
  });

  test("also if the lane at the new address is itself", () => {
    const { lane, context } = aDeparture();
    const [decided] = departLane(aDeparture({ place: { lane, context } }), { seen, to }, webhook);
    expect(placeOutOfReach(decided?.after.lane.tombstone ?? null)).toBe("app/5");
  });
});

describe("a lane that moves", () => {
  test("trades addresses with the lane at the new one, and shows the new number and page", () => {
    const departure = aDeparture({ place: aPlace() });
    const [there, behind, ...others] = departLane(departure, { seen, to }, webhook);
    expect(others).toEqual([]);
    expect(there?.before).toBe(departure.lane);
    expect(there?.after.lane).toMatchObject({ id: "1", connectionId: "2", externalId: "5" });
    expect(there?.after.lane.display).toEqual({ number: "5", url: URL });
    expect(there?.after.lane.recordId).toBe("7");
    // Its event was made where it goes, with that connection's context.
    expect(there?.after.lane.live.at(-1)).toMatchObject({ id: anEventId(200), deliveryId: "1" });
    expect(behind?.before).toBe(departure.place?.lane);
    expect(behind?.after.lane).toMatchObject({ id: "2", connectionId: "1", externalId: "42" });
  });

  test("leaves its record if the app has put that elsewhere", () => {
    const departure = aDeparture({ place: aPlace(), leavesRecord: true });
    const [there] = departLane(departure, { seen, to }, webhook);
    expect(there?.after.lane.tombstone).toMatchObject({ record: "to_connection" });
    const [kept] = departLane({ ...departure, leavesRecord: false }, { seen, to }, webhook);
    expect(kept?.after.lane.tombstone).toBeNull();
  });
});

describe("a lane whose resource is known to have left", () => {
  const tombstone = resourceDeleted(anEventId(9), at(20));
  const gone = () => aDeparture({ gone: true, lane: aLane({ tombstone }), place: aPlace() });

  test("takes the report as a late deletion at its own address", () => {
    expect(isResourceGone(tombstone)).toBe(true);
    const [decided, ...others] = departLane(gone(), { seen, to }, webhook);
    expect(others).toEqual([]);
    expect(decided?.before.id).toBe("1");
    const [late] = decided?.after.ended ?? [];
    expect(late).toMatchObject({ action: "delete", externalId: "42", state: "ignored" });
  });

  test("learns nothing from a read that was redirected, nor from a report without the resource", () => {
    expect(departLane(gone(), { seen, to }, poll)).toEqual([]);
    expect(departLane(gone(), { seen: null, to }, webhook)).toEqual([]);
  });
});

describe("the place of a record", () => {
  const free = aLane({ recordId: null });

  test("is taken by a lane without a record only if that lives", () => {
    expect(takesRecordsPlace(free, aLane())).toBe(true);
    expect(takesRecordsPlace(free, aLane({ tombstone: recordDeleted(anEventId(9), at(20)) }))).toBe(
      false,
    );
  });

  test("is not taken by a lane with a record, nor where there is none", () => {
    expect(takesRecordsPlace(aLane(), aLane())).toBe(false);
    expect(takesRecordsPlace(free, free)).toBe(false);
    expect(takesRecordsPlace(free, null)).toBe(false);
  });
});
