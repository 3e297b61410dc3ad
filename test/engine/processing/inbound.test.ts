import { describe, expect, it } from "vitest";
import {
  awaitDrain,
  awaitParent,
  awaitRecord,
  concludeInbound,
  concludeRemoval,
  endForMissingRecord,
  keptByApp,
  PARENT_DEADLINE_MS,
  planRemoval,
  planRowRemoval,
  WAIT_MS,
} from "../../../src/engine/processing/inbound.ts";
import { setKnown } from "../../../src/engine/lane/knowledge.ts";
import { planMerge, type ObservedState } from "../../../src/engine/merge/merge.ts";
import type { Content } from "../../../src/model/content.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import { addMillis, type Instant } from "../../../src/model/instant.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";
import {
  aContext,
  aKnown,
  aLane,
  aMapping,
  anAttempt,
  anEventId,
  anUnseenLane,
  at,
  eventIn,
  withEvent,
} from "../builders.ts";

const context = aContext();
const theirs = { title: "B", body: "text" };
const agreed = { title: "A", body: "text" };

/** A lane whose event 5, with their content of second 20, is processing. */
const processing = (lane: Lane = aLane(), changes: Partial<TandemEvent> = {}) =>
  withEvent(
    {
      ...lane,
      clock: { at: at(20), event: anEventId(5) },
      known: aKnown(theirs, 20, anEventId(5)),
    },
    5,
    { content: theirs, updatedAt: at(20), state: "processing", attempts: 1, ...changes },
  );

function merge(
  held: ReturnType<typeof processing>,
  record: Content | null,
  observed: Partial<ObservedState> = {},
  given = context,
) {
  const seen: ObservedState = {
    content: theirs,
    copy: theirs,
    at: at(20),
    from: "payload",
    ...observed,
  };
  const merged = planMerge(held.lane, seen, record, given);
  const after = { id: "7", content: { ...record, ...merged.toRecord } };
  const start = { lane: held.lane, ended: [] };
  return concludeInbound(start, held.event, seen, merged, { before: record, after }, given);
}

describe("an inbound event that is merged", () => {
  it("creates the record of a resource that is not paired yet", () => {
    const ended = merge(processing(anUnseenLane({ externalId: "42" })), null);
    expect(eventIn(ended, anEventId(5))).toMatchObject({
      state: "completed",
      reason: "created_record",
      recordId: "7",
    });
    expect(ended.lane).toMatchObject({ recordId: "7", base: theirs, copy: theirs });
  });

  it("updates the record, and says what changed", () => {
    const ended = merge(processing(), agreed);
    expect(eventIn(ended, anEventId(5))).toMatchObject({
      state: "completed",
      reason: "updated_record",
      changes: [{ side: "record", field: "title", from: "A", to: "B" }],
    });
    expect(ended.lane).toMatchObject({ base: theirs, copy: theirs, live: [] });
  });

  it("agrees where the record says so already", () => {
    const ended = merge(processing(), theirs);
    expect(eventIn(ended, anEventId(5))).toMatchObject({ state: "completed", reason: "agreed" });
  });

  it("is ignored for a record whose later edit won, and that edit is queued", () => {
    const lane = aLane({ recordChangedAt: { title: at(25) } });
    const ended = merge(processing(lane), { title: "L", body: "text" });
    expect(eventIn(ended, anEventId(5))).toMatchObject({
      state: "ignored",
      reason: "record_is_newer",
      ignoredFor: { id: "7", type: "tasks" },
      conflicts: [{ field: "title", winner: "record", kept: "L", lost: "B" }],
    });
    expect(ended.lane).toMatchObject({ base: theirs, copy: theirs });
    expect(ended.lane.live).toMatchObject([{ direction: "outbound", state: "queued" }]);
  });

  it("queues what the record has elsewhere, although the event itself completed", () => {
    const ended = merge(processing(), { title: "A", body: "mine" });
    expect(eventIn(ended, anEventId(5)).reason).toBe("updated_record");
    expect(ended.lane.live).toMatchObject([{ direction: "outbound", state: "queued" }]);
  });

  it("says that the record kept what it has elsewhere, where both say the same of what came", () => {
    const ended = merge(processing(), { title: "B", body: "mine" });
    expect(eventIn(ended, anEventId(5))).toMatchObject({
      state: "completed",
      reason: "record_kept",
    });
    expect(ended.lane.live).toMatchObject([{ direction: "outbound", state: "queued" }]);
  });

  it("queues nothing for a pairing that has ended", () => {
    const tombstone = resourceDeleted(anEventId(9), at(1));
    const ended = merge(processing(aLane({ tombstone })), { title: "A", body: "mine" });
    expect(ended.lane.live).toEqual([]);
  });

  it("is a duplicate where its re-read finds what another event brought: an echo that came first", () => {
    const echo = processing(aLane(), { reread: true });
    const lane = {
      ...echo.lane,
      base: theirs,
      copy: theirs,
      known: aKnown(theirs, 20, anEventId(2)),
      clock: { at: at(20), event: anEventId(2) },
    };
    const ended = merge({ ...echo, lane }, theirs, { from: "reread" });
    expect(eventIn(ended, anEventId(5))).toMatchObject({
      state: "duplicate",
      reason: "nothing_new",
      duplicateOf: anEventId(2),
    });
  });

  it("is a duplicate where its re-read finds what was merged before, though it said something else", () => {
    const held = processing(aLane({ base: theirs }), { reread: true });
    const before = { ...held.lane, known: aKnown(theirs, 10, anEventId(2)) };
    const shown = { content: { title: "X", body: "text" }, at: at(20), event: anEventId(5) };
    const earlier = { ...shown, content: theirs, event: anEventId(4) };
    const heard = setKnown(setKnown({ lane: before, ended: [] }, earlier, "z"), shown, "x");
    const ended = merge({ ...held, lane: heard.lane }, theirs, { from: "reread" });
    expect(eventIn(ended, anEventId(5))).toMatchObject({
      state: "duplicate",
      reason: "nothing_new",
      duplicateOf: anEventId(2),
    });
    expect(ended.lane.known).toMatchObject({ event: anEventId(5), content: theirs });
    expect(ended.lane.known).not.toHaveProperty("baseFrom");
  });

  it("is told of as what brought base, by one that was heard of before it was merged", () => {
    const first = processing();
    const before = { ...first.lane, known: aKnown(agreed, 10, anEventId(2)) };
    const own = { content: theirs, at: at(20), event: anEventId(5) };
    const later = { content: { title: "Y", body: "text" }, at: at(30), event: anEventId(6) };
    const heard = setKnown(setKnown({ lane: before, ended: [] }, own, "b"), later, "y");
    const ended = merge({ ...first, lane: heard.lane }, agreed);
    expect(ended.lane.known).toMatchObject({ event: anEventId(6), baseFrom: anEventId(5) });
  });

  it("settles an unknown outcome by its re-read", () => {
    const lane = aLane({ attempt: anAttempt(), lastSent: anAttempt() });
    const ended = merge(processing(lane, { reread: true }), agreed, { from: "reread" });
    expect(ended.lane.attempt).toBeNull();
    expect(ended.lane.unanswered).toHaveLength(1);
  });

  it("records what its own payload showed and our write has covered since", () => {
    const shown = { title: "L", body: "text" };
    const lane = aLane({ lastSent: anAttempt({ clockAt: at(10) }) });
    const ended = merge(processing({ ...lane, base: shown }, { reread: true }), shown, {
      content: shown,
      copy: shown,
      at: at(21),
      from: "reread",
    });
    expect(eventIn(ended, anEventId(5)).conflicts).toMatchObject([
      { field: "title", kept: "L", lost: "B", why: "covered_by_our_write" },
    ]);
  });
});

describe("an inbound event that has to wait", () => {
  it("waits for its parent, with a deadline that waiting on does not move", () => {
    const held = processing();
    const once = awaitParent({ lane: held.lane, ended: [] }, held.event, context);
    expect(eventIn(once, anEventId(5))).toMatchObject({
      state: "queued",
      reason: "awaiting_parent",
      attempts: 0,
      runAt: addMillis(context.now, WAIT_MS),
      deadline: addMillis(context.now, PARENT_DEADLINE_MS),
    });
    const held2 = processing(aLane(), { deadline: at(7) });
    const again = awaitParent({ lane: held2.lane, ended: [] }, held2.event, context);
    expect(eventIn(again, anEventId(5)).deadline).toBe(at(7));
  });

  it("checks again at its deadline, if that comes before the next check, and never at a time that has come", () => {
    const runAtWith = (deadline: Instant) => {
      const held = processing(aLane(), { deadline });
      return eventIn(awaitParent({ lane: held.lane, ended: [] }, held.event, context), anEventId(5))
        .runAt;
    };
    const { now } = context;
    expect(runAtWith(addMillis(now, 1))).toBe(addMillis(now, 1));
    for (const late of [0, -1]) {
      expect(runAtWith(addMillis(now, late))).toBe(addMillis(now, WAIT_MS));
    }
  });

  it("goes back where the app holds the row; no attempt is burnt", () => {
    const held = processing();
    const after = awaitRecord({ lane: held.lane, ended: [] }, held.event, context);
    expect(eventIn(after, anEventId(5))).toMatchObject({
      state: "queued",
      reason: "record_locked",
      attempts: 0,
      runAt: addMillis(context.now, 250),
    });
  });

  it.each([
    ["the app's row", awaitRecord],
    ["the drain", awaitDrain],
    ["its parent", awaitParent],
  ])("waits for %s as often as it takes: only a claim adds an attempt", (_what, wait) => {
    const held = processing(aLane(), { attempts: 9 });
    const after = wait({ lane: held.lane, ended: [] }, held.event, context);
    expect(eventIn(after, anEventId(5))).toMatchObject({ state: "queued", attempts: 8 });
  });
});

describe("a paired record that is missing", () => {
  it("counts as deleted: the event is ignored and nothing is recreated", () => {
    const held = processing();
    const ended = endForMissingRecord({ lane: held.lane, ended: [] }, held.event, context);
    expect(eventIn(ended, anEventId(5))).toMatchObject({
      state: "ignored",
      reason: "record_missing",
      ignoredFor: { id: "7", type: "tasks" },
    });
  });
});

describe("a resource that was deleted", () => {
  const deleting = (onResourceDeleted: "delete" | "archive" | "detach") =>
    aContext({ mapping: aMapping({ onResourceDeleted, softDelete: "deleted_at" }) });
  const removed = (lane: Lane, record: Content | null, given = deleting("delete")) => {
    const held = processing(lane, { action: "delete", content: null });
    const planned = planRemoval(held.lane, record, given);
    return {
      planned,
      ended: concludeRemoval({ lane: held.lane, ended: [] }, held.event, planned, given),
    };
  };

  it.each([
    ["delete", "deleted_record"],
    ["archive", "archived_record"],
    ["detach", "detached"],
  ] as const)("does %s to its record where asked to", (wish, reason) => {
    const { planned, ended } = removed(aLane(), agreed, deleting(wish));
    expect(planned.removal.kind).toBe(wish);
    expect(eventIn(ended, anEventId(5))).toMatchObject({ state: "completed", reason });
  });

  it("detaches instead of deleting where the record has an unsent edit, and says so", () => {
    const { planned, ended } = removed(aLane(), { title: "L", body: "text" });
    expect(planned.removal.kind).toBe("detach");
    expect(eventIn(ended, anEventId(5)).conflicts).toEqual([
      { field: "title", winner: "record", kept: "L", lost: null, why: "resource_deleted" },
    ]);
  });

  it("has nothing to delete where there never was a record, or it is gone", () => {
    expect(removed(anUnseenLane(), null).planned.removal.kind).toBe("none");
    const { ended } = removed(aLane(), null);
    expect(eventIn(ended, anEventId(5)).reason).toBe("nothing_to_delete");
  });

  it("detaches where the table has no column to archive by", () => {
    const given = aContext({ mapping: aMapping({ onResourceDeleted: "archive" }) });
    expect(removed(aLane(), agreed, given).planned.removal.kind).toBe("detach");
  });

  it("lets go of a record that it deleted, so that a re-created resource gets a new one", () => {
    expect(removed(aLane(), agreed).ended.lane).toMatchObject({ recordId: null, base: null });
    expect(removed(aLane(), agreed, deleting("detach")).ended.lane.recordId).toBe("7");
  });

  it("leaves a record that the app has deleted or archived itself, and remembers that it came first", () => {
    const tombstone = resourceDeleted(anEventId(5), at(20));
    const gone = removed(aLane({ tombstone }), null);
    expect(gone.planned).toEqual({ removal: { kind: "none" }, conflicts: [], recordFirst: true });
    expect(gone.ended.lane.tombstone).toEqual({ ...tombstone, record: "deleted" });

    const given = deleting("archive");
    // Its resource comes first where the lane ended with the record.
    const left = { ...tombstone, record: "deleted", resource: "present" } as const;
    expect(removed(aLane({ tombstone: left }), null).ended.lane.tombstone).toEqual(left);
    const record = { content: { title: "L", body: "text" }, row: { deleted_at: "then" } };
    const archived = planRowRemoval(aLane(), record, false, given);
    expect(archived).toMatchObject({ removal: { kind: "none" }, recordFirst: true });
    expect(archived.conflicts).toHaveLength(1);
    const byUs = planRowRemoval(aLane({ archivedAs: "then" }), record, false, given);
    expect(byUs.removal).toMatchObject({ kind: "archive" });
    expect(planRemoval(anUnseenLane(), null, given)).not.toHaveProperty("recordFirst");
  });

  it("detaches a record that is paired with another resource, or whose resource is out of reach", () => {
    const given = deleting("delete");
    const record = { content: agreed, row: {} };
    const detached = { removal: { kind: "detach" }, conflicts: [] };
    expect(planRowRemoval(aLane(), record, true, given)).toEqual(detached);
    const away = {
      ...resourceDeleted(anEventId(5), at(20)),
      resource: { outOfReach: "77/8" },
    } as const;
    expect(planRowRemoval(aLane({ tombstone: away }), record, false, given)).toEqual(detached);
    expect(planRowRemoval(aLane(), record, false, given).removal.kind).toBe("delete");
  });

  it("leaves a record that the app's own code kept as that left it", () => {
    const planned = planRemoval(aLane(), { title: "L", body: "text" }, deleting("delete"));
    expect(keptByApp(planned, null)).toEqual({ ...planned, removal: { kind: "detach" } });
    const then = "2026-03-02T09:00:00Z";
    const archived = keptByApp(planned, then);
    expect(archived).toEqual({ ...planned, removal: { kind: "archive", as: then } });
    const { lane, event } = processing(aLane(), { action: "delete", content: null });
    const ended = concludeRemoval({ lane, ended: [] }, event, archived, deleting("delete"));
    expect(ended.lane.archivedAs).toBe(then);
    expect(eventIn(ended, anEventId(5)).reason).toBe("archived_record");
  });

  it("ends edits of its record that had failed, and nothing else", () => {
    const failed = withEvent(aLane(), 3, { direction: "outbound", state: "errored" }).lane;
    const { ended } = removed(failed, agreed);
    expect(eventIn(ended, anEventId(3))).toMatchObject({
      state: "ignored",
      reason: "tombstoned",
      ignoredFor: { id: anEventId(5), type: "events" },
    });
    const removal = { direction: "outbound", action: "delete", state: "errored" } as const;
    expect(
      eventIn(removed(withEvent(aLane(), 3, removal).lane, agreed).ended, anEventId(3)).state,
    ).toBe("errored");
  });

  it("leaves no request open, and no return that is still to be merged", () => {
    const lane = aLane({ attempt: anAttempt(), returned: anEventId(4) });
    expect(removed(lane, agreed).ended.lane).toMatchObject({ attempt: null, returned: null });
  });

  it("is told as moved away where it only went out of reach, and its record stays", () => {
    const tombstone = {
      event: anEventId(5),
      at: at(20),
      record: "present",
      resource: { outOfReach: "77/9" },
    } as const;
    const reasonOf = (wish: "detach" | "archive") =>
      eventIn(removed(aLane({ tombstone }), agreed, deleting(wish)).ended, anEventId(5)).reason;
    expect([reasonOf("detach"), reasonOf("archive")]).toEqual(["moved_away", "archived_record"]);
  });

  it("tells no failure of an earlier attempt once it is carried out", () => {
    const failed = { code: "x", message: "", hint: "", retryable: true };
    const error = { ...failed, httpStatus: null, requestId: null };
    const { lane, event } = processing(aLane(), { action: "delete", content: null, error });
    const planned = planRemoval(lane, agreed, context);
    const ended = concludeRemoval({ lane, ended: [] }, event, planned, context);
    expect(eventIn(ended, anEventId(5)).error).toBeNull();
  });
});
