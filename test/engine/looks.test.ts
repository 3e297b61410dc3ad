/** Looks that tell more, or less, than content: thin webhooks, first looks, re-reads and answers. */
import { describe, expect, it } from "vitest";
import { admit } from "../../src/engine/admission/admit.ts";
import { observe } from "../../src/engine/lane/knowledge.ts";
import { recheckInbound } from "../../src/engine/lane/claim.ts";
import {
  aContext,
  aKnown,
  aLane,
  anArrival,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  bornOf,
  eventIn,
  withEvent,
} from "./builders.ts";

const context = aContext();
const edited = (title: string, seconds: number) => anArrival({ title }, seconds);

describe("a webhook without content", () => {
  const thin = (seconds: number) => ({
    ...edited("A", seconds),
    observation: anObservation(null, seconds, { action: "upsert" }),
  });

  it("is no deletion: admitted, to be read", () => {
    const admission = admit(aLane(), thin(20), context);
    expect(bornOf(admission)).toMatchObject({ action: "upsert", state: "queued", reread: true });
    expect(admission.lane.tombstone).toBeNull();
  });

  it("is read at its start", () => {
    const admission = admit(aLane(), thin(20), context);
    expect(recheckInbound(admission, bornOf(admission), at(21)).verdict).toBe("reread");
  });

  it("leaves what is known in doubt where it cancels the event that bore it", () => {
    const bearing = admit(aLane(), edited("B", 20), context);
    const told = admit(bearing.lane, thin(21), context);
    expect(eventIn(told, bornOf(bearing).id).state).toBe("canceled");
    expect(bornOf(admit(told.lane, edited("B", 22), context)).state).toBe("queued");
  });

  it("is older than what is known: ignored", () => {
    expect(bornOf(admit(aLane(), thin(9), context)).state).toBe("ignored");
  });
});

describe("the first look at a resource", () => {
  it("tells the lane its id, its parent and what to show", () => {
    const observation = anObservation({ title: "A" }, 10, {
      externalId: "43",
      parent: { type: "issue", externalId: "1" },
      display: { url: "https://example.org/43" },
    });
    const admission = admit(anUnseenLane(), { ...edited("A", 10), observation }, context);
    expect(admission.lane).toMatchObject({
      externalId: "43",
      parent: { type: "issue", externalId: "1" },
      display: { url: "https://example.org/43" },
    });
    expect(bornOf(admission).externalId).toBe("43");
  });

  it("is not undone by a later one", () => {
    const observation = anObservation({ title: "B" }, 20, { externalId: "99" });
    expect(admit(aLane(), { ...edited("B", 20), observation }, context).lane.externalId).toBe("42");
  });

  it("leaves the lane's objects as they are where it tells nothing new", () => {
    const lane = aLane({ display: { url: "x" } });
    const observation = anObservation({ title: "A", body: "text" }, 10, { display: { url: "x" } });
    const arrival = { ...edited("A", 10), observation, source: "poll" } as const;
    const after = admit(lane, arrival, context).lane;
    expect(after.display).toBe(lane.display);
    expect(after.copy).toBe(lane.copy);
    expect(after.known).toBe(lane.known);
  });
});

describe("a re-read or an answer, learned", () => {
  const look = (title: string, seconds: number) => ({
    content: { title, body: "text" },
    at: at(seconds),
    event: anEventId(2),
  });

  it("moves what is known, so that going back to what was known before is news", () => {
    const known = aKnown({ title: "B", body: "text" }, 20, anEventId(5));
    const lane = aLane({ known, clock: { at: at(20), event: anEventId(5) } });
    const after = observe({ lane, ended: [] }, look("A", 20), at(21));
    expect(bornOf(admit(after.lane, edited("B", 21), context)).state).toBe("queued");
  });

  it("at equal time takes the place of what was known: it is the later read", () => {
    const after = observe({ lane: aLane(), ended: [] }, look("B", 10), at(11));
    expect(after.lane.known).toMatchObject({ content: { title: "B" }, event: anEventId(2) });
  });

  it("changes nothing where something later is known", () => {
    const start = { lane: aLane(), ended: [] };
    expect(observe(start, look("B", 9), at(11))).toBe(start);
  });

  it("goes back to an older time where the read was verified", () => {
    const look9 = { ...look("B", 9), verified: true };
    const { lane } = observe({ lane: aLane(), ended: [] }, look9, at(60));
    expect(lane).toMatchObject({ clock: { at: at(9) }, known: { content: { title: "B" } } });
  });

  it("leaves what is older and unread to a read of its own: the look may be of before it", () => {
    const unread = admit(aLane(), edited("X", 5), context);
    const after = observe(unread, look("L", 20), at(21));
    expect(eventIn(after, bornOf(unread).id)).toEqual(bornOf(unread));
  });

  it("ends older queued inbound events, and lets those of its time read again", () => {
    const { lane: one, event: older } = withEvent(aLane(), 5, { updatedAt: at(19) });
    const after = observe({ lane: one, ended: [] }, look("L", 20), at(21));
    expect(eventIn(after, older.id)).toMatchObject({
      state: "canceled",
      reason: "read_again",
      canceledBy: anEventId(2),
    });

    const { lane: two, event: same } = withEvent(aLane(), 5, { updatedAt: at(20) });
    const again = observe({ lane: two, ended: [] }, look("L", 20), at(21));
    expect(eventIn(again, same.id)).toMatchObject({
      state: "queued",
      reread: true,
      reason: "reread_needed",
    });
  });

  it("leaves later events and deletions alone", () => {
    const { lane: one, event: later } = withEvent(aLane(), 5, { updatedAt: at(22) });
    expect(eventIn(observe({ lane: one, ended: [] }, look("L", 20), at(21)), later.id)).toEqual(
      later,
    );
    const { lane: two, event: gone } = withEvent(aLane(), 5, {
      action: "delete",
      updatedAt: at(1),
    });
    expect(eventIn(observe({ lane: two, ended: [] }, look("L", 20), at(21)), gone.id)).toEqual(
      gone,
    );
  });
});
