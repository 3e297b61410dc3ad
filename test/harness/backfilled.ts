/** The data that a backfill begins with, and the result that it must have. */
import { expect } from "vitest";
import type { AnyConfig } from "../../src/config.ts";
import type { SampleTandem } from "./sample-tandem.ts";

/** Tasks are the same as the issues that have their key. */
export function pairedBy(pairBy: unknown, initial = "resource"): (config: AnyConfig) => AnyConfig {
  return (config) => {
    const { tasks, comments, ...others } = config.records;
    const issue = tasks?.sync?.["github.issue"];
    const comment = comments?.sync?.["github.issue_comment"];
    if (tasks === undefined || comments === undefined) throw new Error("the tables are not mapped");
    return {
      ...config,
      records: {
        ...others,
        tasks: {
          ...tasks,
          sync: { "github.issue": { ...(issue as object), pairBy, initial } },
        },
        comments: {
          ...comments,
          sync: { "github.issue_comment": { ...(comment as object), pairBy: "markdown" } },
        },
      },
    };
  };
}

/** Each issue has its one task, and they say the same. */
export async function expectOneOfEach(app: SampleTandem, count: number): Promise<void> {
  const said = (title: string, text: string | null, isOpen: boolean) =>
    `${title}: ${text ?? ""}, ${isOpen ? "open" : "done"}`;
  const tasks = await app.tasks();
  const issues = app.github.issues(app.repo);
  expect(tasks).toHaveLength(count);
  expect(
    tasks.map((task) => said(task.title, task.markdown, task.status !== "done")).sort(),
  ).toEqual(issues.map((issue) => said(issue.title, issue.body, issue.state === "open")).sort());
}

/** The error of an issue's event whose title two tasks have. */
export const TWIN_ERROR = {
  code: "ambiguous_key",
  message:
    'title "Twin" is the key of tasks 1, 2 and of issue 1, so Tandem cannot tell which to pair.',
  hint: expect.stringContaining("run `tandem backfill` again") as string,
  retryable: false,
  httpStatus: null,
  requestId: null,
};
