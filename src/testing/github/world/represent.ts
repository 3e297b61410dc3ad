/** Users, labels, issues, comments and the app in GitHub's JSON, as webhooks contain them. */
import { formatInstant, type Instant } from "../../../model/instant.ts";
import { type WireJsonObject, nodeId } from "./identifiers.ts";
import type { Comment, Installation, Issue, Label, Repository, User } from "./state.ts";
import { DEFAULT_LABELS, fullNameOf, type World } from "./world.ts";

/** `YYYY-MM-DDTHH:MM:SSZ`: GitHub shows no fraction of a second. */
export function timeText(at: Instant): string {
  return `${formatInstant(at).slice(0, 19)}Z`;
}

export function representUser(world: World, login: string): WireJsonObject {
  const user = world.user(login);
  const name = encodeURIComponent(user.login);
  const url = `${world.apiUrl}/users/${name}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId(
      user.type === "Organization" ? "O" : user.type === "Bot" ? "BOT" : "U",
      user.id,
    ),
    avatar_url: `https://avatars.githubusercontent.com/u/${String(user.id)}?v=4`,
    gravatar_id: "",
    url,
    html_url: `${world.htmlUrl}/${name}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    site_admin: false,
  };
}

/** The part that webhooks add for an owner that is an organization. */
export function representOrganization(world: World, user: User): WireJsonObject {
  const url = `${world.apiUrl}/orgs/${encodeURIComponent(user.login)}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId("O", user.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `https://avatars.githubusercontent.com/u/${String(user.id)}?v=4`,
    description: null,
  };
}

/** The longer form in the responses of `GET /user` and `GET /users/:login`. */
export function representProfile(world: World, user: User): WireJsonObject {
  const owned = world.repositories().filter((repository) => repository.owner === user.login);
  return {
    ...representUser(world, user.login),
    user_view_type: "public",
    name: user.name,
    company: null,
    blog: "",
    location: null,
    email: user.email,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: owned.filter((repository) => !repository.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: timeText(user.createdAt),
    updated_at: timeText(user.createdAt),
  };
}

export function repositoryUrl(world: World, repository: Repository): string {
  return `${world.apiUrl}/repos/${fullNameOf(repository)}`;
}

export function representLabel(world: World, repository: Repository, label: Label): WireJsonObject {
  return {
    id: label.id,
    node_id: nodeId("LA", label.id),
    url: `${repositoryUrl(world, repository)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    description: label.description,
    color: label.color,
    default: DEFAULT_LABELS.has(label.name),
  };
}

export function issueUrl(world: World, repository: Repository, number: number): string {
  return `${repositoryUrl(world, repository)}/issues/${String(number)}`;
}

/** The form in webhooks; {@link representIssueAnswer} adds the fields of responses. */
export function representIssue(world: World, repository: Repository, issue: Issue): WireJsonObject {
  const url = issueUrl(world, repository, issue.number);
  const assignees = issue.assignees.map((login) => representUser(world, login));
  const kind = issue.pullRequest === null ? "I" : "PR";
  return {
    url,
    repository_url: repositoryUrl(world, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: browserUrl(world, repository, issue),
    id: issue.id,
    node_id: nodeId(kind, issue.id),
    number: issue.number,
    title: issue.title,
    user: representUser(world, issue.author),
    labels: issue.labels.map((name) =>
      representLabel(world, repository, world.label(repository, name)),
    ),
    state: issue.state,
    locked: issue.locked,
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    comments: issue.comments,
    created_at: timeText(issue.createdAt),
    updated_at: timeText(issue.updatedAt),
    closed_at: issue.closedAt === null ? null : timeText(issue.closedAt),
    author_association: association(repository, issue.author),
    active_lock_reason: issue.lockReason,
    ...(issue.pullRequest === null ? {} : pullRequestLinks(world, repository, issue)),
    body: issue.body,
    reactions: noReactions(url),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: issue.viaApp ? representApp(world) : null,
    state_reason: issue.stateReason,
  };
}

export function representIssueAnswer(
  world: World,
  repository: Repository,
  issue: Issue,
): WireJsonObject {
  return {
    ...representIssue(world, repository, issue),
    closed_by: issue.closedBy === null ? null : representUser(world, issue.closedBy),
    sub_issues_summary: { total: 0, completed: 0, percent_completed: 0 },
  };
}

export function representComment(
  world: World,
  repository: Repository,
  comment: Comment,
): WireJsonObject {
  const url = `${repositoryUrl(world, repository)}/issues/comments/${String(comment.id)}`;
  const slot = repository.issues.get(comment.issueNumber);
  // Only the address of its page tells that a comment belongs to a pull request.
  const kind = slot?.kind === "issue" && slot.issue.pullRequest !== null ? "pull" : "issues";
  const page = `${world.htmlUrl}/${fullNameOf(repository)}/${kind}/${String(comment.issueNumber)}`;
  return {
    url,
    html_url: `${page}#issuecomment-${String(comment.id)}`,
    issue_url: issueUrl(world, repository, comment.issueNumber),
    id: comment.id,
    node_id: nodeId("IC", comment.id),
    user: representUser(world, comment.author),
    created_at: timeText(comment.createdAt),
    updated_at: timeText(comment.updatedAt),
    author_association: association(repository, comment.author),
    body: comment.body,
    reactions: noReactions(url),
    performed_via_github_app: comment.viaApp ? representApp(world) : null,
  };
}

export function representApp(world: World): WireJsonObject {
  const { app } = world;
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId("A", app.id),
    owner: representUser(world, app.owner),
    name: app.name,
    description: "",
    external_url: `https://${app.slug}.example`,
    html_url: `${world.htmlUrl}/apps/${app.slug}`,
    created_at: timeText(app.createdAt),
    updated_at: timeText(app.createdAt),
    permissions: PERMISSIONS,
    events: EVENTS,
  };
}

/** The permissions of an installation of the app; `EVENTS` are the events that it receives. */
export const PERMISSIONS: WireJsonObject = {
  issues: "write",
  metadata: "read",
  pull_requests: "read",
};
export const EVENTS: readonly string[] = ["issues", "issue_comment", "pull_request", "repository"];

export function representInstallation(world: World, installation: Installation): WireJsonObject {
  const { app } = world;
  const account = world.user(installation.account);
  return {
    id: installation.id,
    account: representUser(world, account.login),
    repository_selection: installation.repositories === "all" ? "all" : "selected",
    access_tokens_url: `${world.apiUrl}/app/installations/${String(installation.id)}/access_tokens`,
    repositories_url: `${world.apiUrl}/installation/repositories`,
    html_url: `${world.htmlUrl}/settings/installations/${String(installation.id)}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type === "Organization" ? "Organization" : "User",
    permissions: PERMISSIONS,
    events: EVENTS,
    created_at: timeText(installation.createdAt),
    updated_at: timeText(installation.createdAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: installation.suspendedAt === null ? null : representUser(world, account.login),
    suspended_at: installation.suspendedAt === null ? null : timeText(installation.suspendedAt),
  };
}

export function association(repository: Repository, login: string): string {
  if (repository.owner === login) return "OWNER";
  return repository.collaborators.has(login) ? "COLLABORATOR" : "NONE";
}

function browserUrl(world: World, repository: Repository, issue: Issue): string {
  const kind = issue.pullRequest === null ? "issues" : "pull";
  return `${world.htmlUrl}/${fullNameOf(repository)}/${kind}/${String(issue.number)}`;
}

function pullRequestLinks(world: World, repository: Repository, issue: Issue): WireJsonObject {
  const page = browserUrl(world, repository, issue);
  const mergedAt = issue.pullRequest?.mergedAt ?? null;
  return {
    draft: issue.pullRequest?.draft ?? false,
    pull_request: {
      url: `${repositoryUrl(world, repository)}/pulls/${String(issue.number)}`,
      html_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      merged_at: mergedAt === null ? null : timeText(mergedAt),
    },
  };
}

function noReactions(url: string): WireJsonObject {
  return {
    url: `${url}/reactions`,
    total_count: 0,
    "+1": 0,
    "-1": 0,
    laugh: 0,
    hooray: 0,
    confused: 0,
    heart: 0,
    rocket: 0,
    eyes: 0,
  };
}
