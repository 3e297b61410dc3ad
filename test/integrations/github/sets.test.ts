/** Sets of an issue leave element by element, and reads are conditional by the token that they were made with. */
import { describe, expect, test } from "vitest";
import { failureOf, givenSite, issue, SITE } from "./given.ts";

const set = (added: readonly string[], removed: readonly string[] = []) => ({ added, removed });

function givenIssue() {
  const given = givenSite();
  given.sim.createUser({ login: "hubot" });
  given.sim.as("mona").openIssue(SITE, { title: "Broken link", labels: ["bug", "old"] });
  given.sim.clearRequests();
  const asked = () =>
    given.sim.requests.map(({ method, path }) => `${method} ${path.replace(/^.*\/issues/, "")}`);
  return { ...given, asked };
}

describe("sets", () => {
  test("are changed by what is added and removed: the rest stays", async () => {
    const { sim, site, asked } = givenIssue();
    sim.as("mona").addLabel(SITE, 1, "theirs");
    const labels = set(["a11y", "design"], ["old"]);
    const changed = await site.patch(issue(1), {}, { labels, assignees: set(["hubot"]) }, null);
    expect(changed.content).toMatchObject({
      labels: ["a11y", "bug", "design", "theirs"],
      assignees: ["hubot"],
    });
    expect(asked()).toEqual(["POST /1/labels", "DELETE /1/labels/old", "POST /1/assignees"]);
    const without = { assignees: set([], ["hubot"]) };
    expect((await site.patch(issue(1), {}, without, null)).content).toMatchObject({
      assignees: [],
    });
  });

  test("follow the values, which may be refused before anything is changed", async () => {
    const { sim, site, asked } = givenIssue();
    const labels = set(["a11y"]);
    const changed = await site.patch(issue(1), { title: "Mended" }, { labels }, null);
    expect(changed.content).toMatchObject({ title: "Mended", labels: ["a11y", "bug", "old"] });
    expect(asked()).toEqual(["PATCH /1", "POST /1/labels"]);
    const refused = await failureOf(site.patch(issue(1), { title: "" }, { labels }, null));
    expect(refused).toMatchObject({ status: 422, applied: "no" });
    expect(sim.calls({ method: "POST" })).toBe(1);
  });

  test("show what was changed though the read that follows lags behind", async () => {
    const { sim, clock, site } = givenIssue();
    clock.advance(60_000);
    sim.faults.api.staleReads = { rate: 1, lagMs: { min: 30_000, max: 30_000 } };
    const changed = await site.patch(issue(1), {}, { labels: set(["a11y"], ["old"]) }, null);
    expect(changed.content?.labels).toEqual(["a11y", "bug"]);
  });

  test("a label that somebody else took off is as it should be", async () => {
    const { site } = givenIssue();
    const changed = await site.patch(issue(1), {}, { labels: set([], ["gone", "old"]) }, null);
    expect(changed.content?.labels).toEqual(["bug"]);
  });

  test("names with a slash have an address", async () => {
    const { sim, site } = givenIssue();
    sim.as("mona").addLabel(SITE, 1, "area/ui %2e?");
    const changed = await site.patch(issue(1), {}, { labels: set([], ["area/ui %2e?"]) }, null);
    expect(changed.content?.labels).toEqual(["bug", "old"]);
  });

  test.each([".", ".."])(
    "a label called %s is never removed: its address is another",
    async (name) => {
      const { sim, site } = givenIssue();
      const labels = set([], ["old", name]);
      expect(await failureOf(site.patch(issue(1), {}, { labels }, null))).toMatchObject({
        code: "unaddressable_label",
        applied: "no",
      });
      expect(sim.issue(SITE, 1)?.labels).toEqual(["bug", "old"]);
    },
  );

  test("a failure after something was changed says that its outcome is unknown", async () => {
    const { sim, site } = givenIssue();
    sim.failNext({ method: "DELETE", with: 422 });
    const labels = set(["a11y"], ["old"]);
    expect(await failureOf(site.patch(issue(1), {}, { labels }, null))).toMatchObject({
      kind: "permanent",
      applied: "unknown",
    });
    sim.failNext({ method: "GET", with: 404 });
    const more = { labels: set(["more"]) };
    expect(await failureOf(site.patch(issue(1), {}, more, null))).toMatchObject({
      kind: "not_found",
      applied: "unknown",
    });
  });
});

describe("a failure after something was changed", () => {
  test("is the same failure but for its outcome", async () => {
    const { sim, site } = givenIssue();
    const labels = set(["a11y"], ["old"]);
    sim.failNext({ method: "DELETE", with: "secondary-limit" });
    const limited = await failureOf(site.patch(issue(1), {}, { labels }, null));
    const { cause } = limited;
    expect(cause).toMatchObject({ kind: "rate_limited", applied: "no" });
    const { code, message, hint, status, requestId, moved } = cause as typeof limited;
    expect(limited).toMatchObject({
      ...{ kind: "rate_limited", applied: "unknown", retryAfterMs: 60_000 },
      ...{ code, message, hint, status, requestId, moved },
    });
    expect([message, hint, requestId].every((text) => text !== "" && text !== null)).toBe(true);
  });

  test("keeps the address to which the issue was transferred", async () => {
    const { sim, site } = givenIssue();
    sim.createRepository({ owner: "acme", name: "app" });
    const hold = sim.holdNext({ method: "DELETE" });
    const failure = failureOf(site.patch(issue(1), {}, { labels: set(["a11y"], ["old"]) }, null));
    await hold.arrived;
    const { number } = sim.as("acme").transferIssue(SITE, 1, "acme/app");
    hold.release();
    const { id } = sim.repository("acme/app");
    expect(await failure).toMatchObject({
      kind: "moved",
      applied: "unknown",
      moved: { to: { containerId: String(id), externalId: String(number) } },
    });
  });
});

describe("a read after a change of labels that GitHub refuses", () => {
  test.each([403, 429, 503])(
    "leaves what the labels were answered with, at the time of that answer: %i",
    async (status) => {
      const { sim, site } = givenIssue();
      sim.as("mona").addLabel(SITE, 1, "theirs");
      sim.failNext({ method: "GET", with: status });
      const changed = await site.patch(issue(1), {}, { labels: set(["a11y"], ["old"]) }, null);
      expect(changed.content).toEqual({ labels: ["a11y", "bug", "theirs"] });
      expect(changed.validator).toBeUndefined();
      expect(changed.updatedAt).toBe((await site.read(issue(1))).updatedAt);
    },
  );

  test.each([404, 410])("is told where it says that the issue is gone: %i", async (status) => {
    const { sim, site } = givenIssue();
    sim.failNext({ method: "GET", with: status });
    const labels = set(["a11y"]);
    expect(await failureOf(site.patch(issue(1), {}, { labels }, null))).toMatchObject({
      applied: "unknown",
      status,
    });
  });
});

describe("a conditional read", () => {
  test("says unchanged, and is free, until something has changed", async () => {
    const { sim, site } = givenIssue();
    const first = await site.readIfChanged(issue(1), null);
    if (first === "unchanged") throw new Error("nothing was known");
    const left = sim.requests.length;
    expect(await site.readIfChanged(issue(1), first.validator ?? null)).toBe("unchanged");
    expect(sim.requests[left]?.status).toBe(304);
    sim.as("mona").addLabel(SITE, 1, "theirs");
    expect(await site.readIfChanged(issue(1), first.validator ?? null)).toMatchObject({
      content: { labels: ["bug", "old", "theirs"] },
    });
  });

  test("takes the answer to our own change for a read", async () => {
    const { site } = givenIssue();
    const { validator = null } = await site.patch(issue(1), { title: "Mended" }, {}, null);
    expect(await site.readIfChanged(issue(1), validator)).toBe("unchanged");
    const after = await site.patch(issue(1), {}, { labels: set(["a11y"]) }, null);
    expect(after.validator).toBeUndefined();
  });

  test("is not made conditional by another token's validator, and gives no token away", async () => {
    const { sim, site } = givenIssue();
    const first = await site.readIfChanged(issue(1), null);
    const validator = first === "unchanged" ? "" : (first.validator ?? "");
    expect(validator).not.toContain("t0ken");
    const others = validator.replace(/^\S+/, "0123456789ab");
    expect(await site.readIfChanged(issue(1), others)).not.toBe("unchanged");
    expect(await site.readIfChanged(issue(1), "nonsense")).not.toBe("unchanged");
    expect(sim.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});
