/** Reading and writing the issues and comments of one repository. */
import { describe, expect, test } from "vitest";
import type { Observation } from "../../../src/model/observation.ts";
import { comment, failureOf, givenSite, issue, SITE } from "./given.ts";

const NEW_ISSUE = { type: "issue", parent: null, token: "k3J9" };

describe("an issue that Tandem opens", () => {
  test("carries the token where nobody sees it, and comes back as it was sent", async () => {
    const { sim, site } = givenSite();
    const values = {
      title: "Broken link",
      body: "On the\nhome page.",
      labels: ["bug"],
      assignees: [],
    };
    const opened = await site.create({ ...NEW_ISSUE, values });
    expect(opened).toMatchObject({
      type: "issue",
      externalId: "1",
      token: "k3J9",
      author: { login: "tandem[bot]" },
      content: { ...values, state: "open" },
    });
    expect(sim.issue(SITE, 1)?.body).toBe("On the\nhome page.\n\n<!-- tandem:k3J9 -->");
    expect(sim.calls({ writes: true })).toBe(1);
  });

  test("carries the token even without a body", async () => {
    const { sim, site } = givenSite();
    const opened = await site.create({ ...NEW_ISSUE, values: { title: "Broken link" } });
    expect(opened).toMatchObject({ token: "k3J9", content: { body: "" } });
    expect(sim.issue(SITE, 1)?.body).toBe("<!-- tandem:k3J9 -->");
  });

  test("is opened all the same where its body leaves no room for the token", async () => {
    const { site } = givenSite();
    const body = "x".repeat(65_536);
    const opened = await site.create({ ...NEW_ISSUE, values: { title: "Long", body } });
    expect(opened.token).toBeNull();
    expect(opened.content?.body).toBe(body);
  });

  test("keeps text that looks like a big integer of Octokit's", async () => {
    const { site } = givenSite();
    const values = { title: 'He said "5n', body: "12n", labels: ["7n"] };
    expect(await site.create({ ...NEW_ISSUE, values })).toMatchObject({ content: values });
  });

  test("is opened by one request, open, whatever state it is to have", async () => {
    const { sim, site } = givenSite();
    const values = { title: "Done already", state: "closed", state_reason: "not_planned" };
    const opened = await site.create({ ...NEW_ISSUE, values });
    expect(opened).toMatchObject({ token: "k3J9", content: { state: "open" } });
    expect(sim.calls({ writes: true })).toBe(1);
  });
});

describe("an issue that Tandem changes", () => {
  test("gets what is sent and keeps the rest, and its token stays at the end", async () => {
    const { sim, site } = givenSite();
    await site.create({ ...NEW_ISSUE, values: { title: "Broken link", body: "A" } });
    sim.as("mona").addLabel(SITE, 1, "bug");

    const changed = await site.patch(issue(1), { body: "B", state: "closed" }, {}, "k3J9");

    expect(changed.content).toMatchObject({
      title: "Broken link",
      body: "B",
      state: "closed",
      labels: ["bug"],
    });
    expect(sim.issue(SITE, 1)?.body).toBe("B\n\n<!-- tandem:k3J9 -->");
  });

  test("may be opened again", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.as("mona").closeIssue(SITE, 1);
    const values = { state: "open" };
    expect((await site.patch(issue(1), values, {}, null)).content).toMatchObject(values);
  });

  test("never gets another author", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    const author = { id: "1", login: "hubot" };
    await site.patch(issue(1), { title: "Mended", author }, {}, null);
    expect(JSON.parse(sim.requests.at(-1)?.body ?? "")).toEqual({ title: "Mended" });
  });

  test("keeps its link where it is a pull request (situation 42)", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    const { number } = sim.as("mona").openPullRequest(SITE, { title: "Mend the link" });
    const changed = await site.patch(issue(number), { title: "Mend all links" }, {}, null);
    expect(changed).toMatchObject({ externalId: "2", content: { title: "Mend all links" } });
    expect(await site.read(issue(number))).toMatchObject({ externalId: "2" });
  });
});

describe("an issue that is gone", () => {
  test("was deleted", async () => {
    const { sim, site } = givenSite();
    sim.as("acme").openIssue(SITE, { title: "Broken link" });
    sim.as("acme").deleteIssue(SITE, 1);
    expect(await failureOf(site.read(issue(1)))).toMatchObject({ kind: "gone", status: 410 });
  });

  test("was moved to another repository, where no write follows it", async () => {
    const { sim, site } = givenSite();
    sim.createRepository({ owner: "acme", name: "app" });
    sim.as("acme").openIssue(SITE, { title: "Broken link" });
    const { number } = sim.as("acme").transferIssue(SITE, 1, "acme/app");
    expect(await failureOf(site.read(issue(1)))).toMatchObject({ kind: "moved", status: 301 });
    const failure = await failureOf(site.patch(issue(1), { title: "Mended" }, {}, null));
    expect(failure).toMatchObject({ kind: "moved", applied: "no" });
    expect(sim.issue("acme/app", number)?.title).toBe("Broken link");
  });

  test("was never there, or is hidden", async () => {
    const { site } = givenSite();
    expect(await failureOf(site.read(issue(9)))).toMatchObject({ kind: "not_found", status: 404 });
  });

  test("is not gone where the repository's issues were only switched off", async () => {
    const { account, sim } = givenSite();
    const { id, fullName } = sim.createRepository({
      owner: "acme",
      name: "wiki",
      hasIssues: false,
    });
    const wiki = account.container({ id: String(id), name: fullName });
    expect(await failureOf(wiki.read(issue(1)))).toMatchObject({
      kind: "permanent",
      code: "issues_disabled",
    });
  });
});

describe("a repository that is renamed (situation 41)", () => {
  test("is still read and written, and its new name is told once", async () => {
    const { sim, site, telemetry } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.renameRepository(SITE, "www");

    expect(await site.read(issue(1))).toMatchObject({ externalId: "1" });
    await site.patch(issue(1), { title: "Mended" }, {}, null);

    expect(sim.issue("acme/www", 1)?.title).toBe("Mended");
    const names = telemetry.flatMap(({ containerId, containerName }) =>
      containerName === undefined ? [] : [[containerId, containerName]],
    );
    expect(names).toEqual([[String(sim.repository("acme/www").id), "acme/www"]]);
    expect(sim.requests.map(({ status }) => status)).toEqual([200, 200]);
  });

  test("is not mixed up with another that takes its old name", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.renameRepository(SITE, "www");
    sim.createRepository({ owner: "acme", name: "site" });
    sim.as("mona").openIssue(SITE, { title: "Another's" });
    expect(await site.read(issue(1))).toMatchObject({ content: { title: "Broken link" } });
  });
});

describe("a comment", () => {
  const write = { type: "issue_comment", parent: issue(1), token: "k3J9" };

  test("is written, read, changed and deleted", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });

    const written = await site.create({ ...write, values: { body: "Looking at it." } });
    const id = BigInt(written.externalId);
    expect(written).toMatchObject({
      type: "issue_comment",
      parent: issue(1),
      token: "k3J9",
      content: { body: "Looking at it.", author: { login: "tandem[bot]" } },
    } satisfies Partial<Record<keyof Observation, unknown>>);
    expect(await site.read(comment(id))).toMatchObject(written);

    const changed = await site.patch(comment(id), { body: "Found it." }, {}, "k3J9");
    expect(changed).toMatchObject({ token: "k3J9", content: { body: "Found it." } });

    await site.delete(comment(id));
    expect(sim.comments(SITE)).toEqual([]);
    expect(await failureOf(site.delete(comment(id)))).toMatchObject({ kind: "not_found" });
  });

  test("has an id beyond 2^53 (situation 14)", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.startIdsAt("comment", 9_007_199_254_740_993n);
    const written = await site.create({ ...write, values: { body: "Looking at it." } });
    expect(written.externalId).toBe("9007199254740993");
    expect(await site.read(comment(9_007_199_254_740_993n))).toMatchObject(written);
  });

  test("is not written without its issue", async () => {
    const { sim, site } = givenSite();
    const failure = await failureOf(site.create({ ...write, parent: null, values: { body: "?" } }));
    expect(failure).toMatchObject({
      kind: "permanent",
      code: "parent_missing",
      message: "A comment cannot be written without the issue it belongs to.",
      hint: expect.stringContaining("Please report it") as string,
      applied: "no",
    });
    expect(sim.calls()).toBe(0);
  });
});

describe("an issue whose record was deleted", () => {
  test("is closed as not planned, with a comment that says why", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    const closed = await site.close(issue(1), "Deleted in the app.");
    expect(closed.content).toMatchObject({ state: "closed", state_reason: "not_planned" });
    expect(sim.comments(SITE, 1).map(({ body }) => body)).toEqual(["Deleted in the app."]);
  });

  test("is closed though nobody may comment on it any more", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.failNext({ method: "POST", path: /comments$/, with: 403 });
    expect((await site.close(issue(1), "Deleted.")).content).toMatchObject({ state: "closed" });
  });

  test("asks for another try where the comment may pass later", async () => {
    const { sim, site } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    sim.failNext({ method: "POST", path: /comments$/, with: "secondary-limit" });
    expect(await failureOf(site.close(issue(1), "Deleted."))).toMatchObject({
      kind: "rate_limited",
    });
    await site.close(issue(1), "Deleted.");
    expect(sim.comments(SITE, 1)).toHaveLength(1);
  });

  test("cannot be deleted at GitHub, nor can a comment be closed", async () => {
    const { sim, site } = givenSite();
    const unsupported = { kind: "permanent", code: "not_supported", applied: "no" };
    expect(await failureOf(site.delete(issue(1)))).toMatchObject({
      ...unsupported,
      message: "GitHub's REST API cannot delete an issue.",
      hint: 'Set onRecordDeleted to "close" or "detach" for this mapping.',
    });
    expect(await failureOf(site.close(comment(1), null))).toMatchObject({
      ...unsupported,
      message: "A comment cannot be closed.",
      hint: 'Set onRecordDeleted to "delete" or "detach" for this mapping.',
    });
    expect(sim.calls()).toBe(0);
  });
});

describe("a resource type that GitHub does not have", () => {
  test("is refused by every act, before a request", async () => {
    const { sim, site } = givenSite();
    const gist = { type: "gist", externalId: "1" };
    const acts = [
      site.read(gist),
      site.readIfChanged(gist, null),
      site.create({ type: "gist", values: {}, parent: null, token: "t" }),
      site.patch(gist, { title: "A" }, {}, null),
      site.delete(gist),
      site.close(gist, null),
      site.children(issue(1), "gist"),
    ];
    for (const failure of await Promise.all(acts.map(failureOf))) {
      expect(failure).toMatchObject({
        kind: "permanent",
        code: "unknown_resource_type",
        message: 'GitHub has no resource type "gist" that Tandem knows.',
        hint: "Use issue or issue_comment.",
        applied: "no",
      });
    }
    expect(sim.calls()).toBe(0);
  });
});
