/** The right pane's actions on the simulated GitHub, as a person, mona, performs them on its web page. */
import { formatInstant } from "../model/instant.ts";
import type { Comment, GitHubSimulator, Issue } from "../testing/github/index.ts";
import type { DemoIssue } from "./api-types.ts";

export interface IssueChanges {
  readonly title?: string | undefined;
  readonly body?: string | undefined;
  readonly state?: "open" | "closed" | undefined;
}

/** Each action throws a `GitHubFailure` if GitHub would refuse it. */
export interface GitHubPane {
  /** Ordered by number, without pull requests. */
  issues(): readonly DemoIssue[];
  /** @returns The new issue's number. */
  openIssue(issue: { readonly title: string; readonly body: string }): number;
  /** Saves one edit form. */
  editIssue(number: number, changes: IssueChanges): void;
  deleteIssue(number: number): void;
  comment(number: number, body: string): void;
  editComment(id: string, body: string): void;
  deleteComment(id: string): void;
}

export function githubPane(
  simulator: GitHubSimulator,
  repository: string,
  login = "mona",
): GitHubPane {
  const person = simulator.as(login);
  return {
    issues: () =>
      simulator
        .issues(repository)
        .filter((issue) => issue.pullRequest === null)
        .map((issue) => describe(issue, simulator.comments(repository, issue.number), repository)),

    openIssue: (issue) => person.openIssue(repository, issue).number,

    editIssue(number, { title, body, state }) {
      const before = simulator.issue(repository, number)?.body ?? "";
      person.editIssue(repository, number, {
        ...(title === undefined ? {} : { title }),
        ...(body === undefined ? {} : { body: body + hiddenTail(before) }),
        ...(state === undefined ? {} : { state }),
      });
    },

    deleteIssue: (number) => person.deleteIssue(repository, number),

    comment(number, body) {
      person.comment(repository, number, body);
    },

    editComment(id, body) {
      const before = simulator.comments(repository).find((each) => String(each.id) === id);
      person.editComment(repository, BigInt(id), body + hiddenTail(before?.body ?? ""));
    },

    deleteComment: (id) => person.deleteComment(repository, BigInt(id)),
  };
}

function describe(issue: Issue, comments: readonly Comment[], repository: string): DemoIssue {
  return {
    number: issue.number,
    title: issue.title,
    body: visible(issue.body ?? ""),
    state: issue.state,
    author: issue.author,
    updated_at: formatInstant(issue.updatedAt),
    url: `https://github.com/${repository}/issues/${issue.number}`,
    comments: comments.map(({ id, body, author }) => ({
      id: String(id),
      body: visible(body),
      author,
    })),
  };
}

/** GitHub does not show HTML comments. */
function visible(body: string): string {
  return body.slice(0, visibleLength(body));
}

/** The hidden end of a body, which people leave unchanged in GitHub's edit form. */
function hiddenTail(body: string): string {
  return body.slice(visibleLength(body));
}

/** The length of a body without the HTML comments at its end. Each comment is read once. */
function visibleLength(body: string): number {
  let shown = body;
  for (let text = body.trimEnd(); text.endsWith("-->"); text = shown) {
    const before = text.lastIndexOf("-->", text.length - 4);
    const start = text.indexOf("<!--", before === -1 ? 0 : before + 3);
    if (start === -1 || start + 7 > text.length) break;
    shown = text.slice(0, start).trimEnd();
  }
  return shown.length;
}
