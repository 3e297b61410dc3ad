/** A lane whose resource has moved: the events that end, are requeued or are removed at the new address. */
import { describe, expect, test } from "vitest";
import {
  followParent,
  leaveLane,
  letRecordGo,
  moveLane,
  type MoveNews,
  removeWith,
} from "../../src/engine/lifecycle/resource-move.ts";
import type { TandemEvent } from "../../src/model/event.ts";
import { connectionId, deliveryId, laneId } from "../../src/model/ids.ts";
import type { Lane } from "../../src/model/lane.ts";
import { recordDeleted } from "../../src/model/tombstone.ts";
import {
  aContext,
  aLane,
  anEvent,
  anEventId,
  anUnseenLane,
  at,
  withEvent as withTold,
} from "./builders.ts";

const THERE = connectionId("2");
const news: MoveNews = { source: "webhook", deliveryId: deliveryId("1"), display: { number: "5" } };

function withEvent(lane: Lane, number: number, changes: Partial<TandemEvent>): Lane {
  return withTold(lane, number, changes).lane;
}

/** The lane at the new address, as the move makes it where nobody was. */
function aPlace(): Lane {
  return anUnseenLane({ id: laneId("2"), connectionId: THERE, externalId: "5" });
}

describe("a lane that was moved with its resource", () => {
  const deleting = { action: "delete", direction: "inbound" } as const;
  const movedTo = "77/9";
  const ended = {
    event: anEventId(9),
    at: at(50),
    record: "deleted",
    resource: { outOfReach: movedTo },
  } as const;

  test("is left behind where the app has put its record elsewhere", () => {
    const before = withEvent(aLane(), 3, { direction: "outbound", state: "queued" });
    const told = anEvent(aLane(), 1, { state: "ignored" });
    const { lane, ended: over } = letRecordGo({ lane: before, ended: [told] }, aContext());
    expect(lane.tombstone).toMatchObject({ record: "to_connection", resource: "present" });
    expect(over).toMatchObject([{ id: told.id }, { id: anEventId(3), state: "canceled" }]);
  });

  test("was not deleted: what said so at its old place is canceled", () => {
    const lane = withEvent(aLane(), 3, { ...deleting, state: "queued" });
    const parent = { type: "issue", externalId: "5" };
    const to = { connectionId: THERE, externalId: "20", parent, event: anEventId(90) };
    expect(followParent(lane, to, aContext()).ended).toMatchObject([
      { id: anEventId(3), state: "canceled", reason: "resource_moved", canceledBy: anEventId(90) },
    ]);
  });

  test("comes back into reach alive, unless the app deleted its record meanwhile", () => {
    const away = aLane({ tombstone: { ...ended, record: "present" } });
    const edited = withEvent(away, 3, { direction: "outbound", state: "queued" });
    const back = (lane: Lane) => moveLane(lane, aPlace(), news, aContext()).there.lane.tombstone;
    expect(back(withEvent(edited, 2, { ...deleting, state: "queued" }))).toBeNull();
    const removed = withEvent(away, 3, { ...deleting, direction: "outbound", state: "queued" });
    expect(back(removed)).toEqual(recordDeleted(anEventId(3), at(100)));
  });

  test("is removed once it is back in reach, unless it was closed before", () => {
    const open = aLane({ tombstone: ended, base: { title: "A", state: "open" } });
    const failed = withEvent(open, 3, { direction: "inbound", state: "errored" });
    const { there } = moveLane(failed, aPlace(), news, aContext());
    expect(there.lane.live).toContainEqual(
      expect.objectContaining({ direction: "outbound", action: "delete", state: "queued" }),
    );
    const closed = { ...open, base: { title: "A", state: "closed" } };
    expect(moveLane(closed, aPlace(), news, aContext()).there.lane.live).toEqual([]);
  });

  test("out of reach, though it had ended before, is only noted to be there", () => {
    const tombstone = recordDeleted(anEventId(9), at(50));
    const left = leaveLane(aLane({ tombstone }), movedTo, news, aContext());
    expect(left.lane).toMatchObject({
      tombstone: { ...tombstone, resource: { outOfReach: movedTo } },
      live: [],
    });
    expect(left.ended).toEqual([]);
  });

  test("is requeued at its place: nothing is awaited there, and no failure is told any more", () => {
    const failed = { code: "x", message: "", hint: "", retryable: true };
    const error = { ...failed, httpStatus: null, requestId: null };
    const details = { direction: "outbound", state: "errored", runAt: at(900), error } as const;
    const lane = withEvent(aLane({ awaitingIntent: at(200) }), 2, details);
    const { there } = moveLane(lane, aPlace(), news, aContext());
    expect(there.lane.awaitingIntent).toBeNull();
    expect(there.lane.live[0]).toMatchObject({ state: "queued", runAt: at(100), error: null });
  });

  test("that has ended cancels what waits at the address it takes", () => {
    const lane = aLane({ tombstone: recordDeleted(anEventId(9), at(50)) });
    const taken = withEvent(aPlace(), 3, { state: "processing" });
    expect(moveLane(lane, taken, news, aContext()).behind.ended).toMatchObject([
      { id: anEventId(3), state: "canceled", reason: "resource_moved", canceledBy: anEventId(9) },
    ]);
  });

  test("takes along a child that was out of reach, and what its creates have made there", () => {
    const account = { times: 2, said: ["s"], made: ["10", "11"] };
    const posted = { at: at(5), account, authors: [], byAuthor: null };
    const child = aLane({
      externalId: "10",
      tombstone: { ...ended, record: "present" },
      intent: { token: "t", since: at(1), tokenless: false, posted },
    });
    const parent = { type: "issue", externalId: "5" };
    const to = { connectionId: THERE, externalId: "20", parent, event: anEventId(90) };
    const { lane } = followParent(child, to, aContext());
    expect(lane.tombstone).toBeNull();
    expect(lane.intent).toEqual({
      ...{ token: "t", since: at(1), tokenless: false },
      posted: { ...posted, account: { ...account, made: ["20"] } },
    });
    // A resource that another create made at the old place is not this lane's.
    const other = { ...posted, account: { ...account, made: ["11"] } };
    const late = {
      ...child,
      intent: { token: "t", since: at(1), tokenless: false, posted: other },
    };
    expect(followParent(late, to, aContext()).lane.intent?.posted?.account?.made).toEqual([]);
  });

  test("has the record that was made there removed with it, once", () => {
    const left = aLane({ recordId: "8" });
    const told = { source: "webhook", deliveryId: deliveryId("4"), updatedAt: at(60) } as const;
    const others = withEvent(withEvent(left, 2, { state: "errored" }), 3, {
      direction: "outbound",
      action: "delete",
    });
    for (const lane of [left, others]) {
      expect(removeWith(lane, told, aContext()).lane.live.at(-1)).toMatchObject({
        ...deleting,
        ...told,
        state: "queued",
      });
    }
    const twice = withEvent(left, 2, { ...deleting, state: "queued" });
    expect(removeWith(twice, told, aContext())).toEqual({ lane: twice, ended: [] });
  });
});
