/**
 * Keeps the simulated GitHub across restarts of the demo. Tandem's database is kept, and would otherwise
 * be paired with issues that no longer exist.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { GitHubSimulator } from "../testing/github/index.ts";

const memory = z.object({
  issues: z.array(
    z.object({
      id: z.string(),
      number: z.int().positive(),
      title: z.string(),
      body: z.string(),
      state: z.enum(["open", "closed"]),
      author: z.string(),
      comments: z.array(z.object({ id: z.string(), body: z.string(), author: z.string() })),
    }),
  ),
  /** The last number and ids, so that those of deleted issues and comments are not reused. */
  last: z.object({ number: z.int(), issue: z.string(), comment: z.string() }),
});

type Memory = z.infer<typeof memory>;

const NOTHING: Memory["last"] = { number: 0, issue: "0", comment: "0" };

/**
 * Restores a repository from a file, if it exists, and then writes each change to the file.
 *
 * @returns Whether a repository was restored.
 * @throws Error if the file has another format: delete it, and the database beside it.
 */
export function rememberRepository(
  simulator: GitHubSimulator,
  repository: string,
  file: string,
): boolean {
  const before = readMemory(file);
  if (before !== null) restore(simulator, repository, before);
  let { last } = before ?? { last: NOTHING };
  mkdirSync(dirname(file), { recursive: true });
  simulator.on("change", () => {
    const issues = simulator.issues(repository);
    const comments = simulator.comments(repository);
    last = {
      number: Math.max(last.number, ...issues.map((issue) => issue.number)),
      issue: largest(last.issue, issues),
      comment: largest(last.comment, comments),
    };
    const kept: Memory = {
      last,
      issues: issues.map((issue) => ({
        id: String(issue.id),
        number: issue.number,
        title: issue.title,
        body: issue.body ?? "",
        state: issue.state,
        author: issue.author,
        comments: comments
          .filter((comment) => comment.issueNumber === issue.number)
          .map(({ id, body, author }) => ({ id: String(id), body, author })),
      })),
    };
    // Written synchronously, so that GitHub never forgets an issue that Tandem knows.
    writeFileSync(file, JSON.stringify(kept));
  });
  return before !== null;
}

function readMemory(file: string): Memory | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  return memory.parse(JSON.parse(text));
}

/** Runs before the webhook exists, so that no delivery is sent. */
function restore(simulator: GitHubSimulator, repository: string, { issues, last }: Memory): void {
  const byNumber = new Map(issues.map((issue) => [issue.number, issue]));
  for (let number = 1; number <= last.number; number += 1) {
    const issue = byNumber.get(number);
    if (issue === undefined) {
      simulator.as("mona").openIssue(repository, { title: "Deleted" });
      simulator.as("mona").deleteIssue(repository, number);
      continue;
    }
    simulator.startIdsAt("issue", BigInt(issue.id));
    const author = simulator.as(issue.author);
    author.openIssue(repository, { title: issue.title, body: issue.body });
    for (const comment of issue.comments) {
      simulator.startIdsAt("comment", BigInt(comment.id));
      simulator.as(comment.author).comment(repository, number, comment.body);
    }
    if (issue.state === "closed") author.closeIssue(repository, number);
  }
  if (last.issue !== "0") simulator.startIdsAt("issue", BigInt(last.issue) + 1n);
  if (last.comment !== "0") simulator.startIdsAt("comment", BigInt(last.comment) + 1n);
}

function largest(known: string, things: readonly { readonly id: number | bigint }[]): string {
  return things
    .reduce((most, { id }) => (BigInt(id) > most ? BigInt(id) : most), BigInt(known))
    .toString();
}
