import { describe, expect, it } from "vitest";
import { concludeMerge, planMerge, type ObservedState } from "../../src/engine/merge/merge.ts";
import { NOTHING_SENT, plan } from "../../src/engine/merge/plan.ts";
import type { Instant } from "../../src/model/instant.ts";
import type { Attempt, Lane } from "../../src/model/lane.ts";
import { aContext, aLane, anAttempt, aPlanInput, at, withEvent } from "./builders.ts";

const title = (value: string) => ({ title: value });

describe("both sides agreed, and the resource goes on", () => {
  const goesOn = { base: title("V"), record: title("V"), resource: title("W") };
  const named = [
    { field: "title", winner: "resource", kept: "W", lost: "V", why: "agreed_before" },
  ];
  const seen = (changedAt: Instant, leftAt: Instant | null = null, value = "V") =>
    plan(
      aPlanInput({
        ...goesOn,
        recordChangedAt: { title: changedAt },
        sent: { ...NOTHING_SENT, left: leftAt === null ? {} : { title: { at: leftAt, value } } },
      }),
    );

  it("names what the app said at most ten minutes before, for nobody has sent it", () => {
    expect(seen(at(12))).toMatchObject({ toRecord: title("W"), conflicts: named });
    expect(seen(at(10 - 600))).toMatchObject({ toRecord: title("W"), conflicts: named });
    expect(seen(at(12), at(11))).toMatchObject({ toRecord: title("W"), conflicts: named });
    expect(seen(at(12), at(12), "U")).toMatchObject({ conflicts: named });
  });

  it("names nothing that was said before, or has left since: whoever went on has seen it", () => {
    expect(seen(at(9 - 600))).toMatchObject({ toRecord: title("W"), conflicts: [] });
    expect(seen(at(12), at(12))).toMatchObject({ toRecord: title("W"), conflicts: [] });
    expect(plan(aPlanInput(goesOn))).toMatchObject({ toRecord: title("W"), conflicts: [] });
  });
});

const both = { title: "A", body: "text" };
const context = aContext({ now: at(30) });

/** The app wrote both fields in second 20; the title has left since. */
function givenAgreed(lastSent: Partial<Attempt> = {}): Lane {
  return aLane({
    base: both,
    recordChangedAt: { title: at(20), body: at(20) },
    lastSent: anAttempt({ values: { title: "A" }, sentAt: at(20.5), ...lastSent }),
  });
}

/** The resource's body goes on in that second. */
function goingOn(body: string): ObservedState {
  const content = { ...both, body };
  return { content, copy: content, at: at(20), from: "payload" };
}

const conflictsOf = (lane: Lane) => planMerge(lane, goingOn("theirs"), both, context).conflicts;

describe("an app's value that was never sent, for both sides agreed", () => {
  it("is named where the resource went on in that second", () => {
    expect(conflictsOf(givenAgreed())).toMatchObject([{ field: "body", why: "agreed_before" }]);
  });

  it("is not where it left with an earlier write that is remembered", () => {
    const earlier = [anAttempt({ values: { body: "text" }, sentAt: at(20.2) })];
    expect(conflictsOf(givenAgreed({ earlier }))).toEqual([]);
  });

  it("is not where a create has left since: that says all of the record", () => {
    expect(conflictsOf(givenAgreed({ kind: "create" }))).toEqual([]);
  });

  it("is not where the record took it from the resource since the app wrote", () => {
    const { lane, event } = withEvent(aLane({ base: both, recordChangedAt: { body: at(15) } }), 2, {
      state: "processing",
    });
    const sent = { ...lane, lastSent: anAttempt({ values: { body: "text" }, sentAt: at(16) }) };
    const merged = planMerge(sent, goingOn("theirs"), both, context);
    expect(merged.conflicts).toEqual([]);
    const record = { id: "7", content: { ...both, body: "theirs" } };
    const start = { lane: sent, ended: [] };
    const after = concludeMerge(start, event, goingOn("theirs"), merged, record, context).lane;
    expect(planMerge(after, goingOn("more"), record.content, context).conflicts).toEqual([]);
  });

  it("is named once: what goes on from there replaces nothing of the app's", () => {
    const { lane, event } = withEvent(givenAgreed(), 2, { state: "processing" });
    const merged = planMerge(lane, goingOn("theirs"), both, context);
    const record = { id: "7", content: { ...both, body: "theirs" } };
    const start = { lane, ended: [] };
    const after = concludeMerge(start, event, goingOn("theirs"), merged, record, context).lane;
    expect(after.recordChangedAt).toEqual({ title: at(20) });
    expect(planMerge(after, goingOn("more"), record.content, context).conflicts).toEqual([]);
  });
});
