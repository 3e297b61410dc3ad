/**
 * The founding rules, F1 to F8, in the words of `docs/founding-rules.md`: what the core does of
 * each, and where it refines one, the schedule that the plain rule gets wrong.
 */
import { describe, expect, it } from "vitest";
import { admit } from "../../src/engine/admission/admit.ts";
import { concludeInbound } from "../../src/engine/processing/inbound.ts";
import { planMerge, type ObservedState } from "../../src/engine/merge/merge.ts";
import { admitChange } from "../../src/engine/processing/local-change.ts";
import { claim, nextEvent } from "../../src/engine/lane/claim.ts";
import type { Content } from "../../src/model/content.ts";
import type { Lane } from "../../src/model/lane.ts";
import {
  aContext,
  aLane,
  aMapping,
  anArrival,
  anEventId,
  anUnseenLane,
  at,
  bornOf,
  eventIn,
  issueType,
  withEvent,
} from "./builders.ts";

const whole = aContext({ mapping: aMapping({ conflict: "record" }) });

/** Admits content of a second, claims its event and merges it into a record. */
function take(lane: Lane, title: string, seconds: number, record: Content | null, context = whole) {
  const admission = admit(lane, anArrival({ title }, seconds), context);
  const taken = claim(admission.lane, bornOf(admission), "w1", context.now, 60_000);
  const event = eventIn(taken, bornOf(admission).id);
  const content = event.content ?? {};
  const observed: ObservedState = { content, copy: content, at: at(seconds), from: "payload" };
  const merged = planMerge(taken.lane, observed, record, context);
  const after = { id: "7", content: { ...record, ...merged.toRecord } };
  const start = { lane: taken.lane, ended: [] };
  const ended = concludeInbound(start, event, observed, merged, { before: record, after }, context);
  return { event: eventIn(ended, event.id), record: after.content, lane: ended.lane };
}

describe("F1: a later event for the same external id exists", () => {
  it("ignored, ignored_for that event", () => {
    const later = admit(aLane(), anArrival({ title: "B" }, 30), whole);
    const older = admit(later.lane, anArrival({ title: "C" }, 20), whole);
    expect(bornOf(older)).toMatchObject({
      state: "ignored",
      ignoredFor: { id: bornOf(later).id, type: "events" },
    });
  });
});

describe("F2: an equal integration_updated_at exists", () => {
  it("duplicate, duplicate_of it", () => {
    const again = admit(aLane(), anArrival({ title: "A" }, 10), whole);
    expect(bornOf(again)).toMatchObject({ state: "duplicate", duplicateOf: anEventId(1) });
  });

  it("to the letter where every version has a time of its own", () => {
    const mapping = aMapping({ resource: { ...issueType, versions: "monotonic" } });
    const again = admit(aLane(), anArrival({ title: "B" }, 10), aContext({ mapping }));
    expect(bornOf(again)).toMatchObject({ state: "duplicate", duplicateOf: anEventId(1) });
  });

  it("refined: two edits within one second share a time, and the second is no duplicate", () => {
    const first = admit(aLane(), anArrival({ title: "B" }, 20), whole);
    const second = admit(first.lane, anArrival({ title: "C" }, 20), whole);
    expect(bornOf(second)).toMatchObject({ state: "queued", reread: true });
  });
});

describe("F3: the record's modified_at is later", () => {
  const edited = { title: "L", body: "text" };

  it("ignored, ignored_for the record, under the policy `record`", () => {
    const lane = aLane({ recordChangedAt: { title: at(25) } });
    const taken = take(lane, "B", 20, edited);
    expect(taken.event).toMatchObject({
      state: "ignored",
      reason: "record_is_newer",
      ignoredFor: { id: "7", type: "tasks" },
      conflicts: [{ field: "title", kept: "L", lost: "B" }],
    });
    expect(taken.record).toEqual(edited);
  });

  it("refined: a record whose edit was sent has nothing to lose, and takes a later edit", () => {
    const sent = { title: "L", body: "text" };
    const lane = aLane({ base: sent, copy: sent, recordChangedAt: { title: at(20.3) } });
    const taken = take(lane, "B", 20, sent);
    expect(taken.event.state).toBe("completed");
    expect(taken.record).toEqual({ title: "B", body: "text" });
  });

  it("refined: decided at the write, not at admission, where the record may still change", () => {
    const lane = aLane({ recordChangedAt: { title: at(25) } });
    expect(bornOf(admit(lane, anArrival({ title: "B" }, 20), whole)).state).toBe("queued");
  });
});

describe("F4: events with an earlier integration_updated_at", () => {
  it("canceled, canceled_by this one", () => {
    const earlier = admit(aLane(), anArrival({ title: "B" }, 20), whole);
    const later = admit(earlier.lane, anArrival({ title: "C" }, 30), whole);
    expect(eventIn(later, bornOf(earlier).id)).toMatchObject({
      state: "canceled",
      canceledBy: bornOf(later).id,
    });
  });

  it("refined: only of its own direction, or a local edit back and forth loses a remote one", () => {
    const theirs = admit(aLane(), anArrival({ title: "B" }, 20), whole);
    const change = { action: "upsert", changedAt: { title: at(25) }, ours: false, deleted: null };
    const ours = admitChange(theirs.lane, { ...change, action: "upsert" }, whole);
    expect(eventIn(ours, bornOf(theirs).id).state).toBe("queued");
  });

  it("refined: an upsert never cancels a delete, which carries the time of the edit before it", () => {
    const dying = admit(aLane(), anArrival(null, 10), whole);
    const edit = admit(dying.lane, anArrival({ title: "B" }, 10), whole);
    expect(eventIn(edit, bornOf(dying).id).state).toBe("queued");
  });
});

describe("F5: another is queued or processing for the external id", () => {
  it("queued, and not started before that one ends", () => {
    const { lane } = withEvent(aLane(), 5, { direction: "outbound", state: "processing" });
    const admission = admit(lane, anArrival({ title: "B" }, 20), whole);
    expect(bornOf(admission).state).toBe("queued");
    expect(nextEvent(admission.lane, whole.now)).toBeNull();
  });

  it("one at a time for the record, across both directions", () => {
    const { lane } = withEvent(aLane(), 5, { state: "processing" });
    const change = { action: "upsert", changedAt: {}, ours: false, deleted: null } as const;
    const admission = admitChange(lane, change, whole);
    expect(nextEvent(admission.lane, whole.now)).toBeNull();
  });
});

describe("F6: when processing", () => {
  it("creates the record where the integration record has none", () => {
    const taken = take(anUnseenLane(), "B", 20, null);
    expect(taken.event).toMatchObject({ state: "completed", reason: "created_record" });
    expect(taken.lane).toMatchObject({ externalId: "42", recordId: "7" });
  });

  it("updates the record that the integration record is paired with", () => {
    const taken = take(aLane(), "B", 20, { title: "A", body: "text" });
    expect(taken.event).toMatchObject({
      state: "completed",
      reason: "updated_record",
      recordType: "tasks",
      recordId: "7",
    });
    expect(taken.record).toEqual({ title: "B", body: "text" });
  });
});

describe("F7: when completed", () => {
  it("looks for the next queued one with the oldest integration_updated_at", () => {
    const newer = withEvent(aLane(), 5, { updatedAt: at(30) }).lane;
    const { lane } = withEvent(newer, 6, { action: "delete", updatedAt: at(20) });
    expect(nextEvent(lane, whole.now)?.id).toBe(anEventId(6));
  });
});

describe("F8: while updating the record, check again whether it was updated after the event", () => {
  it("ignored as in F3, although the edit came after the event was admitted", () => {
    const admission = admit(aLane(), anArrival({ title: "B" }, 20), whole);
    const late = { ...admission.lane, recordChangedAt: { title: at(25) } };
    const content = { title: "B", body: "text" };
    const observed: ObservedState = { content, copy: content, at: at(20), from: "payload" };
    const merged = planMerge(late, observed, { title: "L", body: "text" }, whole);
    expect(merged).toMatchObject({ toRecord: {}, outcome: "lost" });
  });

  it("refined: field by field by default, so that an edit of another field is not lost", () => {
    const context = aContext();
    const lane = aLane({ recordChangedAt: { body: at(25) } });
    const taken = take(lane, "B", 20, { title: "A", body: "mine" }, context);
    expect(taken.record).toEqual({ title: "B", body: "mine" });
    expect(taken.event.conflicts).toEqual([]);
    expect(taken.lane.live).toMatchObject([{ direction: "outbound", state: "queued" }]);
  });
});
