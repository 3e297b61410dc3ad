import { describe, expect, it } from "vitest";
import { type Content, digest } from "../../../src/model/content.ts";
import { connectionId } from "../../../src/model/ids.ts";
import type { EventError, TandemEvent } from "../../../src/model/event.ts";
import type { Lane } from "../../../src/model/lane.ts";
import {
  type ArrivalTrust,
  trust,
  type Trust,
  trustArrival,
  trustWrite,
  type WriteTrust,
} from "../../../src/engine/lane/trust.ts";
import {
  aContext,
  aKnown,
  aLane,
  aMapping,
  anAttempt,
  anEventId,
  at,
  issueType,
  withEvent,
} from "../builders.ts";

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
  return said(trust(held.lane, held.event));
}

function said(answer: ArrivalTrust | Trust | WriteTrust): string {
  return "why" in answer ? `${answer.kind}: ${answer.why}` : answer.kind;
}

/** The answer about an event that arrives, and why. */
function answeredAtArrival(
  lane: Lane,
  event: Partial<TandemEvent>,
  versions: "seconds" | "monotonic" = "seconds",
): string {
  const { event: born } = withEvent(lane, 5, event);
  const mapping = aMapping({ resource: { ...issueType, versions } });
  return said(trustArrival(lane, born, aContext({ mapping })));
}

describe("trust in an inbound event that arrives", () => {
  const content = { title: "B", body: "text" };
  const same = { title: "A", body: "text" };
  const present = aKnown(same, 10);
  const version = (shown: Content, seconds: number) => ({
    content: shown,
    digest: digest(shown),
    updatedAt: at(seconds),
  });
  const before = [`${digest(content)}@${at(20).toString(36)}`];
  const waiting = (shown: Content, seconds: number) =>
    withEvent(aLane(), 4, { state: "queued", ...version(shown, seconds) }).lane;
  const carriedBy = (state: "errored" | "disabled") => withEvent(aLane(), 1, { state }).lane;
  const processing = withEvent(aLane(), 4, { state: "processing" }).lane;
  const arriving = (lane: Lane, shown = content, seconds = 20) =>
    answeredAtArrival(lane, version(shown, seconds));

  it("is given if nothing is in doubt", () => {
    expect(arriving(aLane())).toBe("trusted");
  });

  it.each<[string, Lane, string]>([
    ["an event is processing", processing, "read: event_processing"],
    ["a request is not settled", aLane({ attempt: anAttempt() }), "read: outcome_unknown"],
    [
      "the event of the known content was canceled",
      aLane({ known: { ...present, lost: true } }),
      "read: known_lost",
    ],
    ["the event of the known content is errored", carriedBy("errored"), "read: known_unmerged"],
    ["the event of the known content is disabled", carriedBy("disabled"), "read: known_unmerged"],
    ["an older one waits to be read", waiting({ title: "C" }, 8), "read: older_waits"],
  ])("is not given if %s, even to the known content", (_doubt, lane, expected) => {
    expect(arriving(lane)).toBe(expected);
    expect(arriving(lane, same)).toBe(expected);
  });

  it.each<[string, Lane, string]>([
    ["was known before", aLane({ known: { ...present, before } }), "read: known_before"],
    ["is no newer than one that waits", waiting({ title: "C" }, 20), "read: newer_waits"],
  ])("is not given to a version that %s", (_doubt, lane, expected) => {
    expect(arriving(lane)).toBe(expected);
  });

  it("is not given to other content of the clock's time", () => {
    expect(arriving(aLane(), content, 10)).toBe("read: same_time");
    expect(arriving(aLane({ known: null }), content, 10)).toBe("read: same_time");
  });

  it("is not given without content, nor to an older version that was never known", () => {
    const empty = { content: null, digest: null, updatedAt: at(20) };
    expect(answeredAtArrival(aLane(), empty)).toBe("read: no_content");
    expect(arriving(aLane(), content, 8)).toBe("read: older_unread");
  });

  it("is not asked for by what is known already", () => {
    expect(arriving(aLane(), same)).toBe("duplicate: same_content");
    expect(arriving(aLane(), same, 10)).toBe("duplicate: same_content");
    expect(arriving(aLane(), same, 8)).toBe("outdated");
  });

  it("is not asked for by a version with a time of its own that is known, whatever is in doubt", () => {
    const lane = aLane({ attempt: anAttempt() });
    const exact = (shown: Content) => answeredAtArrival(lane, version(shown, 10), "monotonic");
    expect(exact(content)).toBe("duplicate: same_version");
    expect(exact(same)).toBe("duplicate: same_content");
  });

  it("is given to a deletion", () => {
    const deletion = { action: "delete", content: null, digest: null } as const;
    expect(answeredAtArrival(processing, deletion)).toBe("trusted");
  });
});

describe("trust in an outbound event that arrives", () => {
  const change = { direction: "outbound", source: "change" } as const;
  const asking = withEvent(aLane(), 4, { ...change, state: "errored", reread: true }).lane;
  const lost = aLane({ known: { ...aKnown({}, 10), lost: true } });

  it.each<[string, Lane, string]>([
    ["nothing is in doubt", aLane(), "trusted"],
    ["the event that it follows asks for a read", asking, "read: read_asked"],
    ["the event of the known content was canceled", lost, "read: known_lost"],
  ])("if %s", (_doubt, lane, expected) => {
    expect(answeredAtArrival(lane, change)).toBe(expected);
    expect(answeredAtArrival(lane, { ...change, action: "delete" })).toBe("trusted");
  });

  it.each<[string, Partial<TandemEvent>]>([
    ["is inbound", { direction: "inbound" }],
    ["is a deletion", { action: "delete" }],
  ])("is given while an event that asks for a read %s", (_what, details) => {
    const { lane } = withEvent(aLane(), 4, { ...change, reread: true, ...details });
    expect(answeredAtArrival(lane, change)).toBe("trusted");
  });
});

describe("trust before a request overwrites the resource", () => {
  const context = aContext({ readFreshness: 1_000 });
  const known = { ...aKnown({ title: "A", body: "text" }, 10), validator: "W/1" };
  const kinds = ["patch", "close", "delete"] as const;

  it.each(kinds)("a %s reads first, conditionally", (kind) => {
    expect(trustWrite(aLane({ known }), kind, false, context)).toEqual({
      kind: "read",
      why: "not_read",
      validator: "W/1",
    });
    expect(said(trustWrite(aLane({ known }), kind, true, context))).toBe("trusted");
  });

  it.each<[string, Partial<Lane>]>([
    ["is absent", { known: null }],
    ["is lost", { known: { ...known, lost: true } }],
    ["is in doubt", { known: { ...known, doubted: true } }],
    ["is not merged", { known: { ...known, baseFrom: anEventId(1) } }],
  ])("the read is unconditional if the known content %s", (_why, lane) => {
    expect(trustWrite(aLane(lane), "patch", false, context)).toEqual({
      kind: "read",
      why: "known_unmerged",
      validator: null,
    });
  });

  it("a recent answer to our own request replaces the read", () => {
    const answered = (seconds: number) =>
      aLane({ lastSent: anAttempt({ sentAt: at(seconds), settledAt: at(99.9) }) });
    expect(said(trustWrite(answered(99.5), "patch", false, context))).toBe("trusted");
    expect(said(trustWrite(answered(99), "patch", false, context))).toBe("read: not_read");
    const open = aLane({ lastSent: anAttempt({ sentAt: at(99.5) }) });
    expect(said(trustWrite(open, "patch", false, context))).toBe("read: not_read");
  });

  it("an edit waits for an inbound event that has arrived, a removal does not", () => {
    const { lane } = withEvent(aLane(), 3, { state: "queued" });
    expect(said(trustWrite(lane, "patch", true, context))).toBe("wait: news_arrived");
    expect(said(trustWrite(lane, "delete", true, context))).toBe("trusted");
    const { lane: failed } = withEvent(aLane(), 3, { state: "errored" });
    expect(said(trustWrite(failed, "patch", true, context))).toBe("trusted");
  });

  it("a closing needs no read if nothing of the resource was merged", () => {
    expect(said(trustWrite(aLane({ base: null }), "close", false, context))).toBe("trusted");
    expect(said(trustWrite(aLane({ base: null }), "delete", false, context))).toBe(
      "read: not_read",
    );
  });
});

describe("trust in a claimed inbound event", () => {
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

  it("is not asked for by an outdated version that was known, although it asks for a read", () => {
    const version = { digest: aKnown({}, 10).digest, updatedAt: at(8), reread: true };
    expect(inbound({ known: aKnown({}, 10) }, version)).toBe("outdated");
  });

  it("is given while its own request has no outcome", () => {
    expect(inbound({ attempt: anAttempt({ event: anEventId(5) }) })).toBe("trusted");
  });
});

describe("trust in a claimed outbound event", () => {
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
