/** A server that knows repositories by their name only, as some that imitate GitHub do. */
import { describe, expect, test } from "vitest";
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import type { GitHubSimulator } from "../../../src/testing/github/index.ts";
import { comment, connectTo, failureOf, givenSite, issue, observationsOf, SITE } from "./given.ts";

/** Below a number nothing is found; the list of a repository's comments is missing as well. */
function knowingNamesOnly(sim: GitHubSimulator): typeof globalThis.fetch {
  return (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : String(input));
    if (/^\/repositories\/\d+\/./.test(pathname) || pathname.endsWith("/issues/comments")) {
      return Promise.resolve(Response.json({ message: "Not Found" }, { status: 404 }));
    }
    return sim.fetch(input, init);
  };
}

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
});
