/** The steps of processing that a saved lane shows, by which a wrapped store reaches failpoints. */
import { describe, expect, it } from "vitest";
import type { TandemEvent } from "../../../src/model/event.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { recordDeleted, resourceDeleted } from "../../../src/model/tombstone.ts";
import { stepsOf } from "../../../src/runtime/services/watch-failpoints.ts";
import { aLane, anAttempt, anEvent, anEventId, at } from "../../engine/builders.ts";

const lane = aLane({ epoch: 1 });
const queued = anEvent(lane, 2, { direction: "outbound", state: "queued" });
const processing: TandemEvent = {
  ...queued,
  ...{ state: "processing", worker: "ada", epoch: 1, leaseExpiresAt: at(60) },
};
const following: TandemEvent = { ...processing, id: anEventId(3), worker: "bob" };
const ended: TandemEvent = { ...processing, state: "completed", reason: "updated_resource" };
const intent = { token: "t", since: at(1), tokenless: false };

/** Each step as its name with the event and the worker that it is of. */
function told(before: Partial<Lane>, after: Partial<Lane>, over: readonly TandemEvent[] = []) {
  const from = { ...lane, ...before };
  return stepsOf({ before: from, after: { lane: { ...from, ...after }, ended: over } }).map(
    ({ step, context: { lane: of, event, direction, action, worker } }) =>
      `${step} ${[of, event, direction, action, worker].map(String).join(" ")}`,
  );
}

const own = `1 ${queued.id} outbound upsert ada`;

describe("the steps that a saved lane shows", () => {
  it("are none if no event is claimed, renewed or ended", () => {
    expect(told({ live: [queued] }, {})).toEqual([]);
    expect(told({ live: [processing] }, {})).toEqual([]);
    expect(told({ live: [processing] }, { copy: { title: "B" } })).toEqual([]);
    expect(told({}, { live: [queued] })).toEqual([]);
  });

  it("are a claim, and with its attempt an intent", () => {
    expect(told({ live: [queued] }, { live: [processing] })).toEqual([`claim ${own}`]);
    const attempt = anAttempt({ event: queued.id });
    expect(told({ live: [queued] }, { live: [processing], attempt })).toEqual([
      `claim ${own}`,
      `intent ${own}`,
    ]);
    // An attempt that was there before is of an earlier claim.
    expect(told({ live: [queued], attempt }, { live: [processing] })).toEqual([`claim ${own}`]);
  });

  it("are an intent if an attempt is noted, and a heartbeat if only the lease is renewed", () => {
    const attempt = anAttempt({ event: queued.id });
    const renewed = { ...processing, leaseExpiresAt: at(90) };
    expect(told({ live: [processing] }, { attempt })).toEqual([`intent ${own}`]);
    expect(told({ live: [processing] }, { attempt, live: [renewed] })).toEqual([`intent ${own}`]);
    expect(told({ live: [processing] }, { live: [renewed] })).toEqual([`heartbeat ${own}`]);
    expect(told({ live: [processing], attempt }, { live: [renewed] })).toEqual([
      `heartbeat ${own}`,
    ]);
    const again = anAttempt({ event: queued.id, sentAt: at(21) });
    expect(told({ live: [processing], attempt }, { attempt: again })).toEqual([`intent ${own}`]);
    expect(told({ live: [processing], attempt }, { attempt: null })).toEqual([]);
  });

  it("are a commit if the event is processed no more, also if another one is by then", () => {
    expect(told({ live: [processing] }, { live: [] }, [ended])).toEqual([`commit ${own}`]);
    expect(told({ live: [processing] }, { live: [queued] })).toEqual([`commit ${own}`]);
    const attempt = anAttempt({ event: following.id });
    expect(told({ live: [processing] }, { live: [following], attempt }, [ended])).toEqual([
      `commit ${own}`,
    ]);
  });

  it("are a commit for each event that is claimed and ended at once, in a claim of its own", () => {
    const second = { ...ended, id: anEventId(4), epoch: 2 };
    const skipped = { ...ended, id: anEventId(5), epoch: 1 };
    expect(told({ live: [queued] }, { live: [], epoch: 2 }, [second, skipped])).toEqual([
      `commit 1 ${second.id} outbound upsert ada`,
    ]);
    expect(told({ live: [queued] }, { live: [], epoch: 1 }, [skipped])).toEqual([]);
    const passedOn = { ...ended, epoch: 2 };
    expect(told({ live: [processing] }, { live: [], epoch: 2 }, [passedOn, second])).toEqual([
      `commit ${own}`,
      `commit 1 ${second.id} outbound upsert ada`,
    ]);
  });

  it("are an adoption if a create's lane gets its resource by other means than its answer", () => {
    const waiting = { externalId: null, intent, live: [processing] };
    expect(told(waiting, { externalId: "42" })).toEqual(["adoption 1 null inbound upsert null"]);
    const found = { ...processing, reason: "adopted_resource" } as const;
    expect(told(waiting, { externalId: "42", live: [found] })).toEqual([`adoption ${own}`]);
    const gone = resourceDeleted(anEventId(9), at(50));
    expect(told(waiting, { externalId: "42", tombstone: gone })).toEqual([
      "adoption 1 null inbound delete null",
    ]);
    const outlived = recordDeleted(anEventId(9), at(50));
    expect(told(waiting, { externalId: "42", tombstone: outlived })).toEqual([
      "adoption 1 null inbound upsert null",
    ]);

    const created = { ...ended, reason: "created_resource" } as const;
    expect(told(waiting, { externalId: "42", live: [] }, [created])).toEqual([`commit ${own}`]);
    expect(told(waiting, { externalId: "42", live: [] }, [ended])).toEqual([
      "adoption 1 null inbound upsert null",
      `commit ${own}`,
    ]);
    expect(told({ ...waiting, intent: null }, { externalId: "42" })).toEqual([]);
    expect(told({ ...waiting, externalId: "42" }, { externalId: "43" })).toEqual([]);
    expect(told(waiting, {})).toEqual([]);
  });
});
