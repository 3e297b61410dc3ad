/** GitHub's JSON as far as Tandem reads it: what it must have, what it may lack, and how it is refused. */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import {
  appShape,
  arrivalShape,
  commentEventShape,
  commentShape,
  deliveryItemShape,
  departureShape,
  firstProblem,
  installationEventShape,
  installationRepositoriesEventShape,
  installationShape,
  installationTokenShape,
  issueEventShape,
  issueShape,
  labelsShape,
  nameOfLabel,
  readPayload,
  repositoryEventShape,
  repositoryShape,
  userShape,
} from "../../../../src/integrations/github/transport/payload.ts";
import { parseInstant } from "../../../../src/model/instant.ts";

const AT = "2026-03-02T09:00:00Z";
const USER = { id: 1, login: "mona" };
const REPOSITORY = { id: 42, full_name: "acme/site", has_issues: true };
const ISSUE = {
  ...{ number: 7, title: "Broken", body: "It is.", state: "open", state_reason: "reopened" },
  ...{
    labels: [{ name: "bug" }],
    assignees: [USER],
    user: USER,
    html_url: "https://x",
    comments: 3,
  },
  ...{ created_at: AT, updated_at: AT, repository_url: "https://api" },
};
const COMMENT = {
  ...{ id: 99, body: "Me too.", user: USER, html_url: "https://x", issue_url: "https://y" },
  ...{ created_at: AT, updated_at: AT },
};
const ATTEMPT = {
  ...{ id: 5, guid: "a-guid", delivered_at: AT, status_code: 202, event: "issues" },
  installation_id: 8,
};

/** A shape, a whole value, the fields that it must have, and those that it may lack. */
const SHAPES: readonly (readonly [
  string,
  z.ZodType,
  object,
  readonly string[],
  readonly string[],
])[] = [
  ["a user", userShape, USER, ["id", "login"], []],
  [
    "an issue",
    issueShape,
    ISSUE,
    ["number", "title", "html_url", "updated_at"],
    [
      ...["body", "state", "state_reason", "labels", "assignees", "user", "created_at"],
      ...["repository_url", "comments"],
    ],
  ],
  [
    "a comment",
    commentShape,
    COMMENT,
    ["id", "html_url", "issue_url", "updated_at"],
    ["body", "user", "created_at"],
  ],
  ["a repository", repositoryShape, REPOSITORY, ["id", "full_name"], ["has_issues"]],
  ["an App", appShape, { slug: "tandem" }, ["slug"], []],
  ["an installation", installationShape, { id: 8, suspended_at: AT }, ["id"], ["suspended_at"]],
  [
    "an installation's token",
    installationTokenShape,
    { token: "ghs_1", expires_at: AT },
    ["token", "expires_at"],
    [],
  ],
  [
    "an attempt to deliver",
    deliveryItemShape,
    ATTEMPT,
    ["id", "guid", "delivered_at", "status_code", "event"],
    ["installation_id"],
  ],
  [
    "news of an issue",
    issueEventShape,
    { issue: ISSUE, repository: REPOSITORY },
    ["issue", "repository"],
    [],
  ],
  [
    "news of a comment",
    commentEventShape,
    { issue: ISSUE, comment: COMMENT, repository: REPOSITORY },
    ["issue", "comment", "repository"],
    [],
  ],
  ["news of a repository", repositoryEventShape, { repository: REPOSITORY }, ["repository"], []],
  [
    "news of an installation",
    installationEventShape,
    { installation: { id: 8 }, repositories: [REPOSITORY] },
    ["installation"],
    ["repositories"],
  ],
  [
    "news of an installation's repositories",
    installationRepositoriesEventShape,
    { action: "added", repositories_added: [REPOSITORY], repositories_removed: [] },
    ["action", "repositories_added", "repositories_removed"],
    [],
  ],
];

/** The path of the first problem; `null`: there is none. */
function refusedAt(shape: z.ZodType, value: unknown): string | null {
  const result = shape.safeParse(value);
  return result.success ? null : firstProblem(result.error).path;
}

const without = (value: object, field: string) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== field));

describe.each(SHAPES)("%s", (_name, shape, whole, required, optional) => {
  test("is read with all its fields", () => {
    expect(refusedAt(shape, whole)).toBeNull();
  });

  test.each(required)("is refused without its %s", (field) => {
    expect(refusedAt(shape, without(whole, field))).toBe(field);
  });

  // No field of these is a list of texts or an object of texts.
  test.each([...required, ...optional])("is refused with a %s of another form", (field) => {
    expect(refusedAt(shape, { ...whole, [field]: [["no"]] })).toMatch(new RegExp(`^${field}`));
  });

  test.runIf(optional.length > 0)("may lack what was not observed", () => {
    const least = optional.reduce(without, whole);
    expect(refusedAt(shape, least)).toBeNull();
  });
});

describe("within a payload", () => {
  test.each([
    ["a label without a name", issueShape, { ...ISSUE, labels: [{}] }, "labels.0"],
    [
      "an assignee without a login",
      issueShape,
      { ...ISSUE, assignees: [{ id: 1 }] },
      "assignees.0.login",
    ],
    ["a state that GitHub does not have", issueShape, { ...ISSUE, state: "done" }, "state"],
    ["an author without an id", commentShape, { ...COMMENT, user: { login: "m" } }, "user.id"],
    ["an id below zero", userShape, { ...USER, id: -1 }, "id"],
    ["an id that is no number", userShape, { ...USER, id: "x1" }, "id"],
    ["an empty login", userShape, { ...USER, login: "" }, "login"],
    ["an empty name", repositoryShape, { ...REPOSITORY, full_name: "" }, "full_name"],
    ["an empty slug", appShape, { slug: "" }, "slug"],
    ["an empty token", installationTokenShape, { token: "", expires_at: AT }, "token"],
    ["an empty guid", deliveryItemShape, { ...ATTEMPT, guid: "" }, "guid"],
    ["half a status", deliveryItemShape, { ...ATTEMPT, status_code: 20.5 }, "status_code"],
    [
      "an installation without an id",
      installationEventShape,
      { installation: {} },
      "installation.id",
    ],
    [
      "a departure to nowhere",
      departureShape,
      { changes: { new_issue: ISSUE } },
      "changes.new_repository",
    ],
    [
      "a departure of nothing",
      departureShape,
      { changes: { new_repository: REPOSITORY } },
      "changes.new_issue",
    ],
    ["a departure without changes", departureShape, {}, "changes"],
    [
      "an arrival of nothing",
      arrivalShape,
      { changes: { old_repository: REPOSITORY } },
      "changes.old_issue",
    ],
    [
      "an arrival from nowhere",
      arrivalShape,
      { changes: { old_issue: ISSUE } },
      "changes.old_repository",
    ],
    [
      "an arrival without a number",
      arrivalShape,
      { changes: { old_issue: {}, old_repository: REPOSITORY } },
      "changes.old_issue.number",
    ],
    ["an arrival without changes", arrivalShape, {}, "changes"],
    ["no object", userShape, null, "root"],
  ])("%s is refused at its place", (_what, shape, value, path) => {
    expect(refusedAt(shape, value)).toBe(path);
  });

  test("a nickname, a deleted author and a missing body are what GitHub sends", () => {
    const ghost = { ...ISSUE, user: null, body: null, state_reason: null, assignees: [null] };
    expect(refusedAt(issueShape, ghost)).toBeNull();
    expect(refusedAt(commentShape, { ...COMMENT, user: null, body: null })).toBeNull();
    expect(installationShape.parse({ id: 8, suspended_at: null })).toEqual({
      id: "8",
      suspended_at: null,
    });
  });

  test("ids become texts, times become instants, and what is not there is null or empty", () => {
    expect(deliveryItemShape.parse(without(ATTEMPT, "installation_id"))).toMatchObject({
      id: "5",
      delivered_at: parseInstant(AT),
      installation_id: null,
    });
    expect(installationEventShape.parse({ installation: { id: 8 } })).toMatchObject({
      installation: { id: "8" },
      repositories: [],
    });
  });

  test("labels are names, or objects with a name", () => {
    expect(labelsShape.parse(["bug", { name: "a11y" }]).map(nameOfLabel)).toEqual(["bug", "a11y"]);
  });

  test("a time without an offset says so", () => {
    expect(() =>
      readPayload(
        userShape.extend({ at: commentShape.shape.updated_at }),
        { ...USER, at: "noon" },
        "ping",
      ),
    ).toThrow("The payload of the ping webhook has no usable at: not a time with an offset.");
  });
});
