import { describe, expect, it } from "vitest";
import {
  identify,
  isMadeBetween,
  isMadeSince,
  learnIdentity,
  madeAnew,
} from "../../../src/engine/creates/identify.ts";
import type { PostedAuthor } from "../../../src/model/lane.ts";
import { laneId } from "../../../src/model/ids.ts";
import { ada, anObservation, anUnseenLane, at, bot } from "../builders.ts";

const mona = { id: "100", login: "mona" };

const id = laneId("1");
const other = laneId("2");
const pending = { id, externalId: null, isElsewhere: false, since: at(-60), posted: null };
const bound = { id, externalId: "5", isElsewhere: false, since: at(-60), posted: null };

describe("which lane an arrival belongs to", () => {
  it("is the lane of its external id, whatever token it carries and whoever wrote it", () => {
    const arrival = { externalId: "7", token: "t", author: ada };
    expect(identify(arrival, { id: other, externalId: "7" }, pending, bot)).toEqual({
      kind: "lane",
      id: other,
    });
  });

  it("is new when nothing of it is known", () => {
    const arrival = { externalId: "7", token: null, author: ada };
    expect(identify(arrival, null, null, bot)).toEqual({ kind: "new", strippedToken: null });
  });

  it("is new, its token stripped, when no create of ours ever carried that token", () => {
    const arrival = { externalId: "7", token: "t", author: bot };
    expect(identify(arrival, null, null, bot)).toEqual({ kind: "new", strippedToken: "t" });
  });

  it("is adopted when our create waits for its resource: the echo overtook the response", () => {
    const arrival = { externalId: "7", token: "t", author: bot };
    expect(identify(arrival, null, pending, bot)).toEqual({ kind: "adopt", id });
  });

  it("is not adopted when somebody else copied the body while our create was under way", () => {
    const arrival = { externalId: "7", token: "t", author: ada };
    expect(identify(arrival, null, pending, bot)).toEqual({ kind: "new", strippedToken: "t" });
  });

  it.each([
    ["we do not know yet who we are", bot, null],
    ["the provider does not tell who wrote it", null, bot],
  ])("is adopted by a create that waits when %s", (_why, author, identity) => {
    const arrival = { externalId: "7", token: "t", author };
    expect(identify(arrival, null, pending, identity)).toEqual({ kind: "adopt", id });
  });

  /** Two creates of the account's left, and one of them made what the lane is bound to. */
  const sentTwice = {
    at: at(0),
    from: at(-60),
    account: { times: 2, said: ["s"], made: ["5"] },
    authors: [],
    byAuthor: null,
  };
  const late = { externalId: "7", token: "t", author: bot, createdAt: at(1), said: "s" };

  it("is surplus when another create of ours left and this is what it made: a late POST landed", () => {
    const lane = { ...bound, posted: sentTwice };
    expect(identify(late, null, lane, bot)).toEqual({ kind: "surplus", of: id, isProven: true });
  });

  it.each([
    ["all that left was seen", {}, { account: { ...sentTwice.account, made: ["5", "6"] } }],
    ["nothing is known to have left", {}, null],
    ["it says something else than what left", { said: "other words" }, {}],
    ["it was made long after the last one left", { createdAt: at(15 * 60 + 1) }, {}],
    ["it was made long before the first one left", { createdAt: at(-6 * 60 - 1) }, {}],
  ])("S58 is new when a person writes as our account and %s", (_when, changes, posted) => {
    const sent = posted === null ? null : { ...sentTwice, ...posted };
    const found = identify({ ...late, ...changes }, null, { ...bound, posted: sent }, bot);
    expect(found).toEqual({ kind: "new", strippedToken: "t" });
  });

  it("is new when somebody else's copy carries the token of a create that has its resource", () => {
    const arrival = { externalId: "7", token: "t", author: ada };
    expect(identify(arrival, null, bound, bot)).toEqual({ kind: "new", strippedToken: "t" });
  });

  it.each([
    ["we do not know who we are", bot, null],
    ["its author is unknown", null, bot],
  ])("is never surplus while %s, for what is surplus gets closed", (_why, author, identity) => {
    const arrival = { externalId: "7", token: "t", author };
    expect(identify(arrival, null, bound, identity)).toEqual({ kind: "new", strippedToken: "t" });
  });

  it("is surplus where our late POST landed in the container that the first was transferred from", () => {
    const account = { ...sentTwice.account, made: ["9"] };
    const elsewhere = { ...bound, isElsewhere: true, posted: { ...sentTwice, account } };
    const arrival = late;
    // There, the id of the first may be another's here.
    for (const externalId of ["7", "5"]) {
      const surplus = { kind: "surplus", of: id, isProven: true };
      expect(identify({ ...arrival, externalId }, null, elsewhere, bot)).toEqual(surplus);
    }
  });

  it("S59 is none of a create's where it was made before it, or long after", () => {
    const made = (seconds: number) =>
      isMadeBetween(anObservation({}, 1, { createdAt: at(seconds) }), sentTwice);
    expect([-361, -300, 0, 900, 901].map(made)).toEqual([false, true, true, true, false]);
    expect(isMadeBetween(anObservation({}, 1), sentTwice)).toBe(true);
  });

  it("S64 is none of a create's that was forgotten where it was made before that", () => {
    const made = (seconds: number) =>
      isMadeSince(anObservation({}, 1, { createdAt: at(seconds) }), at(0));
    expect([-1, 0, 1].map(made)).toEqual([false, true, true]);
    expect(isMadeSince(anObservation({}, 1), at(0))).toBe(true);
  });

  it("may be the first, transferred away and back, where that is elsewhere: no record, nothing to close", () => {
    const elsewhere = { ...bound, isElsewhere: true };
    const surplus = { kind: "surplus", of: id, isProven: false };
    expect(identify(late, null, elsewhere, bot)).toEqual(surplus);
    const copied = { ...late, createdAt: at(3_600) };
    expect(identify(copied, null, elsewhere, bot)).toMatchObject({ kind: "new" });
    expect(identify({ ...late, author: ada }, null, elsewhere, bot)).toMatchObject({ kind: "new" });
  });

  it("is the token's lane when that is bound to this very resource", () => {
    const arrival = { externalId: "5", token: "t", author: ada };
    expect(identify(arrival, null, bound, bot)).toEqual({ kind: "lane", id });
  });

  describe("a create left under its author's own token, and a resource with that token", () => {
    const writer = { ...mona, times: 1, said: ["s"], made: [] };
    const posted = { at: at(0), authors: [writer], byAuthor: null };
    const theirs = { externalId: "7", token: "t", author: mona, createdAt: at(1), said: "s" };
    const having = (changes: Partial<PostedAuthor>) => {
      const authors = [{ ...writer, ...changes }];
      return { ...bound, posted: { ...posted, authors, byAuthor: mona.id } };
    };

    it("is adopted when the author wrote it, though another account did than ours", () => {
      expect(identify(theirs, null, { ...pending, posted }, bot)).toEqual({ kind: "adopt", id });
    });

    it("is new when somebody else copied it", () => {
      const arrival = { ...theirs, author: ada };
      const isNew = { kind: "new", strippedToken: "t" };
      expect(identify(arrival, null, { ...pending, posted }, bot)).toEqual(isNew);
      expect(identify(arrival, null, { ...bound, posted }, bot)).toEqual(isNew);
    });

    it.each([
      ["the only one is what the lane is bound to", { made: ["5"] }],
      ["the resource of the second one was seen too", { times: 2, made: ["5", "6"] }],
    ])("is a copy by the author's own hand, and new, where %s", (_where, changes) => {
      expect(identify(theirs, null, having(changes), bot)).toMatchObject({ kind: "new" });
    });

    it.each([
      ["surplus", "shortly after it", at(15 * 60)],
      ["new", "long after it, so by hand", at(15 * 60 + 1)],
    ])("is %s where a second one was not seen and it was made %s", (kind, _when, createdAt) => {
      const twice = having({ times: 2, made: ["5"] });
      expect(identify({ ...theirs, createdAt }, null, twice, bot)).toMatchObject({ kind });
    });

    it("is surplus where the account wrote what the lane is bound to, and theirs was not seen", () => {
      const lane = { ...bound, posted };
      expect(identify(theirs, null, lane, bot)).toEqual({
        kind: "surplus",
        of: id,
        isProven: true,
      });
    });

    it("is new where it says something else than any that left, so somebody wrote it by hand", () => {
      const twice = having({ times: 2, made: ["5"] });
      const arrival = { ...theirs, said: "other words" };
      expect(identify(arrival, null, twice, bot)).toMatchObject({ kind: "new" });
    });

    it("stays surplus once it was taken for that, whatever it says later", () => {
      const twice = having({ times: 2, made: ["5", "7"] });
      const arrival = { ...theirs, said: "edited", createdAt: at(3_600) };
      expect(identify(arrival, null, twice, bot)).toEqual({
        kind: "surplus",
        of: id,
        isProven: true,
      });
    });

    it("is never surplus where nobody tells when it was made, or what it says", () => {
      const twice = having({ times: 2, made: ["5"] });
      const { createdAt: _, ...timeless } = theirs;
      const { said: _said, ...wordless } = theirs;
      expect(identify(timeless, null, twice, bot)).toMatchObject({ kind: "new" });
      expect(identify(wordless, null, twice, bot)).toMatchObject({ kind: "new" });
    });

    it("notes for the lane that its resource is the author's, by the first look only", () => {
      const intent = { token: "t", since: at(0), tokenless: false, posted };
      const lane = anUnseenLane({ recordId: "7", intent });
      const seen = anObservation({ title: "T" }, 1, { author: mona });
      const learned = learnIdentity(lane, seen);
      const authors = [{ ...writer, made: ["42"] }];
      expect(learned.intent?.posted).toEqual({ ...posted, authors, byAuthor: mona.id });
      const byAccount = learnIdentity(lane, { ...seen, author: bot });
      expect(byAccount.intent?.posted).toEqual(posted);
      expect(learnIdentity(byAccount, seen).intent?.posted).toEqual(posted);
    });
  });
});

describe("resources that creates have made, once the lane's resource has another id", () => {
  const by = (times: number, ...made: string[]) => ({ times, said: ["s"], made });
  const posted = {
    at: at(0),
    account: by(2, "5", "6"),
    authors: [
      { ...mona, ...by(1, "5") },
      { ...ada, ...by(1, "8") },
    ],
    byAuthor: mona.id,
  };

  it("is the new id, by whom made the old one; the other ids are nobody's any more", () => {
    expect(madeAnew(posted, "5", "50")).toEqual({
      ...posted,
      account: by(2, "50"),
      authors: [
        { ...mona, ...by(1, "50") },
        { ...ada, ...by(1) },
      ],
    });
  });

  it("is nothing that is known while the new id is not", () => {
    const { account, authors } = madeAnew(posted, "5", null);
    expect([account, ...authors].map((one) => one?.made)).toEqual([[], [], []]);
  });

  it("stays as it was where the lane had no resource before", () => {
    expect(madeAnew(posted, null, "50")).toBe(posted);
  });

  it("is the authors' alone where the account has sent nothing", () => {
    const { account: _, ...byAuthors } = posted;
    expect(madeAnew(byAuthors, "5", "50")).not.toHaveProperty("account");
  });
});
