/** The same over a socket, where redirects, streams and refused connections are Node's own. */
import { expect, test } from "vitest";
import { connectTo, failureOf, givenSite, issue, SITE } from "../given.ts";

test("an account reaches a server over HTTP", async () => {
  const { clock, sim } = givenSite();
  sim.as("mona").openIssue(SITE, { title: "Broken link" });
  sim.renameRepository(SITE, "www");
  const server = await sim.listen();
  const account = connectTo(fetch, clock, { token: "t0ken", baseUrl: server.url });

  const found = await account.findContainer(SITE);
  expect(found).toEqual({ id: String(sim.repository("acme/www").id), name: "acme/www" });
  const site = account.container(found);
  expect(await site.patch(issue(1), { title: "Mended" }, {}, null)).toMatchObject({
    content: { title: "Mended" },
  });
  sim.failNext({ with: "lost-answer" });
  expect(await failureOf(site.patch(issue(1), { state: "closed" }, {}, null))).toMatchObject({
    code: "connection_lost",
    applied: "unknown",
  });
  expect(sim.issue("acme/www", 1)?.state).toBe("closed");

  await server.close();
});

test("an account finds no server where none listens", async () => {
  const { clock, sim } = givenSite();
  const server = await sim.listen();
  await server.close();
  const account = connectTo(fetch, clock, { token: "t0ken", baseUrl: server.url });
  const site = account.container({ id: "42", name: SITE });
  expect(await failureOf(site.patch(issue(1), { title: "Late" }, {}, null))).toMatchObject({
    code: "unreachable",
    applied: "no",
  });
});
