/** Builds and sends the webhook payload for a change. */
import {
  type ActingUser,
  type Comment,
  type Installation,
  type Issue,
  type Repository,
  representComment,
  representInstallation,
  representIssue,
  representLabel,
  representOrganization,
  representPullRequest,
  representRepository,
  representRepositoryName,
  representUser,
  type WireJsonObject,
  type World,
} from "../world/index.ts";

/** Announces a change of an issue, or of a pull request, which has an event of its own. */
export function announceIssue(
  world: World,
  actor: ActingUser,
  action: string,
  repository: Repository,
  issue: Issue,
  extra: WireJsonObject = {},
): void {
  const { pullRequest } = issue;
  const subject: WireJsonObject =
    pullRequest === null
      ? { issue: representIssue(world, repository, issue) }
      : {
          number: issue.number,
          pull_request: representPullRequest(world, repository, issue, pullRequest),
        };
  announce(world, actor, repository, pullRequest === null ? "issues" : "pull_request", action, {
    issueNumber: issue.number,
    body: { ...subject, ...extra },
  });
}

export function announceLabel(
  world: World,
  actor: ActingUser,
  action: "labeled" | "unlabeled",
  repository: Repository,
  issue: Issue,
  name: string,
): void {
  const label = representLabel(world, repository, world.label(repository, name));
  announceIssue(world, actor, action, repository, issue, { label });
}

export function announceAssignee(
  world: World,
  actor: ActingUser,
  action: "assigned" | "unassigned",
  repository: Repository,
  issue: Issue,
  login: string,
): void {
  const assignee = representUser(world, login);
  announceIssue(world, actor, action, repository, issue, { assignee });
}

export function announceComment(
  world: World,
  actor: ActingUser,
  action: "created" | "edited" | "deleted",
  repository: Repository,
  issue: Issue,
  comment: Comment,
  extra: WireJsonObject = {},
): void {
  announce(world, actor, repository, "issue_comment", action, {
    issueNumber: issue.number,
    body: {
      issue: representIssue(world, repository, issue),
      comment: representComment(world, repository, comment),
      ...extra,
    },
  });
}

/**
 * A transfer sends two webhooks: `transferred` from the old repository, `opened` from the new one. GitHub is
 * still copying the issue's text at that time, so the payload of the new issue has none.
 */
export function announceTransfer(
  world: World,
  actor: ActingUser,
  from: { readonly repository: Repository; readonly issue: Issue },
  to: { readonly repository: Repository; readonly issue: Issue },
): void {
  const arriving = { ...to.issue, body: null };
  announceIssue(world, actor, "transferred", from.repository, from.issue, {
    changes: {
      new_issue: representIssue(world, to.repository, arriving),
      new_repository: representRepository(world, to.repository),
    },
  });
  announceIssue(world, actor, "opened", to.repository, arriving, {
    changes: {
      old_issue: representIssue(world, from.repository, from.issue),
      old_repository: representRepository(world, from.repository),
    },
  });
}

export function announceRename(
  world: World,
  actor: ActingUser,
  repository: Repository,
  formerName: string,
): void {
  announce(world, actor, repository, "repository", "renamed", {
    issueNumber: null,
    body: { changes: { repository: { name: { from: formerName } } } },
  });
}

export function announceOwner(
  world: World,
  actor: ActingUser,
  repository: Repository,
  formerOwner: string,
): void {
  announce(world, actor, repository, "repository", "transferred", {
    issueNumber: null,
    body: { changes: { owner: { from: { user: representUser(world, formerOwner) } } } },
  });
}

export function announceInstallation(
  world: World,
  actor: ActingUser,
  action: "created" | "deleted" | "suspend" | "unsuspend",
  installation: Installation,
): void {
  const repositories = world
    .repositoriesOf(installation)
    .map((repository) => representRepositoryName(repository));
  tellOfInstallation(world, actor, installation, "installation", action, { repositories });
}

/** Announces the repositories that an installation has gained and lost since it had those in `before`. */
export function announceSelection(
  world: World,
  actor: ActingUser,
  installation: Installation,
  before: readonly Repository[],
): void {
  const after = world.repositoriesOf(installation);
  const names = (these: readonly Repository[], without: readonly Repository[]) =>
    these
      .filter((repository) => !without.includes(repository))
      .map((repository) => representRepositoryName(repository));
  const added = names(after, before);
  const removed = names(before, after);
  const selection = installation.repositories === "all" ? "all" : "selected";
  for (const action of ["added", "removed"] as const) {
    if ((action === "added" ? added : removed).length === 0) continue;
    tellOfInstallation(world, actor, installation, "installation_repositories", action, {
      repository_selection: selection,
      repositories_added: action === "added" ? added : [],
      repositories_removed: action === "removed" ? removed : [],
      requester: null,
    });
  }
}

function tellOfInstallation(
  world: World,
  actor: ActingUser,
  installation: Installation,
  event: "installation" | "installation_repositories",
  action: string,
  body: WireJsonObject,
): void {
  world.tell({
    at: world.clock.now(),
    event,
    action,
    actor,
    repository: null,
    issueNumber: null,
    payload: {
      action,
      installation: representInstallation(world, installation),
      ...body,
      sender: representUser(world, actor.login),
    },
  });
}

function announce(
  world: World,
  actor: ActingUser,
  repository: Repository,
  event: string,
  action: string,
  subject: { readonly issueNumber: number | null; readonly body: WireJsonObject },
): void {
  const owner = world.user(repository.owner);
  world.tell({
    at: world.clock.now(),
    event,
    action,
    actor,
    repository,
    issueNumber: subject.issueNumber,
    payload: {
      action,
      ...subject.body,
      repository: representRepository(world, repository),
      ...(owner.type === "Organization"
        ? { organization: representOrganization(world, owner) }
        : {}),
      sender: representUser(world, actor.login),
    },
  });
}
