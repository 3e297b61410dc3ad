/**
 * Compares both sides by the values that they show, instead of asking Tandem whether it has finished.
 * Pure.
 */
import type { DemoIssue, DemoPair, SampleTask } from "../../demo/api-types.ts";

export interface Difference {
  readonly task: string | null;
  readonly issue: number | null;
  /** The fields that differ, or a sentence. */
  readonly what: string;
}

export interface Agreement {
  /** The number of compared pairs. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}

export function compareSides(
  tasks: readonly SampleTask[],
  issues: readonly DemoIssue[],
  pairs: readonly DemoPair[],
): Agreement {
  const taskById = new Map(tasks.map((task) => [task.id, task]));
  const issueByNumber = new Map(issues.map((issue) => [issue.number, issue]));
  const differences: Difference[] = [];
  let compared = 0;
  const pairedTasks = new Set<string>();
  const pairedIssues = new Set<number>();

  for (const pair of pairs) {
    pairedTasks.add(pair.task);
    pairedIssues.add(pair.issue);
    if (pair.ended) continue;
    const task = taskById.get(pair.task);
    const issue = issueByNumber.get(pair.issue);
    if (task === undefined && issue === undefined) continue;
    compared += 1;
    const what = differenceBetween(task, issue);
    if (what !== null) differences.push({ task: pair.task, issue: pair.issue, what });
  }
  for (const task of tasks) {
    if (pairedTasks.has(task.id)) continue;
    compared += 1;
    differences.push({ task: task.id, issue: null, what: "no issue yet" });
  }
  for (const issue of issues) {
    if (pairedIssues.has(issue.number)) continue;
    compared += 1;
    differences.push({ task: null, issue: issue.number, what: "no task yet" });
  }
  return { compared, differences };
}

function differenceBetween(
  task: SampleTask | undefined,
  issue: DemoIssue | undefined,
): string | null {
  if (issue === undefined) return "the issue is gone";
  if (task === undefined) return issue.state === "closed" ? null : "the task is gone";
  const fields: string[] = [];
  if (task.title.trim() !== issue.title.trim()) fields.push("title");
  if (plain(task.markdown) !== plain(issue.body)) fields.push("text");
  if ((task.status === "done") !== (issue.state === "closed")) fields.push("status");
  if (!sameTexts(task.comments, issue.comments)) fields.push("comments");
  return fields.length === 0 ? null : fields.join(", ");
}

/** Compares comments by their text, in any order. */
function sameTexts(ofTask: SampleTask["comments"], ofIssue: DemoIssue["comments"]): boolean {
  const here = ofTask.map((comment) => plain(comment.markdown)).sort();
  const there = ofIssue.map((comment) => plain(comment.body)).sort();
  return here.length === there.length && here.every((text, index) => text === there[index]);
}

/** GitHub answers with CRLF if a browser sent it; that is no difference. */
function plain(text: string): string {
  return text.replaceAll("\r\n", "\n").trim();
}
