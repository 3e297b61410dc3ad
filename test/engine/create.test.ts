/** Who writes a create, what is noted of it, and what is taken back when it was refused. */
import { describe, expect, it } from "vitest";
import { BY_ACCOUNT, type Writer } from "../../src/engine/create.ts";
import { fail } from "../../src/engine/fail.ts";
import { type OutboundStep, type OutboundView, stepOutbound } from "../../src/engine/outbound.ts";
import type { Lane } from "../../src/model/lane.ts";
import { unchanged } from "../../src/engine/transition.ts";
import { aContext, aMapping, anUnseenLane, at, issueType, withEvent } from "./builders.ts";

const mona = { id: "100", login: "mona" };
const asMona: Writer = { kind: "author", actor: mona };
const RECORD = { title: "T", body: "b" };
const LINE = "**Mona** wrote:";

const mapping = aMapping({
  resource: {
    ...issueType,
    attribute: (values, line) => ({ ...values, body: `${line} ${JSON.stringify(values.body)}` }),
  },
});

/** A create that is about to leave, and what comes next. */
function step(view: Partial<OutboundView>, changes: Partial<Lane> = {}, room = true) {
  const details = { direction: "outbound", state: "processing", epoch: 1, attempts: 1 } as const;
  const { lane, event } = withEvent(
    anUnseenLane({ recordId: "7", epoch: 1, ...changes }),
    1,
    details,
  );
  const given = room
    ? mapping
    : { ...mapping, resource: { ...mapping.resource, carriesToken: () => false } };
  const whole = { record: RECORD, parent: "none", token: "t", looked: true, ...view } as const;
  const context = aContext({ mapping: given, now: at(5) });
  return { event, next: stepOutbound(unchanged(lane), event, whole, context) };
}

function requestOf(next: OutboundStep) {
  if (next.kind !== "request" || next.request.kind !== "create") throw new Error(next.kind);
  return { request: next.request, lane: next.transition.lane };
}

describe("a create", () => {
  it("asks who writes it before it is noted or leaves", () => {
    expect(step({ writer: null }).next).toEqual({ kind: "ask_author" });
  });

  it("does not ask where it has no room for its token, nor where there is nothing to create", () => {
    const { request } = requestOf(step({ writer: null }, {}, false).next);
    expect(request.writer).toEqual(BY_ACCOUNT);
    expect(step({ writer: null, record: null }).next.kind).toBe("settled");
  });

  it("is the author's own under their token, without the line, and noted as such before it leaves", () => {
    const { request, lane } = requestOf(step({ writer: asMona, attribution: LINE }).next);
    expect(request).toMatchObject({ values: RECORD, token: "t", writer: asMona });
    expect(lane.intent?.posted).toEqual({ times: 1, at: at(5), authors: [mona], byAuthor: false });
    expect(lane.attempt).toMatchObject({ kind: "create", author: mona });
  });

  it.each([null, "author_token_refused"] as const)(
    "is the account's else, with the line (%s)",
    (instead) => {
      const writer: Writer = { kind: "account", instead };
      const { request, lane } = requestOf(step({ writer, attribution: LINE }).next);
      expect(request.values.body).toBe('**Mona** wrote: "b"');
      expect(lane.intent?.posted).toMatchObject({ times: 1, authors: [] });
      expect(lane.attempt?.instead).toBe(instead ?? undefined);
    },
  );

  it("counts with those before it, and names an author once", () => {
    const first = requestOf(step({ writer: asMona }).next).lane;
    const { intent, attempt } = first;
    const second = requestOf(step({ writer: asMona }, { intent, attempt }).next).lane;
    expect(second.intent?.posted).toMatchObject({ times: 2, authors: [mona] });
    const third = requestOf(step({}, { intent: second.intent, attempt: second.attempt }).next).lane;
    expect(third.intent?.posted).toMatchObject({ times: 3, authors: [mona] });
  });

  it.each([
    ["is forgotten when it was refused, with its author", "no", undefined],
    ["is kept when its outcome is unknown", "unknown", { times: 1, authors: [mona] }],
  ] as const)("%s", (_what, applied, posted) => {
    const { event, next } = step({ writer: asMona });
    const { lane } = requestOf(next);
    const error = { code: "x", message: "", hint: "", retryable: true };
    const failure = {
      error: { ...error, httpStatus: null, requestId: null },
      applied,
      pausedUntil: null,
    };
    const after = fail(unchanged(lane), event, failure, at(6), 0).lane;
    if (posted === undefined) expect(after.intent).not.toHaveProperty("posted");
    else expect(after.intent?.posted).toMatchObject(posted);
  });

  it("that was refused leaves those before it as they were", () => {
    const { intent, attempt } = requestOf(step({}).next).lane;
    const { event, next } = step({ writer: asMona }, { intent, attempt });
    const { lane } = requestOf(next);
    const error = { code: "x", message: "", hint: "", retryable: true };
    const failure = {
      error: { ...error, httpStatus: null, requestId: null },
      applied: "no",
      pausedUntil: null,
    } as const;
    const after = fail(unchanged(lane), event, failure, at(6), 0).lane;
    expect(after.intent?.posted).toEqual({ times: 1, at: at(5), authors: [], byAuthor: false });
  });
});

describe("an edit", () => {
  const of = (byAuthor: boolean): Partial<Lane> => ({
    externalId: "42",
    base: { title: "T", body: "a" },
    intent: {
      token: "t",
      since: at(0),
      tokenless: false,
      posted: { times: 1, at: at(0), authors: [mona], byAuthor },
    },
  });

  it.each([
    ["has no line where the author wrote the resource", true, "b"],
    ["keeps the line where the account wrote it", false, '**Mona** wrote: "b"'],
  ])("%s, and asks nobody", (_what, byAuthor, body) => {
    const { next } = step({ writer: null, attribution: LINE }, of(byAuthor));
    expect(next).toMatchObject({ kind: "request", request: { kind: "patch", values: { body } } });
  });
});
