/** A server that knows repositories by their name only, as some that imitate GitHub do. */
import { describe, expect, test } from "vitest";
import type { Observation } from "../../../src/model/observation.ts";
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import type { GitHubSimulator } from "../../../src/testing/github/index.ts";
import {
  alwaysAnswering,
  comment,
  connectTo,
  failureOf,
  givenSite,
  issue,
  observationsOf,
  pagesOf,
  SITE,
} from "./given.ts";
import { knowingNamesOnly } from "./given-names-only.ts";

function givenSiteByName() {
  const { clock, sim } = givenSite();
  const { id } = sim.repository(SITE);
  const account = connectTo(knowingNamesOnly(sim), clock, { token: "t0ken" });
  const names: (string | undefined)[] = [];
  account.onTelemetry(({ containerName }) => {
    if (containerName !== undefined) names.push(containerName);
  });
  const open = () => account.container({ id: String(id), name: SITE });
  return { clock, sim, names, open, site: open() };
}

function pathsOf(sim: GitHubSimulator): string[] {
  return sim.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, "")}`);
}

function passMinutes(clock: VirtualClock, minutes: number): void {
  clock.advance(minutes * 60_000);
}

describe("a repository whose number leads nowhere", () => {
  test("is read and written by its name, which is looked up before each write", async () => {
    const { sim, site } = givenSiteByName();
    const values = { title: "Broken link" };
    await site.create({ type: "issue", values, parent: null, token: "k3J9" });
    expect(pathsOf(sim)).toEqual([
      "GET /repos/acme/site",
      "GET /repos/acme/site",
      "POST /repos/acme/site/issues",
    ]);
    await site.read(issue(1));
    await site.patch(issue(1), { title: "Mended" }, {}, null);
    expect(pathsOf(sim).slice(3)).toEqual([
      "GET /repos/acme/site/issues/1",
      "GET /repos/acme/site",
      "PATCH /repos/acme/site/issues/1",
    ]);
  });

  test("is looked up at most once a minute for reads, by all clients of an account", async () => {
    const { clock, sim, open } = givenSiteByName();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    for (let read = 0; read < 3; read += 1) await open().read(issue(1));
    expect(pathsOf(sim).filter((path) => path === "GET /repos/acme/site")).toHaveLength(1);
    passMinutes(clock, 1);
    await open().read(issue(1));
    expect(pathsOf(sim).filter((path) => path === "GET /repos/acme/site")).toHaveLength(2);
  });

  test("is followed to its new name, which is told once", async () => {
    const { sim, site, names } = givenSiteByName();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    await site.read(issue(1));
    sim.renameRepository(SITE, "www");
    await site.patch(issue(1), { title: "Mended" }, {}, null);
    expect(sim.issue("acme/www", 1)?.title).toBe("Mended");
    expect(names).toEqual(["acme/www"]);
  });

  test("is found by its id where another has its name, and the other is not written to (S41)", async () => {
    const { sim, site } = givenSiteByName();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    await site.read(issue(1));
    sim.renameRepository(SITE, "www");
    sim.createRepository({ owner: "acme", name: "site" });
    sim.as("mona").openIssue(SITE, { title: "Another's" });
    await site.patch(issue(1), { title: "Mended" }, {}, null);
    expect(sim.issue(SITE, 1)?.title).toBe("Another's");
    expect(sim.issue("acme/www", 1)?.title).toBe("Mended");
  });

  test("has comments that are listed issue by issue, where the list of all is missing", async () => {
    const { clock, sim, site } = givenSiteByName();
    const mona = sim.as("mona");
    for (const title of ["A", "B", "C"]) mona.openIssue(SITE, { title });
    const first = mona.comment(SITE, 1, "On A");
    passMinutes(clock, 1);
    const since = clock.now();
    const second = mona.comment(SITE, 3, "On C");
    const all = await observationsOf(site, { type: "issue_comment" });
    expect(all.map(({ externalId }) => externalId)).toEqual([String(first.id), String(second.id)]);
    const later = await observationsOf(site, { type: "issue_comment", since });
    expect(later).toMatchObject([{ content: { body: "On C" }, parent: issue(3) }]);
  });

  test("has all its comments in one page, oldest change first, a comment of this instant too", async () => {
    const { clock, sim, site } = givenSiteByName();
    const mona = sim.as("mona");
    for (const title of ["A", "B"]) mona.openIssue(SITE, { title });
    mona.closeIssue(SITE, 1);
    const { number } = mona.openPullRequest(SITE, { title: "Mend the link" });
    mona.comment(SITE, number, "On the pull request");
    const onB = mona.comment(SITE, 2, "On B");
    passMinutes(clock, 1);
    const onA = mona.comment(SITE, 1, "On A, which is closed");
    passMinutes(clock, 1);
    const since = clock.now();
    const again = mona.comment(SITE, 2, "On B again");
    sim.clearRequests();
    const [page, ...more] = await pagesOf(site, { type: "issue_comment" });
    expect(more).toEqual([]);
    expect(page).toEqual({
      observations: [onB, onA, again].map(
        ({ id }) => expect.objectContaining({ externalId: String(id) }) as Observation,
      ),
      unchanged: false,
      etag: null,
      readAt: clock.now(),
      last: true,
      cursor: null,
      pagesLeft: 0,
    });
    // An issue without comments is not asked for them, and neither is a pull request.
    const asked = pathsOf(sim).filter((path) => /issues\/\d+\/comments$/.test(path));
    expect(new Set(asked)).toEqual(
      new Set([1, 2].map((issue) => `GET /repos/acme/site/issues/${String(issue)}/comments`)),
    );
    expect(await observationsOf(site, { type: "issue_comment", since })).toHaveLength(1);
  });

  test("is looked up again if its name was given up since the last lookup", async () => {
    const { sim, site } = givenSiteByName();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    await site.read(issue(1));
    sim.renameRepository(SITE, "www");
    sim.createRepository({ owner: "acme", name: "site" });
    // The repository that has the name by now has no such issue.
    expect(await failureOf(site.read(issue(1)))).toMatchObject({ kind: "not_found" });
    expect(await site.read(issue(1))).toMatchObject({ content: { title: "Broken link" } });
  });

  test("is not written to while its name cannot be looked up", async () => {
    const { sim, site } = givenSiteByName();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    await site.read(issue(1));
    sim.clearRequests();
    sim.failNext({ path: "/repos/acme/site", with: 503 });
    const failure = await failureOf(site.patch(issue(1), { title: "Mended" }, {}, null));
    expect(failure).toMatchObject({ code: "server_error", applied: "no" });
    expect(pathsOf(sim)).toEqual(["GET /repos/acme/site"]);
  });

  test("is taken for missing only where its name is missing, too", async () => {
    const { sim, site } = givenSiteByName();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.failNext({ path: "/repos/acme/site", with: 503 });
    expect(await failureOf(site.read(issue(1)))).toMatchObject({ code: "server_error" });
    expect(await site.read(issue(1))).toMatchObject({ externalId: "1" });
  });

  test("answers what is missing as missing", async () => {
    const { site } = givenSiteByName();
    expect(await failureOf(site.read(comment(404)))).toMatchObject({ kind: "not_found" });
  });
});

describe("a repository whose number leads to it", () => {
  test("is never asked for by name, whatever is missing in it", async () => {
    const { sim, site } = givenSite();
    expect(await failureOf(site.read(issue(9)))).toMatchObject({ kind: "not_found" });
    expect(await failureOf(site.read(issue(9)))).toMatchObject({ kind: "not_found" });
    expect(pathsOf(sim).filter((path) => path.includes("/repos/"))).toEqual([]);
    expect(pathsOf(sim)).toHaveLength(3);
  });

  test("has no list of comments where GitHub has none, and no issue is asked for its own", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.as("mona").comment(SITE, 1, "Here it is.");
    await site.read(issue(1));
    sim.failNext({ path: /issues\/comments$/, with: 404 });
    expect(await failureOf(observationsOf(site, { type: "issue_comment" }))).toMatchObject({
      kind: "not_found",
    });
    expect(pathsOf(sim)).toHaveLength(2);
  });
});

describe("a repository that nothing leads to", () => {
  const gone = { status: 404, headers: { "x-github-request-id": "C0FFEE" } };

  test("is missing", async () => {
    const fetch = alwaysAnswering('{"message":"Not Found"}', gone);
    const { clock } = givenSite();
    const site = connectTo(fetch, clock, { token: "t" }).container({ id: "42", name: SITE });
    expect(await failureOf(site.read(issue(1)))).toMatchObject({
      kind: "not_found",
      message: expect.stringContaining("/repositories/42/issues/1") as string,
    });
  });

  test("is not mistaken for another, though a server shows it under the number", async () => {
    const { clock } = givenSite();
    const site = connectTo(
      (input) => {
        const { pathname } = new URL(input instanceof Request ? input.url : String(input));
        const found = pathname === "/repositories/42";
        const body = found ? { id: 7, full_name: "acme/other" } : { message: "Not Found" };
        const headers = { "x-github-request-id": "C0FFEE" };
        return Promise.resolve(Response.json(body, { status: found ? 200 : 404, headers }));
      },
      clock,
      { token: "t" },
    ).container({ id: "42", name: SITE });
    expect(await failureOf(site.read(issue(1)))).toMatchObject({
      kind: "retryable",
      code: "malformed_answer",
      message: expect.stringContaining("it is about repository 7, not 42") as string,
      status: 200,
      requestId: "C0FFEE",
    });
  });
});
