import { describe, expect, it } from "vitest";
import { connectionId } from "../../../src/model/ids.ts";
import type { EventError, TandemEvent } from "../../../src/model/event.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { trust } from "../../../src/engine/lane/trust.ts";
import { aKnown, aLane, anAttempt, anEventId, at, withEvent } from "../builders.ts";

const news = { content: { title: "B", body: "text" }, updatedAt: at(20) };
const doubted = { ...aKnown({ title: "A", body: "text" }, 10), doubted: true } as const;
const intent = { token: "t1", since: at(5), tokenless: false };
const unreadable: EventError = {
  code: "unavailable",
  message: "Bad gateway",
  hint: "",
  retryable: true,
  httpStatus: 502,
  requestId: null,
};

/** The answer about a claimed event, and why. */
function answered(lane: Partial<Lane>, event: Partial<TandemEvent>): string {
  const held = withEvent(aLane(lane), 5, { state: "processing", ...event });
  const answer = trust(held.lane, held.event);
  return answer.kind === "trusted" ? "trusted" : `${answer.kind}: ${answer.why}`;
}

describe("trust in an inbound event", () => {
  const inbound = (lane: Partial<Lane>, event: Partial<TandemEvent> = {}) =>
    answered(lane, { direction: "inbound", ...news, ...event });
  const older = { updatedAt: at(8) };
  const moved = { connection: connectionId("2"), externalId: "41" };

  it("is given if nothing is in doubt", () => {
    expect(inbound({})).toBe("trusted");
  });

  it.each<[string, Partial<Lane>, Partial<TandemEvent>, string]>([
    ["the lane waits for creates", { awaitingIntent: at(90) }, {}, "wait: creates_open"],
    ["record and children follow a move", { moved }, {}, "read: resource_moved"],
    ["its older version was never known", {}, older, "read: older_unread"],
    ["it asks for a read", {}, { reread: true }, "read: read_asked"],
    ["it has no content", {}, { content: null }, "read: no_content"],
    ["the known content of its time differs", {}, { updatedAt: at(10) }, "read: same_time"],
    ["a request has no outcome", { attempt: anAttempt() }, {}, "read: outcome_unknown"],
  ])("is not given if %s", (_doubt, lane, event, expected) => {
    expect(inbound(lane, event)).toBe(expected);
  });

  it("is given to a deletion, unless its lane waits for creates", () => {
    const deletion = { action: "delete", content: null, reread: true } as const;
    expect(inbound({ moved }, deletion)).toBe("trusted");
    expect(inbound({ awaitingIntent: at(90) }, deletion)).toBe("wait: creates_open");
  });

  it("is given to an outdated version that was known, although it asks for a read", () => {
    const version = { digest: aKnown({}, 10).digest, updatedAt: at(8), reread: true };
    expect(inbound({ known: aKnown({}, 10) }, version)).toBe("trusted");
  });

  it("is given while its own request has no outcome", () => {
    expect(inbound({ attempt: anAttempt({ event: anEventId(5) }) })).toBe("trusted");
  });
});

describe("trust in an outbound event", () => {
  const outbound = (lane: Partial<Lane>, event: Partial<TandemEvent> = {}) =>
    answered(lane, { direction: "outbound", source: "change", ...event });
  const unmade = { externalId: null, intent, attempt: anAttempt({ kind: "create" }) };
  const failed = (details: Partial<TandemEvent>) =>
    withEvent(aLane(), 4, { state: "errored", error: unreadable, ...details }).lane.live;

  it("is given if nothing is in doubt", () => {
    expect(outbound({})).toBe("trusted");
  });

  it.each<[string, Partial<Lane>, Partial<TandemEvent>, string]>([
    ["a create may have made its resource", unmade, {}, "read: create_unanswered"],
    ["a read may be older", { known: doubted }, {}, "wait: read_may_be_older"],
    ["a request has no outcome", { attempt: anAttempt() }, {}, "read: outcome_unknown"],
    ["it asks for a read", {}, { reread: true }, "read: read_asked"],
    ["a change could not be read", { live: failed({}) }, {}, "read: unread_change"],
    [
      "a read may be older, without a clock",
      { known: doubted, clock: null },
      {},
      "read: unread_change",
    ],
  ])("is not given if %s", (_doubt, lane, event, expected) => {
    expect(outbound(lane, event)).toBe(expected);
  });

  it("is given to a create that certainly made nothing, although it asks for a read", () => {
    expect(outbound({ ...unmade, attempt: null }, { reread: true })).toBe("trusted");
    expect(outbound({ ...unmade, intent: null })).toBe("trusted");
  });

  it("is given to a deletion, unless a create may have made its resource", () => {
    const deletion = { action: "delete", reread: true } as const;
    expect(outbound({ known: doubted, attempt: anAttempt() }, deletion)).toBe("trusted");
    expect(outbound(unmade, deletion)).toBe("read: create_unanswered");
  });

  it.each<[string, Partial<TandemEvent>]>([
    ["waits", { state: "queued" }],
    ["is ours", { direction: "outbound" }],
    ["is a deletion", { action: "delete" }],
    ["failed without the provider", { error: { ...unreadable, httpStatus: null } }],
  ])("is given while a change that %s is live", (_what, details) => {
    expect(outbound({ live: failed(details) })).toBe("trusted");
  });
});
