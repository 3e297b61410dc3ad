/** A record that is edited again and again. */
import { describe, expect, it } from "vitest";
import { queueUnsent } from "../../../src/engine/merge/merge.ts";
import { admitChange, type RecordChange } from "../../../src/engine/processing/local-change.ts";
import { unchanged } from "../../../src/engine/lane/transition.ts";
import { aContext, aLane, anAttempt, anEventId, at, bornOf, withEvent } from "../builders.ts";

const edit: RecordChange = {
  action: "upsert",
  changedAt: { title: at(100) },
  ours: false,
  deleted: null,
};
const context = aContext({ now: at(100), writePause: 2_000 });
const sent = (seconds: number) => aLane({ lastSent: anAttempt({ sentAt: at(seconds) }) });

describe("an edit of a record", () => {
  it("leaves at once where nothing was written before", () => {
    expect(bornOf(admitChange(aLane(), edit, context)).runAt).toBe(at(100));
  });

  it("leaves at once where the pause after the last write is over", () => {
    expect(bornOf(admitChange(sent(98), edit, context)).runAt).toBe(at(100));
  });

  it("waits for the end of the pause where a write has just left", () => {
    expect(bornOf(admitChange(sent(99), edit, context)).runAt).toBe(at(101));
  });

  it("waits no longer for those that follow it: they leave together", () => {
    const first = admitChange(sent(99), edit, context);
    const later = aContext({ now: at(100.9), writePause: 2_000, firstId: 200 });
    const second = admitChange(first.lane, edit, later);
    expect(bornOf(second).runAt).toBe(at(101));
    expect(second.lane.live).toHaveLength(1);
  });

  it("that deletes it never waits", () => {
    const deletion = admitChange(sent(99), { ...edit, action: "delete" }, context);
    expect(bornOf(deletion).runAt).toBe(at(100));
  });
});

describe("values that a write leaves unsent", () => {
  it("waits for the end of the pause", () => {
    const { lane } = queueUnsent(unchanged(sent(99)), true, context);
    expect(lane.live).toMatchObject([{ direction: "outbound", state: "queued", runAt: at(101) }]);
  });

  it("waits as well where an edit of it was admitted while the write was on its way", () => {
    const { lane } = withEvent(sent(99), 6, { direction: "outbound", runAt: at(99.5) });
    const paced = queueUnsent(unchanged(lane), true, context);
    expect(paced.lane.live).toMatchObject([{ id: anEventId(6), state: "queued", runAt: at(101) }]);
  });

  it("is not made to wait longer by a failure's backoff that is later, nor less", () => {
    const { lane } = withEvent(sent(99), 6, { direction: "outbound", runAt: at(160) });
    const paced = queueUnsent(unchanged(lane), true, context);
    expect(paced.lane.live).toMatchObject([{ runAt: at(160) }]);
  });
});
