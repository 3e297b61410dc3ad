/** The row that stands for an author for whom Tandem made a placeholder. */
import { describe, expect, it } from "vitest";
import { type Placeholder, standInFor, writtenOf } from "../../src/model/placeholder.ts";

const made = { id: "3", row: { id: "3", name: "octocat", github_login: "Octocat", ghost: true } };
const placeholder: Placeholder = {
  recordId: "3",
  integration: "github",
  login: "octocat",
  written: writtenOf(made.row, ["name", "ghost"]),
  linkedTo: null,
};
const user = { id: "7", row: { id: "7", name: "Octo", github_login: "OCTOCAT", ghost: false } };

const standIn = (...users: readonly (typeof made)[]) =>
  standInFor("octocat", "github_login", users, [placeholder]);

describe("the row that stands for an author", () => {
  it("is nobody, the placeholder alone, or the user beside whom it is outlived", () => {
    expect(standIn()).toEqual({ kind: "nobody" });
    expect(standIn(made)).toEqual({ kind: "user", id: "3", outlived: [] });
    expect(standIn(made, user)).toEqual({ kind: "user", id: "7", outlived: [placeholder] });
    expect(standIn(user)).toEqual({ kind: "user", id: "7", outlived: [] });
  });

  it("is the user too where the placeholder has given its login up", () => {
    const silent = { ...made, row: { ...made.row, github_login: null } } as unknown as typeof made;
    expect(standIn(silent, user)).toEqual({ kind: "user", id: "7", outlived: [placeholder] });
    expect(standIn(silent)).toEqual({ kind: "nobody" });
  });

  it("cannot be told between a user and a placeholder that the app has made its own", () => {
    const claimed = { ...made, row: { ...made.row, ghost: false } };
    expect(standIn(claimed)).toEqual({ kind: "user", id: "3", outlived: [] });
    expect(standIn(claimed, user)).toEqual({ kind: "several", ids: ["3", "7"] });
  });

  it("is no placeholder that has been given to another author", () => {
    const other = { ...made, row: { ...made.row, github_login: "hubot" } };
    expect(standIn(other, user)).toEqual({ kind: "user", id: "7", outlived: [] });
    expect(standIn(other)).toEqual({ kind: "nobody" });
  });

  it("is the first of several placeholders, and nobody of several users", () => {
    const second = { ...placeholder, recordId: "4" };
    const twin = { id: "4", row: { ...made.row, id: "4" } };
    expect(standInFor("octocat", "github_login", [made, twin], [placeholder, second])).toEqual({
      kind: "user",
      id: "3",
      outlived: [],
    });
    expect(
      standInFor("octocat", "github_login", [made, twin, user], [placeholder, second]),
    ).toEqual({ kind: "user", id: "7", outlived: [placeholder, second] });
    const others = [user, { id: "8", row: { ...user.row, id: "8" } }];
    expect(standInFor("octocat", "github_login", [made, ...others], [placeholder])).toEqual({
      kind: "several",
      ids: ["7", "8"],
    });
  });
});
