/** The page of reasons has every code, with the text that people read in `explain` and the dashboard. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { IRRELEVANT } from "../../src/integrations/github/index.ts";
import { REASONS } from "../../src/model/event.ts";
import { errorRows } from "./error-rows.ts";

const page = await readFile(new URL("../../docs/reasons.md", import.meta.url), "utf8");

/** The rows of all tables below a heading of the second level: a code, and the cells behind it. */
function tableOf(heading: string): readonly (readonly [string, string])[] {
  const section = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^\| `(\w+)` +\| (.*?) +\|/gm)].map(([, code = "", text = ""]) => [
    code,
    text,
  ]);
}

function sorted(
  rows: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe("the page of reasons", () => {
  it("has each reason of an event once, in the words of the code", () => {
    expect(sorted(tableOf("Reasons of events"))).toEqual(sorted(Object.entries(REASONS)));
  });

  it("has each reason of an irrelevant delivery once, in the words of the code", () => {
    expect(tableOf("Reasons of deliveries")).toEqual(Object.entries(IRRELEVANT));
  });

  it("has each error of a request to GitHub once, in the words of the code", () => {
    const section = page
      .split(/^## /m)
      .find((one) => one.startsWith("Errors of requests to GitHub\n"));
    const rows = [...(section ?? "").matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) +\|$/gm)];
    expect(rows.map(([, code, kind, hint]) => [code, kind, hint])).toEqual(errorRows());
  });
});
