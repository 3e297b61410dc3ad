/** Repositories and pull requests in GitHub's JSON. Most fields are links. */
import { type WireJsonObject, nodeId } from "./identifiers.ts";
import {
  association,
  issueUrl,
  repositoryUrl,
  representIssue,
  representUser,
  timeText,
} from "./represent.ts";
import type { Issue, PullRequest, Repository } from "./state.ts";
import { fullNameOf, type World } from "./world.ts";

/** The path of each link, after the repository's own URL. */
const LINKS: Readonly<Record<string, string>> = {
  forks_url: "/forks",
  keys_url: "/keys{/key_id}",
  collaborators_url: "/collaborators{/collaborator}",
  teams_url: "/teams",
  hooks_url: "/hooks",
  issue_events_url: "/issues/events{/number}",
  events_url: "/events",
  assignees_url: "/assignees{/user}",
  branches_url: "/branches{/branch}",
  tags_url: "/tags",
  blobs_url: "/git/blobs{/sha}",
  git_tags_url: "/git/tags{/sha}",
  git_refs_url: "/git/refs{/sha}",
  trees_url: "/git/trees{/sha}",
  statuses_url: "/statuses/{sha}",
  languages_url: "/languages",
  stargazers_url: "/stargazers",
  contributors_url: "/contributors",
  subscribers_url: "/subscribers",
  subscription_url: "/subscription",
  commits_url: "/commits{/sha}",
  git_commits_url: "/git/commits{/sha}",
  comments_url: "/comments{/number}",
  issue_comment_url: "/issues/comments{/number}",
  contents_url: "/contents/{+path}",
  compare_url: "/compare/{base}...{head}",
  merges_url: "/merges",
  archive_url: "/{archive_format}{/ref}",
  downloads_url: "/downloads",
  issues_url: "/issues{/number}",
  pulls_url: "/pulls{/number}",
  milestones_url: "/milestones{/number}",
  notifications_url: "/notifications{?since,all,participating}",
  labels_url: "/labels{/name}",
  releases_url: "/releases{/id}",
  deployments_url: "/deployments",
};

export function representRepository(world: World, repository: Repository): WireJsonObject {
  const url = repositoryUrl(world, repository);
  const fullName = fullNameOf(repository);
  const page = `${world.htmlUrl}/${fullName}`;
  const host = new URL(world.htmlUrl).host;
  const { openIssues } = repository;
  return {
    id: repository.id,
    node_id: nodeId("R", repository.id),
    name: repository.name,
    full_name: fullName,
    private: repository.private,
    owner: representUser(world, repository.owner),
    html_url: page,
    description: repository.description,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(LINKS).map(([name, path]) => [name, `${url}${path}`])),
    created_at: timeText(repository.createdAt),
    updated_at: timeText(repository.updatedAt),
    pushed_at: timeText(repository.createdAt),
    git_url: `git://${host}/${fullName}.git`,
    ssh_url: `git@${host}:${fullName}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: repository.hasIssues,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    forks_count: 0,
    mirror_url: null,
    archived: false,
    disabled: false,
    open_issues_count: openIssues,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private ? "private" : "public",
    forks: 0,
    open_issues: openIssues,
    watchers: 0,
    default_branch: "main",
    custom_properties: {},
  };
}

/** The longer form in the response of `GET /repos/:owner/:repo`. */
export function representFullRepository(world: World, repository: Repository): WireJsonObject {
  return {
    ...representRepository(world, repository),
    permissions: { admin: false, maintain: false, push: true, triage: true, pull: true },
    network_count: 0,
    subscribers_count: 0,
  };
}

/** The few fields that name a repository in `installation` webhooks. */
export function representRepositoryName(repository: Repository): WireJsonObject {
  return {
    id: repository.id,
    node_id: nodeId("R", repository.id),
    name: repository.name,
    full_name: fullNameOf(repository),
    private: repository.private,
  };
}

export function representPullRequest(
  world: World,
  repository: Repository,
  issue: Issue,
  pull: PullRequest,
): WireJsonObject {
  const base = repositoryUrl(world, repository);
  const url = `${base}/pulls/${String(issue.number)}`;
  const shared = representIssue(world, repository, issue);
  const page = `${world.htmlUrl}/${fullNameOf(repository)}/pull/${String(issue.number)}`;
  const sha = String(pull.id).padStart(40, "0");
  const comments = `${issueUrl(world, repository, issue.number)}/comments`;
  const statuses = `${base}/statuses/${sha}`;
  const reviewComment = `${base}/pulls/comments{/number}`;
  const branch = (ref: string): WireJsonObject => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: representUser(world, repository.owner),
    repo: representRepository(world, repository),
  });
  return {
    url,
    id: pull.id,
    node_id: nodeId("PR", pull.id),
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issueUrl(world, repository, issue.number),
    number: issue.number,
    state: issue.state,
    locked: issue.locked,
    title: issue.title,
    user: representUser(world, issue.author),
    body: issue.body,
    created_at: timeText(issue.createdAt),
    updated_at: timeText(issue.updatedAt),
    closed_at: issue.closedAt === null ? null : timeText(issue.closedAt),
    merged_at: pull.mergedAt === null ? null : timeText(pull.mergedAt),
    merge_commit_sha: null,
    assignee: shared.assignee ?? null,
    assignees: shared.assignees ?? [],
    requested_reviewers: [],
    requested_teams: [],
    labels: shared.labels ?? [],
    milestone: null,
    draft: pull.draft,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: reviewComment,
    comments_url: comments,
    statuses_url: statuses,
    head: branch(pull.head),
    base: branch(pull.base),
    _links: {
      self: { href: url },
      html: { href: page },
      issue: { href: issueUrl(world, repository, issue.number) },
      comments: { href: comments },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: reviewComment },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses },
    },
    author_association: association(repository, issue.author),
    auto_merge: null,
    active_lock_reason: issue.lockReason,
    merged: pull.mergedAt !== null,
    mergeable: null,
    rebaseable: null,
    mergeable_state: "unknown",
    merged_by: null,
    comments: issue.comments,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: 1,
    additions: 1,
    deletions: 0,
    changed_files: 1,
  };
}
