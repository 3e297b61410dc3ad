import { describe, expect, it } from "vitest";
import {
  describeMisfit,
  isOffForScope,
  type ScopeMisfit,
  unfitReason,
} from "../../src/model/connection.ts";
import { aMapping } from "../engine/builders.ts";

describe("a scope that no record can have", () => {
  const mapping = { ...aMapping({}), recordType: "tasks", scopeColumn: "project_id" };
  const { integration, resource } = mapping;
  const path = `records.tasks.sync["${integration}.${resource.type}"].scope`;

  it.each<[ScopeMisfit, string, string]>([
    [
      { kind: "not_of_type", type: "integer" },
      "scope 7a does not fit tasks.project_id, which is of type integer",
      "Connect the container to a value that tasks.project_id can have.",
    ],
    [
      { kind: "written_otherwise", as: "7" },
      "scope 7a is written 7 in tasks.project_id",
      "Connect the container to scope 7.",
    ],
    [
      { kind: "no_row", table: "projects" },
      "scope 7a: tasks.project_id refers to projects, which has no row 7a",
      "Create that row of projects, or connect the container to the scope of one that exists.",
    ],
  ])("is described in words: %o", (misfit, message, hint) => {
    const unfit = describeMisfit(mapping, "7a", misfit);
    expect(unfit).toEqual({ path, message, hint });
    expect(unfitReason(unfit)).toBe(`scope_unfit: ${message}`);
    expect(isOffForScope(unfitReason(unfit))).toBe(true);
  });

  it.each([null, "", "repository_deleted", "scope_unfit", "it is scope_unfit: so"])(
    "is not why a connection is off for the reason %j",
    (reason) => {
      expect(isOffForScope(reason)).toBe(false);
    },
  );
});
