import { describe, expect, it } from "vitest";
import { stepOutbound } from "../../../src/engine/processing/outbound.ts";
import { isByItsWriter } from "../../../src/engine/creates/identify.ts";
import {
  awaitIntents,
  awaitStill,
  letGo,
  likenessOf,
  mayHaveLostToken,
  mostAlike,
  ownerByContent,
  saysWhatWasSent,
  takeOver,
} from "../../../src/engine/creates/unmarked.ts";
import { admit } from "../../../src/engine/admission/admit.ts";
import type { Actor } from "../../../src/model/content.ts";
import { addMillis } from "../../../src/model/instant.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { laneId } from "../../../src/model/ids.ts";
import {
  aContext,
  aMapping,
  anArrival,
  anAttempt,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  bornOf,
  eventIn,
  issueType,
  withEvent,
} from "../builders.ts";

const mapping = aMapping({ resource: { ...issueType, carriesToken: () => false } });
const context = aContext({ mapping });
const sent = { title: "T", body: "text" };
const intent = { token: "t", since: at(1), tokenless: true };
/** A lane whose create left without its token, and nobody knows what became of it. */
const open = anUnseenLane({
  recordId: "7",
  intent,
  attempt: anAttempt({ kind: "create", values: sent }),
});

/** The lane of a resource nobody knew, with its first event waiting. */
function aWaitingLane(content: Lane["base"] = { title: "T" }): Lane {
  const admitted = admit(anUnseenLane({ id: laneId("2") }), anArrival(content, 20), context);
  return awaitIntents(admitted, at(100)).lane;
}

describe("a create without room for its token", () => {
  it("leaves without it, and is open until its resource is known", () => {
    const { lane } = withEvent(anUnseenLane({ recordId: "7" }), 2, {
      direction: "outbound",
      state: "processing",
    });
    const [event] = lane.live;
    if (event === undefined) throw new Error("there is no event");
    const view = { record: sent, parent: "none", token: "fresh", looked: false } as const;
    expect(stepOutbound({ lane, ended: [] }, event, view, context)).toMatchObject({
      request: { kind: "create", token: null },
      transition: { lane: { intent: { token: "fresh", tokenless: true } } },
    });
  });

  it("is recognised by what it sent, sets aside: a provider drops what it cannot take", () => {
    const values = { ...sent, labels: ["a", "b"] };
    expect(saysWhatWasSent({ ...sent, labels: ["a"], state: "closed" }, values, mapping)).toBe(
      true,
    );
    expect(saysWhatWasSent({ ...sent, title: "U" }, values, mapping)).toBe(false);
    expect(saysWhatWasSent(sent, {}, mapping)).toBe(false);
  });

  it.each([
    ["same", { title: "T", body: "A text of some length" }],
    ["derived", { title: "T", body: "Something else" }],
    ["derived", { title: "U", body: "A text of some other length" }],
    [null, { title: "U", body: "A text" }],
    [null, {}],
  ])("S59 is %s where its token was edited away and it says %o", (likeness, content) => {
    const values = { title: "T", body: "A text of some length" };
    expect(likenessOf(content, values, mapping)).toBe(likeness);
  });

  it("S59 is told by an edited text only where no other resembles it", () => {
    const [same, one, other] = [
      { one: "a", likeness: "same" },
      { one: "b", likeness: "derived" },
      { one: "c", likeness: "derived" },
    ] as const;
    expect(mostAlike([one, same])).toBe("a");
    expect(mostAlike([one])).toBe("b");
    expect(mostAlike([one, other])).toBeNull();
    expect(mostAlike([])).toBeNull();
  });

  it("S59 may have lost its token, unless it has one or is older than any create that is waited for", () => {
    const seen = anObservation({ title: "T" }, 20, { createdAt: at(20) });
    const tenMinutesLater = at(20 + 600);
    expect(mayHaveLostToken(seen, tenMinutesLater)).toBe(true);
    expect(mayHaveLostToken(seen, addMillis(tenMinutesLater, 1))).toBe(false);
    expect(mayHaveLostToken({ ...seen, token: "t" }, tenMinutesLater)).toBe(false);
    const { createdAt: _, ...untold } = seen;
    expect(mayHaveLostToken(untold, tenMinutesLater)).toBe(true);
  });

  it("S59 is the account's, or of a user under whose own token the create left", () => {
    const [bot, mona, ada] = [
      { id: "1", login: "bot" },
      { id: "2", login: "mona" },
      { id: "3", login: "ada" },
    ] as const;
    const creates = { times: 1, said: [], made: [] };
    const posted = { at: at(20), byAuthor: null, authors: [{ ...mona, ...creates }] };
    const by = (author: Actor | null) => anObservation({ title: "T" }, 20, { author });
    expect(isByItsWriter(by(bot), posted, bot)).toBe(true);
    expect(isByItsWriter(by(null), posted, bot)).toBe(true);
    expect(isByItsWriter(by(mona), posted, bot)).toBe(true);
    expect(isByItsWriter(by(ada), posted, bot)).toBe(false);
    expect(isByItsWriter(by(mona), null, bot)).toBe(false);
  });
});

describe("a resource that may be what an open create made", () => {
  it("waits with its deadline, and later events of it wait with the same", () => {
    const waiting = aWaitingLane();
    expect(waiting.live).toMatchObject([
      { state: "queued", reason: "awaiting_intent", deadline: at(400), runAt: at(130) },
    ]);
    const later = admit(waiting, anArrival({ title: "U" }, 30), { ...context, now: at(200) });
    const held = awaitIntents(later, at(200));
    expect(held.lane.live).toMatchObject([
      { id: bornOf(later).id, reason: "awaiting_intent", deadline: at(400), runAt: at(230) },
    ]);
    expect(held.ended).toMatchObject([{ state: "canceled" }]);
  });

  it("looks again before its deadline, not after it", () => {
    const waiting = aWaitingLane();
    const [event] = waiting.live;
    if (event === undefined) throw new Error("there is no event");
    const lane: Lane = { ...waiting, live: [{ ...event, state: "processing", attempts: 1 }] };
    const after = awaitStill({ lane, ended: [] }, event, at(398));
    expect(eventIn(after, event.id)).toMatchObject({
      state: "queued",
      attempts: 0,
      runAt: at(400),
    });

    const free = letGo({ lane, ended: [] }, event, at(398));
    expect(free.lane.awaitingIntent).toBeNull();
    expect(eventIn(free, event.id)).toMatchObject({ state: "processing", deadline: null });
  });

  it("is taken over with all that is known and waits, to be looked at again", () => {
    const waiting = aWaitingLane();
    const [event] = waiting.live;
    const after = takeOver({ lane: open, ended: [] }, waiting, at(150));
    expect(after.lane).toMatchObject({
      id: open.id,
      recordId: "7",
      externalId: "42",
      clock: waiting.clock,
      known: waiting.known,
      awaitingIntent: null,
    });
    expect(after.lane.live).toMatchObject([
      { id: event?.id, laneId: open.id, recordId: "7", reread: true, runAt: at(150) },
    ]);
  });

  it("is taken over while somebody works on it: one event waits, the older is canceled", () => {
    const waiting = aWaitingLane();
    const busy = {
      ...waiting,
      live: waiting.live.map((one) => ({ ...one, state: "processing" as const })),
    };
    const later = admit(busy, anArrival({ title: "U" }, 30), aContext({ mapping, firstId: 200 }));
    const after = takeOver({ lane: open, ended: [] }, later.lane, at(150));
    expect(after.lane.live).toMatchObject([{ id: bornOf(later).id, state: "queued" }]);
    expect(after.ended).toMatchObject([{ state: "canceled", laneId: open.id }]);
  });

  it("that was deleted meanwhile takes its tombstone with it", () => {
    const removed = admit(aWaitingLane(), anArrival(null, 30), aContext({ firstId: 200 }));
    const after = takeOver({ lane: open, ended: [] }, removed.lane, at(150));
    expect(after.lane.tombstone).toEqual(removed.lane.tombstone);
    expect(after.lane.live).toMatchObject([{ action: "delete", state: "queued", reread: false }]);
  });

  it("belongs, past its deadline, to the idle create that sent its content", () => {
    const waiting = aWaitingLane();
    const busy = withEvent(open, 3, { direction: "outbound", state: "processing" }).lane;
    const other = { ...open, attempt: anAttempt({ kind: "create", values: { title: "U" } }) };
    const settled = { ...open, externalId: "41" };
    expect(ownerByContent(waiting, [other, settled], context)).toEqual({ kind: "nobody" });
    expect(ownerByContent(waiting, [other, busy], context)).toEqual({ kind: "wait" });
    expect(ownerByContent(waiting, [busy, open], context)).toEqual({ kind: "lane", lane: open });
  });

  it("belongs to a create that was sent again, too", () => {
    const again = {
      ...open,
      attempt: anAttempt({ event: anEventId(5), kind: "create", values: { title: "U" } }),
      unanswered: [anAttempt({ kind: "create", values: sent })],
    };
    expect(ownerByContent(aWaitingLane(), [again], context).kind).toBe("lane");
  });
});
