/** Row 4, of what nobody knows: it is older than the lane's clock, and the provider's clock may have stepped back. */
import { describe, expect, it } from "vitest";
import { admit } from "../../src/engine/admission/admit.ts";
import { aContext, aLane, anArrival, anEventId, bornOf, knowingAfter } from "./builders.ts";

const context = aContext();
const edited = (title: string, seconds: number) => anArrival({ title }, seconds);

describe("an observation older than the clock", () => {
  it("reads what is older and says what nobody knows: the clock there may have stepped back", () => {
    const lane = knowingAfter("B", 20, { title: "C", body: "text" }, 30, anEventId(3));
    for (const arrival of [edited("X", 20), edited("B", 21)]) {
      expect(bornOf(admit(lane, arrival, context))).toMatchObject({
        state: "queued",
        reason: "reread_needed",
        reread: true,
      });
    }
  });

  it("lets what waits and is later look for both", () => {
    const waiting = admit(aLane(), edited("C", 30), context).lane;
    const admission = admit(waiting, edited("X", 20), context);
    expect(bornOf(admission)).toMatchObject({ state: "ignored", reason: "later_event" });
    expect(admission.lane.live).toMatchObject([{ state: "queued", reread: true }]);
  });

  it("says nothing of a poll that shows again what waits to be read", () => {
    const lane = knowingAfter("B", 20, { title: "C", body: "text" }, 30, anEventId(3));
    const waiting = admit(lane, edited("X", 20), context).lane;
    const listed = admit(waiting, { ...edited("X", 20), source: "poll" }, context);
    expect(listed.event).toBeNull();
    expect(listed.lane).toEqual(waiting);
  });

  it("doubts what it knows while something older waits to be read", () => {
    const lane = knowingAfter("B", 20, { title: "C", body: "text" }, 30, anEventId(3));
    const waiting = admit(lane, edited("X", 20), context).lane;
    expect(bornOf(admit(waiting, edited("C", 40), context))).toMatchObject({
      state: "queued",
      reread: true,
    });
  });

  it("doubts a version that was known before, whatever its time: a read has gone back behind it", () => {
    const lane = knowingAfter("B", 40, { title: "C", body: "text" }, 30, anEventId(3));
    expect(bornOf(admit(lane, edited("B", 40), context)).reread).toBe(true);
    expect(bornOf(admit(lane, edited("D", 40), context)).reread).toBe(false);
  });

  it("remembers four versions before the one that is known", () => {
    let { lane } = admit(aLane(), edited("B", 20), context);
    for (const [index, title] of ["C", "D", "E", "F"].entries()) {
      lane = admit(lane, edited(title, 30 + index), context).lane;
    }
    expect(bornOf(admit(lane, edited("B", 20), context)).state).toBe("ignored");
    lane = admit(lane, edited("G", 40), context).lane;
    expect(bornOf(admit({ ...lane, live: [] }, edited("B", 20), context)).state).toBe("queued");
  });
});
