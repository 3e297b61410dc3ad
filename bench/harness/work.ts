/**
 * The work for all contenders: webhooks in GitHub's shape, some thousand edits of different issues or of a
 * smaller number of issues. The same seed gives the same work.
 */
import { seededRandom } from "../../src/testing/random.ts";

/** The distribution of edits over issues. */
export type Spread = "distinct" | "uniform" | "hot";

export interface WorkOptions {
  readonly spread: Spread;
  readonly events: number;
  /** The approximate size of a payload. */
  readonly bytes: number;
  /** One edit in this many is for issue 1, with a title that an app can refuse by `POISON`. */
  readonly poisoned?: number;
}

/** One edit of an issue, as a webhook reports it. */
export interface Edit {
  /** The webhook's own id. */
  readonly key: string;
  readonly issue: number;
  /** The number of the edit among those of its issue, from 1; its time grows with it. */
  readonly version: number;
  readonly updatedAt: string;
  readonly title: string;
  readonly body: string;
  readonly state: "open" | "closed";
  /** The payload as it is sent. */
  readonly text: string;
}

/** GitHub's id of the repository with all the work. */
export const REPOSITORY_ID = 4_200_001;
const BEGAN = Date.UTC(2026, 0, 5, 8);
const WORDS = (
  "sync webhook conflict resolve latest record field update title assignee label milestone queue " +
  "retry duplicate ordering event ledger comment review deploy branch failing login page button " +
  "mobile timeout error trace stack reproduce expected actual version release cache index vacuum"
).split(" ");

/** The beginning of a poisoned edit's title, which no other title has. */
export const POISON = "Poison";
const POISONED_ISSUE = 1;

/** The number of issues for 20,000 edits, unless each edit has its own. */
const ISSUES = 1_000;
const HOT_ISSUES = 10;

/** Edits in the order in which they happened; each has a later time than the one before. */
export function makeWork({ spread, events, bytes, poisoned }: WorkOptions): readonly Edit[] {
  const random = seededRandom(20_260_105);
  const versions = new Map<number, number>();
  return Array.from({ length: events }, (_, index): Edit => {
    const isPoison = poisoned !== undefined && index % poisoned === 0;
    const issue = isPoison ? POISONED_ISSUE : issueOf(spread, index, random);
    const version = (versions.get(issue) ?? 0) + 1;
    versions.set(issue, version);
    const updatedAt = new Date(BEGAN + index * 1_000).toISOString().replace(".000Z", "Z");
    const title = isPoison ? `${POISON}, ${prose(random, 50)}` : prose(random, 60);
    const state = random() < 0.5 ? "open" : "closed";
    const shell = payload({ issue, updatedAt, title, body: "", state }, bytes >= 8_000);
    const body = prose(random, Math.max(40, bytes - JSON.stringify(shell).length));
    const text = JSON.stringify({ ...shell, issue: { ...shell.issue, body } });
    const key = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
    return { key, issue, version, updatedAt, title, body, state, text };
  });
}

export function isPoisoned({ title }: Edit): boolean {
  return title.startsWith(POISON);
}

/** The last edit of each issue. */
export function lastOf(work: readonly Edit[]): ReadonlyMap<number, Edit> {
  return new Map(work.map((edit) => [edit.issue, edit]));
}

function issueOf(spread: Spread, index: number, random: () => number): number {
  if (spread === "distinct") return index + 1;
  const hot = spread === "hot" && random() < 0.9;
  return 1 + Math.floor(random() * (hot ? HOT_ISSUES : ISSUES));
}

function prose(random: () => number, length: number): string {
  let text = "";
  while (text.length < length) text += `${WORDS[Math.floor(random() * WORDS.length)] ?? ""} `;
  return text.slice(0, length).trimEnd();
}

type Said = Pick<Edit, "issue" | "updatedAt" | "title" | "body" | "state">;

function payload({ issue, updatedAt, title, body, state }: Said, whole: boolean) {
  const repository = "https://api.github.com/repos/acme/site";
  const id = 3_000_000_000 + issue;
  return {
    action: "edited",
    issue: {
      id,
      node_id: `I_kwDOA${String(id)}`,
      number: issue,
      url: `${repository}/issues/${String(issue)}`,
      html_url: `https://github.com/acme/site/issues/${String(issue)}`,
      title,
      user: whole
        ? person(issue)
        : { login: loginOf(issue), id: 1_000 + (issue % 97), type: "User" },
      labels: [],
      assignees: [],
      state,
      comments: issue % 13,
      created_at: "2026-01-02T03:04:05Z",
      updated_at: updatedAt,
      body,
    },
    repository: whole ? bigRepository(repository) : { id: REPOSITORY_ID, full_name: "acme/site" },
    sender: whole ? person(issue + 1) : { login: loginOf(issue + 1), id: 1_001, type: "User" },
  };
}

function loginOf(seed: number): string {
  return `user-${String(seed % 97)}`;
}

const PERSON_LINKS =
  "followers following gists starred subscriptions organizations repos events received_events".split(
    " ",
  );
const REPOSITORY_LINKS = (
  "forks keys collaborators teams hooks issue_events assignees branches tags blobs git_tags trees " +
  "statuses languages stargazers contributors subscribers commits comments contents compare merges " +
  "archive downloads issues pulls milestones notifications labels releases deployments"
).split(" ");

function person(seed: number) {
  const login = loginOf(seed);
  const url = `https://api.github.com/users/${login}`;
  const links = PERSON_LINKS.map((name) => [`${name}_url`, `${url}/${name}`]);
  return {
    login,
    id: 1_000 + (seed % 97),
    node_id: `U_kgDOB${String(seed % 97)}`,
    avatar_url: `https://avatars.githubusercontent.com/u/${String(1_000 + (seed % 97))}?v=4`,
    url,
    html_url: `https://github.com/${login}`,
    ...(Object.fromEntries(links) as Record<string, string>),
    type: "User",
    site_admin: false,
  };
}

function bigRepository(url: string) {
  const links = REPOSITORY_LINKS.map((name) => [`${name}_url`, `${url}/${name}{/sha}`]);
  return {
    id: REPOSITORY_ID,
    full_name: "acme/site",
    private: false,
    owner: person(7),
    html_url: "https://github.com/acme/site",
    url,
    ...(Object.fromEntries(links) as Record<string, string>),
  };
}
