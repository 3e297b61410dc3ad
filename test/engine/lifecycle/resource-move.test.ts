/** A resource that is moved to another container: what becomes of its lane, and of what belongs to it. */
import { describe, expect, test } from "vitest";
import { holdsClaim } from "../../../src/engine/lane/claim.ts";
import { matchChildren } from "../../../src/engine/lifecycle/match-children.ts";
import {
  awaitChildren,
  requeueAfterMove,
  destinations,
  followParent,
  leaveLane,
  forwardingChain,
  moveLane,
  type MoveNews,
  placeText,
} from "../../../src/engine/lifecycle/resource-move.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import { connectionId, deliveryId, laneId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { recordDeleted, resourceMovedOn } from "../../../src/model/tombstone.ts";
import {
  aContext,
  ada,
  aLane,
  anAttempt,
  anEvent,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  withEvent as withTold,
} from "../builders.ts";

const THERE = connectionId("2");
const THERE_AS_5 = { connection: THERE, externalId: "5" };
const news: MoveNews = {
  source: "webhook",
  deliveryId: deliveryId("1"),
  display: { number: "5", url: "https://example.org/app/5" },
};

function withEvent(lane: Lane, number: number, changes: Partial<TandemEvent>): Lane {
  return withTold(lane, number, changes).lane;
}

/** The lane at the new address, as the move makes it where nobody was. */
function aPlace(changes: Partial<Lane> = {}): Lane {
  return anUnseenLane({ id: laneId("2"), connectionId: THERE, externalId: "5", ...changes });
}

describe("a lane whose record's deletion was held where it was", () => {
  const held = { direction: "outbound", action: "delete", state: "disabled" } as const;

  test("has ended where nothing is switched off: its resource is to be removed there", () => {
    const lane = withEvent(aLane(), 3, { ...held, reason: "connection_paused" });
    const { there } = moveLane(lane, aPlace(), news, aContext());
    expect(there.lane.tombstone).toMatchObject({
      record: "deleted",
      resource: "present",
      event: anEventId(3),
    });
    expect(there.lane.live).toMatchObject([{ action: "delete", state: "queued" }]);
  });
});

describe("addresses that a lane has left on its way", () => {
  const LAST = connectionId("3");
  const start = aLane();
  const first = moveLane(start, aPlace({ recordId: "8" }), news, aContext());
  const second = moveLane(
    first.there.lane,
    anUnseenLane({ id: laneId("3"), connectionId: LAST, externalId: "9", recordId: "9" }),
    news,
    aContext(),
  );
  const [one, two] = [first.behind.lane, second.behind.lane];

  test("are the lanes at each of its former places, from the first on", () => {
    expect(forwardingChain(first.there.lane, [one])).toEqual([one]);
    expect(forwardingChain(second.there.lane, [two, one])).toEqual([one, two]);
  });

  test("ends where it is, and where a place has gone round in a circle", () => {
    const { connectionId: connection, externalId } = one;
    const movedOn = { connection, externalId: externalId ?? "" };
    const circling = { ...two, tombstone: resourceMovedOn(anEventId(2), at(20), movedOn) };
    expect(forwardingChain(second.there.lane, [one, circling])).toEqual([one, circling]);
    expect(forwardingChain({ ...start, moved: null }, [one, two])).toEqual([]);
  });
});

describe("a lane whose resource is moved", () => {
  test("goes there as it is, reads the resource, and leaves a tombstone behind", () => {
    const lane = aLane();
    const { there, behind } = moveLane(lane, aPlace(), news, aContext());
    expect(there.lane).toMatchObject({
      id: lane.id,
      connectionId: THERE,
      externalId: "5",
      recordId: "7",
      base: lane.base,
      copy: lane.copy,
      known: lane.known,
      tombstone: null,
      display: news.display,
      moved: { connection: lane.connectionId, externalId: "42" },
    });
    const [event] = there.lane.live;
    expect(there.lane.live).toHaveLength(1);
    expect(event).toMatchObject({
      direction: "inbound",
      state: "queued",
      reason: "reread_needed",
      connectionId: THERE,
      externalId: "5",
      reread: true,
    });
    expect(behind.lane).toMatchObject({
      id: laneId("2"),
      connectionId: lane.connectionId,
      externalId: "42",
      recordId: null,
      moved: null,
      tombstone: { event: event?.id, record: "present", resource: { movedOn: THERE_AS_5 } },
      live: [],
    });
  });

  test("takes from whoever works on it the claim, and what it sent stays unknown", () => {
    const sent = aLane({ attempt: anAttempt(), epoch: 3 });
    const lane = withEvent(sent, 2, { direction: "outbound", state: "processing" });
    const { there } = moveLane(lane, aPlace(), news, aContext());
    expect(holdsClaim(there.lane, { event: anEventId(2), worker: "w", epoch: 3 })).toBe(false);
    expect(there.lane.attempt).toEqual(sent.attempt);
    expect(there.lane.live).toMatchObject([
      { id: anEventId(2), state: "queued", reason: "resource_moved", connectionId: THERE },
      { direction: "inbound" },
    ]);
  });

  test("tries again there what failed at the old address", () => {
    const lane = withEvent(aLane(), 2, { direction: "outbound", state: "errored", attempts: 9 });
    const { there } = moveLane(lane, aPlace(), news, aContext());
    expect(there.lane.live[0]).toMatchObject({
      id: anEventId(2),
      state: "queued",
      reason: "resource_moved",
      attempts: 0,
      error: null,
    });
  });

  test("has what waits at the old address replaced by the look at the new one", () => {
    const lane = withEvent(aLane(), 2, { direction: "inbound", state: "queued" });
    const { there } = moveLane(lane, aPlace(), news, aContext());
    expect(there.ended).toMatchObject([
      { id: anEventId(2), state: "canceled", reason: "superseded" },
    ]);
    expect(there.lane.live).toHaveLength(1);
  });

  test("obeys the new connection: what was switched off goes on, or stops there", () => {
    const paused = withEvent(aLane(), 2, {
      direction: "outbound",
      state: "disabled",
      reason: "connection_paused",
    });
    expect(moveLane(paused, aPlace(), news, aContext()).there.lane.live[0]).toMatchObject({
      state: "queued",
      reason: "re_enabled",
    });
    const waiting = withEvent(aLane(), 2, { direction: "outbound", state: "queued" });
    const off = { inbound: "connection_paused", outbound: "connection_paused" } as const;
    const { there } = moveLane(waiting, aPlace(), news, aContext({ switchedOff: off }));
    expect(there.lane.live.map(({ state, reason }) => `${state} ${reason}`)).toEqual([
      "disabled connection_paused",
      "disabled connection_paused",
    ]);
  });

  test("keeps the tombstone of a deleted record: the resource is removed where it is now", () => {
    const tombstone = recordDeleted(anEventId(2), at(20));
    const lane = withEvent(aLane({ tombstone }), 2, { direction: "outbound", action: "delete" });
    const { there, behind } = moveLane(lane, aPlace(), news, aContext());
    expect(there.lane).toMatchObject({ externalId: "5", tombstone });
    expect(there.lane.live).toMatchObject([{ action: "delete", state: "queued" }]);
    expect(behind.lane.tombstone).toMatchObject({
      event: anEventId(2),
      record: "present",
      resource: { movedOn: THERE_AS_5 },
    });
  });

  test("leaves the record that was made there before anybody knew with the tombstone", () => {
    const arrived = aPlace({ recordId: "8", cameFrom: "77/9" });
    const double = withEvent(arrived, 3, { state: "processing" });
    const { there, behind } = moveLane(aLane(), double, news, aContext());
    expect(behind.lane).toMatchObject({
      ...{ recordId: "8", externalId: "42", cameFrom: null, live: [] },
    });
    expect(behind.ended).toMatchObject([
      { state: "canceled", reason: "superseded", canceledBy: there.lane.live[0]?.id },
    ]);
  });

  test("ends at a place without a connection, and is paired again when it comes back", () => {
    const place = placeText({ containerId: "77", externalId: "9" });
    const left = leaveLane(aLane({ display: { label: "bug" } }), place, news, aContext());
    expect(left.lane).toMatchObject({
      recordId: "7",
      display: { label: "bug", ...news.display },
      tombstone: { record: "present", resource: { outOfReach: "77/9" } },
      live: [{ action: "delete", state: "queued", deliveryId: news.deliveryId, updatedAt: at(10) }],
    });
    const { there } = moveLane({ ...left.lane, live: [] }, aPlace(), news, aContext());
    expect(there.lane).toMatchObject({ recordId: "7", tombstone: null, externalId: "5" });
    expect(there.lane.live).toMatchObject([{ action: "upsert", reread: true }]);
  });
});

describe("a child of a moved resource", () => {
  const FOLLOWED = anEventId(90);
  const child = (id: string, body: string, changes: Partial<Lane> = {}): Lane =>
    aLane({
      id: laneId(id),
      resourceType: "issue_comment",
      externalId: id,
      copy: { body, author: { ...ada } },
      ...changes,
    });
  const seen = (externalId: string, body: string, token: string | null = null, author = ada) =>
    anObservation({ body, author: { ...author } }, 50, { externalId, token, author });
  const fields = {
    body: { kind: "text", writable: true },
    author: { kind: "actor", writable: false },
  } as const;
  const paired = (children: readonly Lane[], there: readonly ReturnType<typeof seen>[]) =>
    matchChildren(children, there, fields).map(
      ({ child: one, seen: it }) => `${one.id}=${it?.externalId ?? "none"}`,
    );

  test("is told by its id, where it keeps it", () => {
    expect(
      paired([child("10", "A"), child("11", "B")], [seen("11", "A"), seen("10", "B")]),
    ).toEqual(["10=10", "11=11"]);
  });

  test("is told by our token before its text", () => {
    const ours = child("10", "A", { intent: { token: "t", since: at(1), tokenless: false } });
    expect(paired([ours, child("11", "A")], [seen("20", "A"), seen("21", "A", "t")])).toEqual([
      "10=21",
      "11=20",
    ]);
  });

  test("is told by its text, and by the order of those with the same text", () => {
    const there = [seen("20", "A"), seen("21", "B"), seen("22", "A")];
    expect(paired([child("12", "A"), child("9", "A"), child("11", "B")], there)).toEqual([
      "9=20",
      "11=21",
      "12=22",
    ]);
  });

  test("was edited on its way where one of its author is left over; another's is never taken for it", () => {
    const hubot = { id: "2", login: "hubot" };
    expect(paired([child("10", "A")], [seen("20", "Edited")])).toEqual(["10=20"]);
    expect(paired([child("10", "A")], [seen("20", "Edited", null, hubot)])).toEqual(["10=none"]);
    // Without a field that names the author nothing is told by it.
    const body = { body: fields.body };
    expect(matchChildren([child("10", "A")], [seen("20", "Edited")], body)[0]?.seen).toBeNull();
    const both = { ...fields, assignee: { kind: "actor", writable: true } } as const;
    const assigned = child("10", "A", {
      copy: { body: "A", author: { ...ada }, assignee: { ...hubot } },
    });
    expect(matchChildren([assigned], [seen("20", "Edited")], both)[0]?.seen).toBeNull();
  });

  test("that is created only now is looked for at the new place", () => {
    const creating = anUnseenLane({ id: laneId("3"), recordId: "31", attempt: anAttempt() });
    const parent = { type: "issue", externalId: "5" };
    const to = { connectionId: THERE, externalId: null, parent, event: FOLLOWED };
    const { lane } = followParent(creating, to, aContext());
    expect(lane).toMatchObject({ connectionId: THERE, externalId: null, recordId: "31" });
    expect(lane.attempt).toEqual(creating.attempt);
  });

  test("keeps its edits that wait, and reads nothing for them", () => {
    const lane = withEvent(child("10", "A"), 4, { direction: "outbound", state: "queued" });
    const parent = { type: "issue", externalId: "5" };
    const to = { connectionId: THERE, externalId: "20", parent, event: FOLLOWED };
    const after = followParent(lane, to, aContext());
    expect(after.lane).toMatchObject({ externalId: "20", parent });
    expect(after.lane.live).toMatchObject([{ id: anEvent(lane, 4).id, externalId: "20" }]);
  });
});

describe("an event that waits for a move", () => {
  const held = withTold(aLane(), 5, { state: "processing", attempts: 9 });
  const start = { lane: held.lane, ended: [] };

  test("is looked at again at once, and no attempt is burnt", () => {
    const { lane } = requeueAfterMove(start, held.event, at(50));
    expect(lane.live).toMatchObject([
      { state: "queued", reason: "resource_moved", attempts: 8, runAt: at(50) },
    ]);
  });

  test("reads the resource again after its children came, and no attempt is burnt", () => {
    const { lane } = awaitChildren(start, held.event, at(300), at(60), at(50));
    expect(lane.live).toMatchObject([
      {
        state: "queued",
        reason: "awaiting_children",
        attempts: 8,
        runAt: at(60),
        deadline: at(300),
        reread: true,
      },
    ]);
  });
});

describe("several scopes of one container", () => {
  const from = (lane: string, scope: string) => ({ lane: laneId(lane), scope });
  const to = (connection: string, scope: string) => ({
    connection: connectionId(connection),
    scope,
  });

  test("a lane goes to the connection of its own scope, else to one that is left", () => {
    const route = destinations([from("1", "a"), from("2", "b")], [to("8", "b"), to("9", "c")]);
    expect([...route]).toEqual([
      [laneId("2"), connectionId("8")],
      [laneId("1"), connectionId("9")],
    ]);
  });

  test("and stays without one where all are taken", () => {
    const route = destinations([from("1", "a"), from("2", "b")], [to("8", "b")]);
    expect([...route]).toEqual([[laneId("2"), connectionId("8")]]);
  });
});
