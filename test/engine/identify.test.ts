import { describe, expect, it } from "vitest";
import { identify } from "../../src/engine/identify.ts";
import { laneId } from "../../src/model/ids.ts";
import { ada, bot } from "./builders.ts";

const id = laneId("1");
const other = laneId("2");
const pending = { id, externalId: null };
const bound = { id, externalId: "5" };

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

  it("is surplus when it is ours and the create has its resource: a late POST landed", () => {
    const arrival = { externalId: "7", token: "t", author: bot };
    expect(identify(arrival, null, bound, bot)).toEqual({ kind: "surplus", of: id });
  });

  it("is new when somebody else's copy carries the token of a create that has its resource", () => {
    const arrival = { externalId: "7", token: "t", author: ada };
    expect(identify(arrival, null, bound, bot)).toEqual({ kind: "new", strippedToken: "t" });
  });

  it.each([
    ["we do not know who we are", bot, null],
    ["nobody tells who wrote it", null, bot],
  ])("is never surplus while %s, for what is surplus gets closed", (_why, author, identity) => {
    const arrival = { externalId: "7", token: "t", author };
    expect(identify(arrival, null, bound, identity)).toEqual({ kind: "new", strippedToken: "t" });
  });

  it("is the token's lane when that is bound to this very resource", () => {
    const arrival = { externalId: "5", token: "t", author: ada };
    expect(identify(arrival, null, bound, bot)).toEqual({ kind: "lane", id });
  });
});
