/** Every event and action that Tandem knows, with its meaning. */
import { describe, expect, test } from "vitest";
import { isRepeatable, translate } from "../../../src/integrations/github/translate.ts";

const ISSUE = {
  number: 7,
  title: "Broken link",
  html_url: "https://github.com/acme/site/issues/7",
  updated_at: "2026-03-02T09:00:00Z",
};
const COMMENT = {
  id: 99,
  body: "Me too.",
  html_url: "https://github.com/acme/site/issues/7#issuecomment-99",
  issue_url: "https://api.github.com/repos/acme/site/issues/7",
  updated_at: "2026-03-02T09:00:01Z",
};
const SITE = { id: 42, full_name: "acme/site" };
const APP = { id: 43, full_name: "acme/app" };
const NOT_SYNCED = { pull_request: { url: "https://api.github.com" } };

function translated(event: string, payload: object) {
  return translate({ event, payload: JSON.stringify(payload) });
}

describe("an action of an issue", () => {
  const issues = (action: string, change: object = {}, rest: object = {}) =>
    translated("issues", { action, issue: { ...ISSUE, ...change }, repository: SITE, ...rest });

  test.each([
    ..."opened edited closed reopened assigned unassigned labeled unlabeled".split(" "),
    ..."milestoned demilestoned pinned unpinned locked unlocked typed untyped".split(" "),
  ])("%s shows the issue", (action) => {
    expect(issues(action)).toMatchObject({
      kind: "observations",
      action,
      observations: [{ containerId: "42", observation: { externalId: "7", action: "upsert" } }],
    });
    const pullRequest = { kind: "irrelevant", action, reason: "pull_request" };
    expect(issues(action, NOT_SYNCED)).toEqual(pullRequest);
  });

  test("deleted ends the issue", () => {
    expect(issues("deleted")).toMatchObject({
      kind: "observations",
      action: "deleted",
      observations: [{ containerId: "42", observation: { action: "delete", content: null } }],
    });
    expect(issues("deleted", NOT_SYNCED)).toMatchObject({ reason: "pull_request" });
  });

  test("transferred moves the issue, with the token that the old one still shows", () => {
    const body = "Text\n\n<!-- tandem:k3J9 -->";
    const there = { ...ISSUE, number: 9 };
    const changes = { new_issue: there, new_repository: APP };
    const move = {
      type: "issue",
      from: { containerId: "42", externalId: "7" },
      to: { containerId: "43", externalId: "9" },
      seen: { externalId: "9", token: "k3J9" },
    };
    expect(issues("transferred", { body }, { changes })).toMatchObject({
      kind: "moved",
      action: "transferred",
      move,
    });
    const own = { ...there, body: "Text\n\n<!-- tandem:n3w -->" };
    const shown = { changes: { ...changes, new_issue: own } };
    expect(issues("transferred", { body }, shown)).toMatchObject({
      move: { seen: { token: "n3w" } },
    });
  });

  test("opened is a move only if the payload names the old issue and its repository", () => {
    const old = { number: 3, body: "Text\n\n<!-- tandem:k3J9 -->" };
    const changes = { old_issue: { ...ISSUE, ...old }, old_repository: APP };
    expect(issues("opened", {}, { changes })).toEqual(
      expect.objectContaining({
        kind: "moved",
        action: "opened",
        move: expect.objectContaining({
          from: { containerId: "43", externalId: "3" },
          to: { containerId: "42", externalId: "7" },
          seen: expect.objectContaining({ token: "k3J9" }) as object,
        }) as object,
      }),
    );
    const little = { changes: { ...changes, old_issue: { number: 3 } } };
    expect(issues("opened", {}, little)).toMatchObject({ kind: "moved", move: { seen: {} } });
    expect(issues("opened", {}, { changes: {} })).toMatchObject({ kind: "observations" });
    expect(issues("edited", {}, { changes })).toMatchObject({ kind: "observations" });
  });
});

describe("an action of a comment", () => {
  const comments = (action: string, change: object = {}) => {
    const payload = { action, issue: { ...ISSUE, ...change }, comment: COMMENT, repository: SITE };
    return translated("issue_comment", payload);
  };

  test.each([
    ["created", "upsert"],
    ["edited", "upsert"],
    ["deleted", "delete"],
  ])("%s shows its issue, then the comment: %s", (action, shown) => {
    expect(comments(action)).toMatchObject({
      kind: "observations",
      action,
      observations: [
        { containerId: "42", observation: { type: "issue", externalId: "7", action: "upsert" } },
        {
          containerId: "42",
          observation: { type: "issue_comment", externalId: "99", action: shown },
        },
      ],
    });
    expect(comments(action, NOT_SYNCED)).toEqual({
      kind: "irrelevant",
      action,
      reason: "pull_request",
    });
  });
});

describe("an action of a repository", () => {
  const repository = (action: string) => translated("repository", { action, repository: SITE });

  test.each("created edited archived unarchived publicized privatized".split(" "))(
    "%s changes nothing",
    (action) => {
      expect(repository(action)).toEqual({ kind: "irrelevant", action, reason: "nothing_moved" });
    },
  );

  test.each([
    ["renamed", { kind: "renamed", containerId: "42", name: "acme/site" }],
    ["transferred", { kind: "renamed", containerId: "42", name: "acme/site" }],
    ["deleted", { kind: "removed", containerId: "42", why: "repository_deleted" }],
  ])("%s is news of its container", (action, change) => {
    expect(repository(action)).toEqual({ kind: "container", action, changes: [change] });
  });
});

describe("an action of an installation", () => {
  const installation = (action: string) =>
    translated("installation", { action, installation: { id: 8 }, repositories: [SITE, APP] });

  test.each([
    [
      "created",
      [
        { kind: "added", containerId: "42", name: "acme/site" },
        { kind: "added", containerId: "43", name: "acme/app" },
      ],
    ],
    [
      "deleted",
      [
        { kind: "removed", containerId: "42", why: "app_uninstalled" },
        { kind: "removed", containerId: "43", why: "app_uninstalled" },
      ],
    ],
    ["suspend", [{ kind: "suspended", installationId: "8" }]],
    ["unsuspend", [{ kind: "unsuspended", installationId: "8" }]],
  ])("%s is news of its containers", (action, changes) => {
    expect(installation(action)).toEqual({ kind: "container", action, changes });
  });

  test("new_permissions_accepted changes nothing", () => {
    const action = "new_permissions_accepted";
    expect(installation(action)).toEqual({ kind: "irrelevant", action, reason: "nothing_moved" });
  });

  test.each(["added", "removed"])("%s repositories are named in both lists", (action) => {
    const payload = { action, repositories_added: [SITE], repositories_removed: [APP] };
    expect(translated("installation_repositories", payload)).toEqual({
      kind: "container",
      action,
      changes: [
        { kind: "added", containerId: "42", name: "acme/site" },
        { kind: "removed", containerId: "43", why: "removed_from_installation" },
      ],
    });
  });
});

describe("other events", () => {
  test("ping and pull_request change nothing", () => {
    expect(translated("ping", {})).toEqual({ kind: "irrelevant", action: null, reason: "ping" });
    expect(translated("pull_request", { action: "closed" })).toEqual({
      kind: "irrelevant",
      action: "closed",
      reason: "pull_request",
    });
  });

  test.each([
    ["issues", {}],
    ["issue_comment", {}],
    ["repository", {}],
    ["installation", {}],
    ["pull_request", {}],
    ["issues", { action: "opened" }],
    ["issue_comment", { action: "created" }],
    ["repository", { action: "renamed" }],
    ["installation", { action: "created" }],
    ["installation_repositories", { action: "added" }],
  ])("a payload of %s without its content is refused by that name: %j", (event, payload) => {
    expect(() => translated(event, payload)).toThrow(`The payload of the ${event} webhook has no`);
  });

  test.each([
    ["issues", true],
    ["issue_comment", true],
    ["repository", true],
    ["installation", false],
    ["installation_repositories", false],
    ["pull_request", false],
    ["ping", false],
    ["star", false],
  ])("a failed delivery of %s is requested again: %s", (event, repeatable) => {
    expect(isRepeatable(event)).toBe(repeatable);
  });
});
