/** The routes of a moved resource: which lane goes where, and which one leaves its record. */
import { describe, expect, test } from "vitest";
import {
  type DepartingLane,
  type ReachedConnection,
  routeDepartures,
} from "../../../src/engine/lifecycle/move-routes.ts";
import { type ConnectionId, connectionId, laneId } from "../../../src/model/ids.ts";

const [site, app, other] = ["1", "2", "3"].map((id) => connectionId(id)) as [
  ConnectionId,
  ConnectionId,
  ConnectionId,
];
const move = { type: "issue", to: { containerId: "77", externalId: "new" } };

/** Lane 5 of a living record, in the only scope. */
const lane = (how: Partial<DepartingLane> = {}): DepartingLane => ({
  lane: laneId("5"),
  scope: "s",
  recordId: "7",
  ended: false,
  isAway: false,
  ofRecord: [],
  ...how,
});
const counterpart = (
  id: ConnectionId,
  how: Partial<DepartingLane["ofRecord"][number]> = {},
): DepartingLane["ofRecord"][number] => ({
  id: laneId("9"),
  connectionId: id,
  resourceType: "issue",
  externalId: "another",
  ...how,
});
const reached = (connection: ConnectionId, how: Partial<ReachedConnection> = {}) => ({
  connection,
  scope: "s",
  isPaired: false,
  ...how,
});

/** The routes in short, such as `5 to 2` or `5 to 2 without its record`. */
function routes(going: readonly DepartingLane[], to: readonly ReachedConnection[]) {
  const { route, leftBehind } = routeDepartures(going, to, move);
  return [...route].map(
    ([id, connection]) =>
      `${id} to ${connection}${leftBehind.has(id) ? " without its record" : ""}`,
  );
}

describe("a lane of a moved resource", () => {
  const toApp = [reached(app)];
  const toPaired = [reached(app, { isPaired: true })];

  test.each<readonly [string, DepartingLane, readonly ReachedConnection[], readonly string[]]>([
    ["goes to the connection of the new container", lane(), toApp, ["5 to 2"]],
    ["goes nowhere without a connection", lane(), [], []],
    ["goes where the resource is paired: that record is a duplicate", lane(), toPaired, ["5 to 2"]],
    ["goes nowhere there if its record is deleted", lane({ ended: true }), toPaired, []],
    ["goes nowhere there without a record", lane({ recordId: null }), toPaired, []],
    [
      "goes where nothing is paired if its record is deleted",
      lane({ ended: true }),
      toApp,
      ["5 to 2"],
    ],
    ["goes where nothing is paired without a record", lane({ recordId: null }), toApp, ["5 to 2"]],
    [
      "passes a paired connection that is not its route",
      lane({ ended: true }),
      [reached(app, { scope: "s" }), reached(other, { scope: "t", isPaired: true })],
      ["5 to 2"],
    ],
  ])("%s", (_what, going, to, expected) => {
    expect(routes([going], to)).toEqual(expected);
  });
});

describe("a record with another counterpart", () => {
  const both = [reached(app), reached(other)];

  test.each<readonly [string, readonly DepartingLane["ofRecord"][number][], readonly string[]]>([
    ["goes where it has none", [counterpart(app)], ["5 to 3"]],
    ["goes nowhere if it has one in each", [counterpart(app), counterpart(other)], []],
    ["may have one of another type", [counterpart(app, { resourceType: "comment" })], ["5 to 2"]],
    ["may have the resource itself", [counterpart(app, { externalId: "new" })], ["5 to 2"]],
    ["may have the lane that goes", [counterpart(app, { id: laneId("5") })], ["5 to 2"]],
  ])("%s", (_what, ofRecord, expected) => {
    expect(routes([lane({ ofRecord })], both)).toEqual(expected);
  });

  test("keeps another lane out of that connection, too", () => {
    const second = lane({ lane: laneId("6"), recordId: "8" });
    expect(routes([lane({ ofRecord: [counterpart(app)] }), second], both)).toEqual(["5 to 3"]);
  });

  test("may have a lane that goes as well", () => {
    const first = lane({ ofRecord: [counterpart(app, { id: laneId("6") })] });
    const second = lane({ lane: laneId("6"), recordId: "8" });
    expect(routes([first, second], both)).toEqual(["5 to 2", "6 to 3"]);
  });
});

describe("a lane that returns from out of reach", () => {
  const back = (...ofRecord: readonly DepartingLane["ofRecord"][number][]) =>
    routes([lane({ isAway: true, ofRecord })], [reached(app)]);

  test("returns to its record", () => {
    expect(back()).toEqual(["5 to 2"]);
    expect(back(counterpart(app, { externalId: "new" }))).toEqual(["5 to 2"]);
    expect(back(counterpart(site, { resourceType: "comment" }))).toEqual(["5 to 2"]);
  });

  test("leaves its record if the app put that elsewhere meanwhile", () => {
    expect(back(counterpart(site))).toEqual(["5 to 2 without its record"]);
  });

  test("leaves no record if it was in reach, or goes nowhere", () => {
    const ofRecord = [counterpart(site)];
    expect(routes([lane({ ofRecord })], [reached(app)])).toEqual(["5 to 2"]);
    const { leftBehind } = routeDepartures([lane({ isAway: true, ofRecord })], [], move);
    expect(leftBehind.size).toBe(0);
  });
});
