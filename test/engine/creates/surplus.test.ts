/** When the second of two resources of ours is certain to be one too many, and what the ledger keeps of it. */
import { describe, expect, it } from "vitest";
import { saidOf } from "../../../src/engine/creates/create.ts";
import {
  admitSurplus,
  isCertainlySurplus,
  isWhySurplus,
  lostWith,
  noteSurplus,
  whySurplus,
} from "../../../src/engine/creates/surplus.ts";
import { connectionId, deliveryId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";
import {
  aContext,
  aLane,
  aMapping,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
} from "../builders.ts";

const deleted = resourceDeleted(anEventId(9), at(50));
const moved = { ...deleted, resource: { outOfReach: "7" } };

it.each([
  ["another one was found", "another", null, true],
  ["the first has moved to where the second is", "the_second", null, false],
  ["the first has moved there, though it counts as deleted", "the_second", deleted, false],
  ["the first is not found, and nothing says that it is deleted", "absent", null, false],
  ["the first is not found and known to be deleted", "absent", deleted, true],
  ["the first is not found and was moved away", "absent", moved, false],
] as const)("%s", (_what, first, tombstone, isSurplus) => {
  expect(isCertainlySurplus({ tombstone }, first)).toBe(isSurplus);
});

describe("a second resource of ours", () => {
  const said = { title: "A", body: "text" };
  const posted = {
    at: at(10),
    account: { times: 2, said: [saidOf(said, aMapping())], made: ["42"] },
    authors: [],
    byAuthor: null,
  };
  const lane = aLane({ intent: { token: "t", since: at(5), tokenless: false, posted } });
  const seen = (content: Parameters<typeof anObservation>[0], source: "webhook" | "poll") => ({
    observation: anObservation(content, 60, { externalId: "43" }),
    source,
    deliveryId: source === "webhook" ? deliveryId("1") : null,
    verifiedAt: null,
  });
  const noted = (content: Parameters<typeof anObservation>[0], of: Lane = lane) =>
    noteSurplus(of, seen(content, "webhook"), of.connectionId, aContext()).event;
  const lost = { winner: "record", why: "created_twice" };

  it("is told in the lane of its record, which has its counterpart", () => {
    const {
      ended,
      lane: after,
      event,
    } = noteSurplus(lane, seen(said, "webhook"), lane.connectionId, aContext());
    expect(event).toMatchObject({
      laneId: lane.id,
      direction: "inbound",
      externalId: "43",
      deliveryId: deliveryId("1"),
      state: "ignored",
      reason: "surplus",
      ignoredFor: { id: "7", type: "tasks" },
      content: said,
      updatedAt: at(60),
      finishedAt: at(100),
    });
    expect(ended).toEqual([event]);
    expect(after).toEqual(lane);
  });

  it("that landed where the first was transferred from is told of there", () => {
    const there = connectionId("9");
    expect(noteSurplus(lane, seen(said, "webhook"), there, aContext()).event).toMatchObject({
      laneId: lane.id,
      connectionId: there,
    });
  });

  it("is named by its lane if its record is gone", () => {
    expect(noted(said, { ...lane, recordId: null }).ignoredFor?.id).toBe(lane.id);
  });

  it("S60 that somebody edited has the edited words kept, and nothing but words", () => {
    const edited = { title: "A", body: "Edited", state: "closed", labels: ["bug"] };
    expect(noted(edited).conflicts).toEqual([
      { field: "body", kept: "text", lost: "Edited", ...lost },
    ]);
  });

  it("that says what a create of ours said has lost nothing, though its record was edited since", () => {
    const since = aLane({ ...lane, known: null, base: { title: "B", body: "text" } });
    expect(noted(said, since).conflicts).toEqual([]);
    expect(noted({ ...said, body: "Edited" }, since).conflicts).toEqual([
      { field: "title", kept: "B", lost: "A", ...lost },
      { field: "body", kept: "text", lost: "Edited", ...lost },
    ]);
    const byMona = { id: "1", login: "mona", times: 1, said: posted.account.said, made: [] };
    const { account: _, ...others } = posted;
    const authored = { token: "t", since: at(5), tokenless: false } as const;
    const intent = { ...authored, posted: { ...others, authors: [byMona] } };
    expect(noted(said, { ...since, intent }).conflicts).toEqual([]);
    expect(noted({ ...said, body: "Edited" }, { ...since, intent }).conflicts).toHaveLength(2);
  });

  it("is kept as far as its content is known, without a base or an observation to compare with", () => {
    const unseen = anUnseenLane({ recordId: "7" });
    expect(noted({ title: "Edited" }, unseen).conflicts).toEqual([
      { field: "title", kept: null, lost: "Edited", ...lost },
    ]);
    expect(noted(null).conflicts).toEqual([]);
  });

  it("is counted once it is proven, and told of by a webhook alone", () => {
    const at = lane.connectionId;
    const listed = admitSurplus(lane, seen(said, "poll"), at, aContext());
    expect(listed.event).toBeNull();
    expect(listed.lane.intent?.posted?.account?.made).toEqual(["42", "43"]);
    expect(admitSurplus(listed.lane, seen(said, "poll"), at, aContext()).lane).toBe(listed.lane);
    expect(admitSurplus(lane, seen(said, "poll"), at, aContext(), "perhaps").lane).toBe(lane);
    const told = admitSurplus(lane, seen(said, "webhook"), at, aContext());
    expect(told.event?.reason).toBe("surplus");
    expect(told.lane.intent?.posted?.account?.made).toEqual(["42", "43"]);
  });
});

describe("a comment below a second resource", () => {
  it("is named whole where its record has no counterpart", () => {
    expect(lostWith({ body: "Nice", author: { id: "1", login: "ada" } })).toEqual([
      { field: "body", winner: "record", kept: null, lost: "Nice", why: "created_twice" },
      {
        ...{ field: "author", winner: "record", kept: null },
        ...{ lost: { id: "1", login: "ada" }, why: "created_twice" },
      },
    ]);
  });

  it("is ours where it says why the resource was closed", () => {
    expect(isWhySurplus({ author: null, body: whySurplus("#42") })).toBe(true);
    expect(isWhySurplus({ body: `> ${whySurplus("#42")}` })).toBe(false);
    expect(isWhySurplus({ author: null })).toBe(false);
  });
});
