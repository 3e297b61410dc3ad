/** The writer of a create, the notes of it, and the notes that are removed when it was refused. */
import { describe, expect, it } from "vitest";
import {
  BY_ACCOUNT,
  reasonOfCreate,
  saidOf,
  withoutRefusedLate,
  type Writer,
} from "../../../src/engine/creates/create.ts";
import { fail } from "../../../src/engine/processing/failure.ts";
import { learnIdentity } from "../../../src/engine/creates/identify.ts";
import {
  type OutboundStep,
  type OutboundView,
  stepOutbound,
} from "../../../src/engine/processing/outbound.ts";
import type { TandemEvent } from "../../../src/model/event.ts";
import type { Instant } from "../../../src/model/instant.ts";
import type { Lane, Transition } from "../../../src/model/lane.ts";
import { admitSurplus } from "../../../src/engine/creates/surplus.ts";
import { unchanged } from "../../../src/engine/lane/transition.ts";
import {
  aContext,
  aMapping,
  anAttempt,
  anObservation,
  anUnseenLane,
  at,
  issueType,
  withEvent,
} from "../builders.ts";

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
  const { epoch = 1 } = changes;
  const details = { direction: "outbound", state: "processing", epoch, attempts: 1 } as const;
  const { lane, event } = withEvent(anUnseenLane({ recordId: "7", epoch, ...changes }), 1, details);
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

/** A lane whose create has no answer yet, for the next worker. */
function openOf({ intent, attempt }: Lane): Partial<Lane> {
  return { intent, attempt };
}

function failed(
  lane: Lane,
  event: TandemEvent,
  applied: "no" | "unknown",
  pausedUntil: Instant | null = null,
): Transition {
  const error = { code: "x", message: "", hint: "", retryable: true };
  const failure = {
    error: { ...error, httpStatus: null, requestId: null },
    applied,
    pausedUntil,
  };
  return fail(unchanged(lane), event, failure, at(6), 0);
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
    const authors = [{ ...mona, times: 1, said: [saidOf(RECORD, mapping)], made: [] }];
    const posted = { at: at(5), from: at(5), authors, byAuthor: null };
    expect(lane.intent?.posted).toEqual(posted);
    expect(lane.attempt).toMatchObject({ kind: "create", author: mona });
  });

  it.each([null, "author_token_refused"] as const)(
    "is the account's else, with the line (%s)",
    (instead) => {
      const writer: Writer = { kind: "account", instead };
      const { request, lane } = requestOf(step({ writer, attribution: LINE }).next);
      expect(request.values.body).toBe('**Mona** wrote: "b"');
      const account = { times: 1, said: [saidOf(RECORD, mapping)], made: [] };
      expect(lane.intent?.posted).toMatchObject({ account, authors: [] });
      expect(lane.attempt?.instead).toBe(instead ?? undefined);
    },
  );

  it("counts with those before it, each with what it said, and names an author once", () => {
    const first = requestOf(step({ writer: asMona }).next).lane;
    const again = { writer: asMona, record: { ...RECORD, title: "Edited" } };
    const second = requestOf(step(again, openOf(first)).next).lane;
    const [before] = first.intent?.posted?.authors ?? [];
    const [author] = second.intent?.posted?.authors ?? [];
    expect(author).toMatchObject({ ...mona, times: 2 });
    expect(author?.said).toHaveLength(2);
    expect(author?.said.slice(1)).toEqual(before?.said);
    const third = requestOf(step({}, openOf(second)).next).lane;
    expect(third.intent?.posted?.authors).toEqual([author]);
  });

  it.each([
    ["is forgotten when it was refused, with its author", "no", undefined],
    ["is kept when its outcome is unknown", "unknown", { authors: [{ ...mona, times: 1 }] }],
  ] as const)("%s", (_what, applied, posted) => {
    const { event, next } = step({ writer: asMona });
    const after = failed(requestOf(next).lane, event, applied).lane;
    if (posted === undefined) expect(after.intent).not.toHaveProperty("posted");
    else expect(after.intent?.posted).toMatchObject(posted);
  });

  it("that was refused leaves those before it as they were", () => {
    const first = requestOf(step({ writer: asMona }).next).lane;
    const { event, next } = step({ writer: asMona }, openOf(first));
    const after = failed(requestOf(next).lane, event, "no").lane;
    expect(after.intent?.posted).toEqual(first.intent?.posted);
  });

  it("that was refused after another was adopted keeps who wrote that, and looks at it", () => {
    const first = requestOf(step({ writer: asMona }).next).lane;
    const { event, next } = step({ writer: asMona }, openOf(first));
    const seen = anObservation(RECORD, 9, { author: mona });
    const adopted = learnIdentity(requestOf(next).lane, seen);
    const { lane } = failed(adopted, event, "no");
    expect(lane.intent?.posted).toMatchObject({
      authors: [{ ...mona, times: 1, made: ["42"] }],
      byAuthor: mona.id,
    });
    expect(lane.attempt).toBeNull();
    expect(lane.live).toMatchObject([
      { state: "queued", reason: "reread_needed", reread: true, attempts: 0, runAt: at(6) },
    ]);
    expect(failed(adopted, event, "no", at(66)).lane.live).toMatchObject([{ runAt: at(66) }]);
  });

  it("that was refused after its claim was lost is forgotten, and what left since is not", () => {
    const { event, next } = step({ writer: asMona });
    const open = { ...openOf(requestOf(next).lane), epoch: 2 };
    const second = requestOf(step({ writer: asMona }, open).next).lane;
    expect(second.unanswered).toHaveLength(1);
    const after = withoutRefusedLate(second, { id: event.id, epoch: 1 });
    expect(after.unanswered).toEqual([]);
    expect(after.attempt).toBe(second.attempt);
    expect(after.intent?.posted?.authors).toMatchObject([{ times: 1 }]);
    expect(withoutRefusedLate(after, { id: event.id, epoch: 1 })).toBe(after);
  });
});

describe("a create of the account's", () => {
  it("that was refused after its claim was lost has made nothing that could be closed", () => {
    const { event, next } = step({});
    const { lane } = requestOf(next);
    const after = withoutRefusedLate(lane, { id: event.id, epoch: 1 });
    expect(after.intent).not.toHaveProperty("posted");
    expect(after.attempt).toBeNull();
    expect(withoutRefusedLate(lane, { id: event.id, epoch: 2 })).toBe(lane);
  });

  it("that was refused leaves the one before it as proof of what that made", () => {
    const first = requestOf(step({}).next).lane;
    const { event, next } = step({}, openOf(first));
    const after = failed(requestOf(next).lane, event, "no").lane;
    expect(after.intent?.posted?.account).toMatchObject({ times: 1, made: [] });
  });

  it("is proof no more once the lane is bound to what it made", () => {
    const { lane } = requestOf(step({}).next);
    expect(learnIdentity(lane, anObservation(RECORD, 9)).intent).not.toHaveProperty("posted");
  });

  it("stays proof where two have left, and one that was taken for surplus counts", () => {
    const first = requestOf(step({}).next).lane;
    const second = requestOf(step({}, openOf(first)).next).lane;
    const bound = learnIdentity(second, anObservation(RECORD, 9));
    expect(bound.intent?.posted?.account).toMatchObject({ times: 2, made: ["42"] });
    const late = anObservation(RECORD, 9, { externalId: "43" });
    const arrival = {
      observation: late,
      source: "poll",
      deliveryId: null,
      verifiedAt: null,
    } as const;
    const { lane } = admitSurplus(bound, arrival, bound.connectionId, aContext({ mapping }));
    expect(lane.intent?.posted?.account).toMatchObject({ times: 2, made: ["42", "43"] });
  });
});

describe("an answered create", () => {
  it.each([
    ["the account wrote it", {}, "created_resource"],
    ["its author wrote it", { author: mona }, "created_as_author"],
    [
      "the account wrote it, for the author's token was refused",
      { instead: "author_token_refused" },
      "author_token_refused",
    ],
  ] as const)("ends by saying that %s", (_who, writer, reason) => {
    expect(reasonOfCreate(anAttempt({ kind: "create", ...writer }))).toBe(reason);
  });
});

describe("a second resource of an author's create", () => {
  it("is counted when it is seen, by webhook or list, and once", () => {
    const first = requestOf(step({ writer: asMona }).next).lane;
    const lane = { ...first, externalId: "41" };
    const arrival = {
      observation: anObservation(RECORD, 9, { author: mona }),
      deliveryId: null,
      verifiedAt: null,
    };
    const listed = admitSurplus(
      lane,
      { ...arrival, source: "poll" },
      lane.connectionId,
      aContext({ mapping }),
    );
    expect(listed.lane.intent?.posted?.authors).toMatchObject([{ made: ["42"] }]);
    const told = admitSurplus(
      listed.lane,
      { ...arrival, source: "webhook" },
      lane.connectionId,
      aContext({ mapping }),
    );
    expect(told.lane.intent).toBe(listed.lane.intent);
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
      posted: {
        at: at(0),
        authors: [{ ...mona, times: 1, said: [], made: ["42"] }],
        byAuthor: byAuthor ? mona.id : null,
      },
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
