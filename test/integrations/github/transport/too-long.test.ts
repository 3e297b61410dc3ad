/** Found by fuzzing: ids and names that no index of Postgres could hold are refused where they are read. */
import { describe, expect, test } from "vitest";
import { TranslationError } from "../../../../src/integrations/github/index.ts";
import { translate } from "../../../../src/integrations/github/translate.ts";
import { issuePayload } from "../../../fuzz/payloads.ts";

const LONG = "7".repeat(3_000);
const REPOSITORY = { id: 42, full_name: "acme/site" };

function pathOf(change: object, repository: object = REPOSITORY): string {
  const issue = { ...issuePayload(1, 42), ...change };
  const payload = JSON.stringify({ action: "edited", issue, repository });
  try {
    translate({ event: "issues", payload });
    return "translated";
  } catch (error) {
    if (!(error instanceof TranslationError)) throw error;
    expect(error.code).toBe("malformed_payload");
    return error.path;
  }
}

describe("a payload with what is longer than any of GitHub's", () => {
  test.each([
    ["number", { number: LONG }, "issue.number"],
    ["user's id", { user: { id: LONG, login: "mona" } }, "issue.user.id"],
    ["login", { user: { id: 1, login: LONG } }, "issue.user.login"],
    ["assignee", { assignees: [{ id: 1, login: LONG }] }, "issue.assignees.0.login"],
  ])("%s is refused", (_, change, path) => {
    expect(pathOf(change)).toBe(path);
  });

  test("repository is refused", () => {
    expect(pathOf({}, { ...REPOSITORY, full_name: LONG })).toBe("repository.full_name");
    expect(pathOf({}, { ...REPOSITORY, id: LONG })).toBe("repository.id");
  });

  test("body or title is taken: text has no index", () => {
    expect(pathOf({ title: LONG, body: LONG })).toBe("translated");
    expect(pathOf({ number: "9".repeat(20), user: { id: 1, login: "m".repeat(255) } })).toBe(
      "translated",
    );
  });
});
