/** Webhooks and answers as GitHub sends them, cut down to what Tandem reads, and recorded ones as they came. */
import { createRequire } from "node:module";
import fc from "fast-check";
import { z } from "zod";

const load = createRequire(import.meta.url);

export interface Payload {
  readonly event: string;
  readonly document: unknown;
}

const user = { id: 583231, login: "mona", type: "User" };

export function issuePayload(number: number, repository: number): Record<string, unknown> {
  return {
    number,
    title: "A door sticks",
    body: "It sticks.\r\n\r\n<!-- tandem:k3J9 -->",
    state: "open",
    state_reason: null,
    labels: [{ name: "bug" }],
    assignees: [user],
    user,
    comments: 1,
    html_url: `https://github.com/acme/site/issues/${String(number)}`,
    repository_url: `https://api.github.com/repositories/${String(repository)}`,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-02T00:00:00Z",
  };
}

export function commentPayload(id: number, number: number): Record<string, unknown> {
  return {
    id,
    body: "**Mona** wrote: <!-- tandem-author -->\n\nMine too.",
    user,
    html_url: `https://github.com/acme/site/issues/${String(number)}#issuecomment-${String(id)}`,
    issue_url: `https://api.github.com/repos/acme/site/issues/${String(number)}`,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-02T00:00:00Z",
  };
}

const ACTIONS = {
  issues: ["opened", "edited", "closed", "labeled", "deleted", "transferred", "typed"],
  issue_comment: ["created", "edited", "deleted"],
  repository: ["renamed", "transferred", "deleted", "archived"],
  installation: ["created", "deleted", "suspend", "unsuspend"],
  installation_repositories: ["added", "removed"],
  pull_request: ["opened"],
  ping: [""],
  push: [""],
} as const;

/** A valid payload of each event, about a repository that is known more often than not. */
export function payloads(repositories: readonly number[]): fc.Arbitrary<Payload> {
  const event = fc.constantFrom(
    ...(["issues", "issues", "issues", "issue_comment", "issue_comment"] as const),
    ...(["repository", "installation", "installation_repositories"] as const),
    ...(["pull_request", "ping", "push"] as const),
  );
  return fc
    .tuple(event, fc.nat(9), fc.constantFrom(1, 2, 3, 7), fc.constantFrom(...repositories))
    .map(([name, choice, number, id]) => {
      const actions: readonly string[] = ACTIONS[name];
      const action = actions[choice % actions.length] ?? "";
      const repository = { id, full_name: "acme/site", has_issues: true };
      const issue = issuePayload(number, id);
      const document = {
        action,
        issue,
        comment: commentPayload(70 + number, number),
        repository,
        repositories: [repository],
        repositories_added: [repository],
        repositories_removed: [],
        installation: { id: 5 },
        sender: user,
        ...(action === "transferred" || choice > 7
          ? {
              changes: {
                new_issue: issuePayload(9, id + 1),
                new_repository: { id: id + 1, full_name: "acme/other" },
                old_issue: { number: 8 },
                old_repository: { id: id + 1, full_name: "acme/other" },
              },
            }
          : {}),
      };
      return { event: name, document };
    });
}

const recordedShape = z.array(
  z.looseObject({ name: z.string(), examples: z.array(z.looseObject({})) }),
);

/** Payloads that GitHub sent. */
export function recordedPayloads(): fc.Arbitrary<Payload> {
  const all = recordedShape
    .parse(load("@octokit/webhooks-examples/api.github.com/index.json"))
    .filter(({ name }) => name in ACTIONS)
    .flatMap(({ name, examples }) => examples.map((document) => ({ event: name, document })));
  return fc.constantFrom(...all);
}
