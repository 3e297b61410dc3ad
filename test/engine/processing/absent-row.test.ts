import { describe, expect, it } from "vitest";
import { awaitRow, isHidden } from "../../../src/engine/processing/absent-row.ts";
import { stepOutbound } from "../../../src/engine/processing/outbound.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import { aContext, aLane, withEvent } from "../builders.ts";

const context = aContext();
const claimed = (changes: Partial<TandemEvent> = {}) =>
  withEvent({ ...aLane(), epoch: 4 }, 2, {
    direction: "outbound",
    state: "processing",
    reason: "being_processed",
    attempts: 1,
    epoch: 4,
    startedAt: context.now,
    ...changes,
  });

describe("an absent row", () => {
  it("is gone where row security hides nothing, whatever was captured", () => {
    expect(isHidden(false, [])).toBe(false);
    expect(isHidden(false, [{ operation: "update" }])).toBe(false);
  });

  it("may live on where row security hides rows and no delete was captured", () => {
    expect(isHidden(true, [])).toBe(true);
    expect(isHidden(true, [{ operation: "update" }])).toBe(true);
    // It was made once more, under the same key.
    expect(isHidden(true, [{ operation: "delete" }, { operation: "insert" }])).toBe(true);
  });

  it("is gone where its delete was captured last", () => {
    expect(isHidden(true, [{ operation: "update" }, { operation: "delete" }])).toBe(false);
  });
});

describe("an event whose record's row is hidden", () => {
  const view = { record: null, parent: "none", token: "fresh", looked: false } as const;

  it("waits, says why, and burns no attempt", () => {
    const { lane, event } = claimed();
    const step = stepOutbound({ lane, ended: [] }, event, { ...view, hidden: true }, context);
    expect(step).toMatchObject({
      kind: "settled",
      transition: {
        ended: [],
        lane: { live: [{ state: "queued", reason: "record_not_visible", attempts: 0 }] },
      },
    });
  });

  it("ends where the row is gone: the deletion follows by itself", () => {
    const { lane, event } = claimed();
    const step = stepOutbound({ lane, ended: [] }, event, view, context);
    expect(step).toMatchObject({
      kind: "settled",
      transition: { ended: [{ state: "completed", reason: "record_missing" }] },
    });
  });

  it("waits otherwise than one whose row the app holds", () => {
    const { lane, event } = claimed({ direction: "inbound" });
    const after = (why: "busy" | "hidden") => awaitRow(why, { lane, ended: [] }, event, context);
    expect(after("busy").lane.live).toMatchObject([{ reason: "record_locked" }]);
    expect(after("hidden").lane.live).toMatchObject([{ reason: "record_not_visible" }]);
  });
});
