/** Lists: what changed since, oldest first, page by page, and nothing missed. */
import { describe, expect, test } from "vitest";
import { nextLink } from "../../../src/integrations/github/listing.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import {
  alwaysAnswering,
  connectTo,
  failureOf,
  givenSite,
  observationsOf,
  pagesOf,
  SITE,
  type Story,
} from "./given.ts";

/** Issues 1 to `count`, each opened `apart` milliseconds after the one before. */
function openIssues({ clock, sim }: Story, count: number, apart: number): void {
  for (let number = 1; number <= count; number += 1) {
    sim.as("mona").openIssue(SITE, { title: `Issue ${String(number)}` });
    clock.advance(apart);
  }
}

const ALL_ISSUES = { type: "issue", since: null, etag: null } as const;

function cursorTo(url: string, since: string | null = null): string {
  return JSON.stringify({ url, since, told: [] });
}

const numbersTo = (count: number): string[] =>
  Array.from({ length: count }, (_none, index) => String(index + 1));

describe("a listing of issues", () => {
  test("is empty where there are none, and says that it ended", async () => {
    const { clock, site } = givenSite();
    expect(await pagesOf(site)).toMatchObject([
      { observations: [], unchanged: false, last: true, readAt: clock.now() },
    ]);
  });

  test("shows open and closed ones, in the order of their last change, and no pull request", async () => {
    const story = givenSite();
    openIssues(story, 3, 1_000);
    story.sim.as("mona").openPullRequest(SITE, { title: "Mend the link" });
    story.sim.as("mona").closeIssue(SITE, 1);
    const listed = await observationsOf(story.site);
    expect(listed.map(({ externalId }) => externalId)).toEqual(["2", "3", "1"]);
  });

  test("begins where it is told to", async () => {
    const story = givenSite();
    openIssues(story, 3, 1_000);
    const [, second] = await observationsOf(story.site);
    const listed = await observationsOf(story.site, { since: second?.updatedAt ?? null });
    expect(listed.map(({ externalId }) => externalId)).toEqual(["2", "3"]);
  });

  test("goes over pages and tells each issue once", async () => {
    const story = givenSite();
    openIssues(story, 250, 700);
    const pages = await pagesOf(story.site);
    const numbers = pages.flatMap((page) => page.observations.map(({ externalId }) => externalId));
    expect(numbers).toEqual(numbersTo(250));
    expect(pages.map(({ last }) => last)).toEqual([false, false, true]);
    expect(pages.map(({ pagesLeft }) => pagesLeft)).toEqual([2, 1, 0]);
  });

  test("goes over pages whose issues all changed within one second", async () => {
    const story = givenSite();
    openIssues(story, 250, 0);
    const listed = await observationsOf(story.site);
    expect(listed.map(({ externalId }) => externalId)).toEqual(numbersTo(250));
    expect(story.sim.calls()).toBe(3);
  });

  test("misses nothing that moves while it pages", async () => {
    const story = givenSite();
    openIssues(story, 150, 1_000);
    const seen = new Map<string, unknown>();
    for await (const page of story.site.list({ type: "issue", since: null, etag: null })) {
      for (const { externalId, content } of page.observations) seen.set(externalId, content?.title);
      // An issue of the first page jumps to the end, and the second page moves up.
      if (seen.size === 100) story.sim.as("mona").editIssue(SITE, 5, { title: "Edited" });
    }
    expect([...seen.keys()].sort((a, b) => Number(a) - Number(b))).toEqual(numbersTo(150));
    expect(seen.get("5")).toBe("Edited");
  });

  test("is unchanged where its validator still holds, which costs nothing", async () => {
    const story = givenSite();
    openIssues(story, 2, 1_000);
    const [first] = await pagesOf(story.site);
    const etag = first?.etag ?? null;
    expect(etag).toMatch(/"/);
    expect(await pagesOf(story.site, { etag })).toMatchObject([
      { observations: [], unchanged: true, etag, last: true },
    ]);
    story.sim.as("mona").closeIssue(SITE, 1);
    expect(await pagesOf(story.site, { etag })).toMatchObject([{ unchanged: false }]);
  });

  test("with several pages gives out no validator, since the first page's would hide the others", async () => {
    const story = givenSite();
    openIssues(story, 101, 1_000);
    expect((await pagesOf(story.site)).map(({ etag }) => etag)).toEqual([null, null]);
  });

  test("deletes nothing if the repository's issues are switched off", async () => {
    const { account, sim } = givenSite();
    const { id, fullName } = sim.createRepository({
      owner: "acme",
      name: "wiki",
      hasIssues: false,
    });
    const wiki = account.container({ id: String(id), name: fullName });
    expect(await failureOf(pagesOf(wiki))).toMatchObject({ code: "issues_disabled" });
  });
});

describe("a listing that another process goes on with", () => {
  /** Page by page, each by the cursor of the one before. */
  async function numbersByCursor(site: Story["site"], from: string | null): Promise<string[]> {
    const numbers: string[] = [];
    let cursor = from;
    do {
      const pages = site.list({ type: "issue", since: null, etag: null, cursor });
      const next = await pages[Symbol.asyncIterator]().next();
      if (next.done === true) throw new Error("a listing without a page");
      numbers.push(...next.value.observations.map(({ externalId }) => externalId));
      ({ cursor } = next.value);
    } while (cursor !== null);
    return numbers;
  }

  test.each([
    ["one after another", 700],
    ["within one second", 0],
  ])("shows each issue once, where they changed %s", async (_how, apart) => {
    const story = givenSite();
    openIssues(story, 250, apart);
    expect(await numbersByCursor(story.site, null)).toEqual(numbersTo(250));
    expect(story.sim.calls()).toBe(3);
  });

  test("reads on where a cursor of a former version leads, which names the whole address", async () => {
    const story = givenSite();
    openIssues(story, 150, 0);
    const { id } = story.sim.repository(SITE);
    const url = `https://api.github.com/repositories/${String(id)}/issues?state=all&sort=updated&direction=asc&per_page=100&page=2`;
    const cursor = JSON.stringify({ url, since: null, told: [] });
    expect(await numbersByCursor(story.site, cursor)).toEqual(numbersTo(150).slice(100));
  });

  test.each([
    ["is none of ours", "yesterday"],
    ["leads to another host", cursorTo("https://elsewhere.example/repositories/1/issues?page=2")],
    [
      "leads to another repository",
      cursorTo("https://api.github.com/repositories/1/issues?page=2"),
    ],
    ["has a time that is none", cursorTo("/issues?page=2", "yesterday")],
  ])("begins again if its cursor %s", async (_what, cursor) => {
    const story = givenSite();
    openIssues(story, 3, 1_000);
    expect(await numbersByCursor(story.site, cursor)).toEqual(numbersTo(3));
  });
});

describe("a listing of comments", () => {
  test("shows each with the issue it belongs to", async () => {
    const { sim, site } = givenSite();
    const mona = sim.as("mona");
    mona.openIssue(SITE, { title: "Broken link" });
    mona.comment(SITE, 1, "Here it is.");
    mona.comment(SITE, 1, "And here.");
    expect(await observationsOf(site, { type: "issue_comment" })).toMatchObject([
      { content: { body: "Here it is." }, parent: { type: "issue", externalId: "1" } },
      { content: { body: "And here." }, parent: { type: "issue", externalId: "1" } },
    ]);
  });

  test("shows none on a pull request, which only its page tells", async () => {
    const onPullRequest = {
      id: 99,
      body: "Nice patch.",
      user: { id: 1, login: "mona" },
      html_url: "https://github.com/acme/pull/pull/2#issuecomment-99",
      issue_url: "https://api.github.com/repos/acme/pull/issues/2",
      updated_at: "2026-03-02T09:00:00Z",
    };
    const onIssue = {
      ...onPullRequest,
      id: 98,
      html_url: "https://github.com/acme/pull/issues/1#issuecomment-98",
      issue_url: "https://api.github.com/repos/acme/pull/issues/1",
    };
    const fetch = alwaysAnswering(JSON.stringify([onPullRequest, onIssue]));
    const account = connectTo(fetch, new VirtualClock(), { token: "t" });
    const repository = account.container({ id: "42", name: "acme/pull" });
    expect(await observationsOf(repository, { type: "issue_comment" })).toMatchObject([
      { externalId: "98", parent: { externalId: "1" } },
    ]);
  });
});

describe("the link to the next page", () => {
  test("does not say how many pages follow where it names no last one", async () => {
    const next = "https://api.github.com/repositories/42/issues?page=2";
    const headers = { link: `<${next}>; rel="next"` };
    const account = connectTo(alwaysAnswering("[]", { headers }), new VirtualClock(), {
      token: "t",
    });
    const pages = account.container({ id: "42", name: SITE }).list(ALL_ISSUES);
    const { value } = await pages[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ last: false, pagesLeft: null });
  });

  const to = (page: string, relation: string) =>
    `<https://api.github.com/repositories/42/issues?page=${page}>; rel="${relation}"`;
  test.each([
    ["next and last", `${to("2", "next")}, ${to("5", "last")}`, 4],
    ["the last page as the next one", `${to("5", "next")}, ${to("5", "last")}`, 1],
    ["a next page without a number", `${to("x", "next")}, ${to("5", "last")}`, null],
    ["a last page without a number", `${to("2", "next")}, ${to("", "last")}`, null],
    ["a last page before the first", `${to("2", "next")}, ${to("0", "last")}`, null],
    ["half a page", `${to("2", "next")}, ${to("5.5", "last")}`, null],
    ["a last page that is no address", `${to("2", "next")}, <5>; rel="last"`, null],
    ["a last page only", to("5", "last"), 0],
    ["no page", "", 0],
  ])("says how many pages follow by %s", async (_what, link, pagesLeft) => {
    const fetch = alwaysAnswering("[]", { headers: { link } });
    const account = connectTo(fetch, new VirtualClock(), { token: "t" });
    const pages = account.container({ id: "42", name: SITE }).list(ALL_ISSUES);
    const { value } = await pages[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ pagesLeft });
  });

  test("is followed on the same API only", async () => {
    const headers = { link: '<https://evil.example/issues?page=2>; rel="next"' };
    const account = connectTo(alwaysAnswering("[]", { headers }), new VirtualClock(), {
      token: "t",
    });
    const failure = await failureOf(pagesOf(account.container({ id: "42", name: SITE })));
    expect(failure).toMatchObject({ kind: "retryable", code: "foreign_address" });
  });

  test.each([
    ['<https://a.b/c?page=2>; rel="next"', "https://a.b/c?page=2"],
    [
      '<https://a.b/1>; rel="prev", <https://a.b/3>; rel="next", <https://a.b/9>; rel="last"',
      "https://a.b/3",
    ],
    ["<https://a.b/3>; rel=next", "https://a.b/3"],
    ['<https://a.b/3>; title="next"; rel="last"', null],
    ['<https://a.b/3>; rel="next-archive"', null],
    ["", null],
    [undefined, null],
  ])("is read out of %j", (header, next) => {
    expect(nextLink(header)).toBe(next);
  });
});
