/**
 * Translates a stored delivery into observations, changes of repositories, or a reason why it is
 * irrelevant. Pure.
 *
 * 1. Issues come from `issues` and `issue_comment` events only. Pull requests share their numbers
 *    and the event of their comments, but are not synced.
 * 2. A comment's payload contains its issue, which is observed first. So no comment is orphaned.
 * 3. An unknown event or action is irrelevant with a reason, never an error. GitHub adds events at
 *    any time, and polling finds the changes behind them.
 */
import type { ContainerChange, StoredDelivery, Translation } from "../integration.ts";
import type { Observation, Place } from "../../model/observation.ts";
import { asDeletion, isPullRequest, observeComment, observeIssue } from "./observe.ts";
import {
  actionShape,
  arrivalShape,
  commentEventShape,
  departureShape,
  installationEventShape,
  installationRepositoriesEventShape,
  issueEventShape,
  type IssuePayload,
  issueShape,
  readJson,
  readPayload,
  repositoryEventShape,
} from "./transport/index.ts";

/** Why a delivery is irrelevant: stable codes, with their meaning for the person who reads them. */
export const IRRELEVANT = {
  ping: "GitHub's greeting after a webhook was set up.",
  pull_request: "It is about a pull request; only issues are synced.",
  unknown_event: "Tandem does not sync what this event is about.",
  unknown_action: "Tandem does not know this action; polling finds what it changed.",
  nothing_moved: "The repository or installation has the same address and name as before.",
} as const;

const ISSUE_UPSERTS: ReadonlySet<string> = new Set([
  "opened",
  "edited",
  "closed",
  "reopened",
  "assigned",
  "unassigned",
  "labeled",
  "unlabeled",
  "milestoned",
  "demilestoned",
  "pinned",
  "unpinned",
  "locked",
  "unlocked",
  "typed",
  "untyped",
]);
const COMMENT_UPSERTS: ReadonlySet<string> = new Set(["created", "edited"]);
const QUIET_REPOSITORY_ACTIONS: ReadonlySet<string> = new Set([
  "created",
  "edited",
  "archived",
  "unarchived",
  "publicized",
  "privatized",
]);

/** The translator of each event that Tandem uses. */
const TRANSLATORS: ReadonlyMap<string, (payload: unknown) => Translation> = new Map([
  ["issues", translateIssue],
  ["issue_comment", translateComment],
  [
    "pull_request",
    (payload: unknown) => irrelevant(actionOf(payload, "pull_request"), "pull_request"),
  ],
  ["repository", translateRepository],
  ["installation", translateInstallation],
  ["installation_repositories", translateInstallationRepositories],
  ["ping", () => irrelevant(null, "ping")],
]);

/**
 * Events whose failed deliveries are not requested again. The first two change nothing here. News of
 * installations has no time, so a late `suspend` would follow its `unsuspend` and switch the
 * connections off permanently. News of issues and comments has a time, and the next response that
 * carries the repository's name corrects a late rename.
 */
const NOT_REPEATED: ReadonlySet<string> = new Set([
  "ping",
  "pull_request",
  "installation",
  "installation_repositories",
]);

/** Whether a failed delivery of this event is worth a redelivery, and harmless if it is late. */
export function isRepeatable(event: string): boolean {
  return TRANSLATORS.has(event) && !NOT_REPEATED.has(event);
}

/**
 * Translates a stored delivery.
 *
 * @example translate({ event: "ping", payload: "{}" }) // { kind: "irrelevant", action: null, reason: "ping" }
 * @throws TranslationError when the payload does not fit the event's name.
 */
export function translate(delivery: StoredDelivery): Translation {
  const payload = readJson(delivery.payload);
  const translator = TRANSLATORS.get(delivery.event);
  if (translator !== undefined) return translator(payload);
  const known = actionShape.safeParse(payload);
  return irrelevant(known.success ? known.data.action : null, "unknown_event");
}

function translateIssue(payload: unknown): Translation {
  const action = actionOf(payload, "issues");
  const upsert = ISSUE_UPSERTS.has(action);
  if (!upsert && action !== "deleted" && action !== "transferred") {
    return irrelevant(action, "unknown_action");
  }
  const { issue, repository } = readPayload(issueEventShape, payload, "issues");
  if (isPullRequest(issue)) return irrelevant(action, "pull_request");
  const seen = observeIssue(issue);
  const arrived = action === "opened" ? arrivalShape.safeParse(payload) : null;
  if (arrived?.success === true) {
    const { old_issue: old, old_repository: former } = arrived.data.changes;
    return moved(
      action,
      { containerId: former.id, externalId: old.number },
      { containerId: repository.id, externalId: issue.number },
      seen,
      issueShape.safeParse(old).data,
    );
  }
  if (upsert) return observed(action, repository.id, seen);
  if (action === "deleted") return observed(action, repository.id, asDeletion(seen));
  const { changes } = readPayload(departureShape, payload, "issues");
  return moved(
    action,
    { containerId: repository.id, externalId: issue.number },
    { containerId: changes.new_repository.id, externalId: changes.new_issue.number },
    observeIssue(changes.new_issue),
    issue,
  );
}

/**
 * An issue that is transferred from one repository to another. Both repositories report it, in any order.
 * Neither payload is trusted for the issue's content: GitHub may still be copying its text, and our token in it.
 */
function moved(
  action: string,
  from: Place,
  to: Place,
  seen: Observation,
  former: IssuePayload | undefined,
): Translation {
  const left = former === undefined ? null : observeIssue(former).token;
  const arriving = { ...seen, token: seen.token ?? left };
  return { kind: "moved", action, move: { type: seen.type, from, to, seen: arriving } };
}

function translateComment(payload: unknown): Translation {
  const action = actionOf(payload, "issue_comment");
  if (!COMMENT_UPSERTS.has(action) && action !== "deleted") {
    return irrelevant(action, "unknown_action");
  }
  const event = readPayload(commentEventShape, payload, "issue_comment");
  if (isPullRequest(event.issue)) return irrelevant(action, "pull_request");
  const comment = observeComment(event.comment, event.issue.number);
  return observed(
    action,
    event.repository.id,
    observeIssue(event.issue),
    action === "deleted" ? asDeletion(comment) : comment,
  );
}

function translateRepository(payload: unknown): Translation {
  const action = actionOf(payload, "repository");
  if (QUIET_REPOSITORY_ACTIONS.has(action)) return irrelevant(action, "nothing_moved");
  if (action !== "renamed" && action !== "transferred" && action !== "deleted") {
    return irrelevant(action, "unknown_action");
  }
  const { repository } = readPayload(repositoryEventShape, payload, "repository");
  const change: ContainerChange =
    action === "deleted"
      ? { kind: "removed", containerId: repository.id, why: "repository_deleted" }
      : { kind: "renamed", containerId: repository.id, name: repository.full_name };
  return { kind: "container", action, changes: [change] };
}

function translateInstallation(payload: unknown): Translation {
  const action = actionOf(payload, "installation");
  const event = () => readPayload(installationEventShape, payload, "installation");
  switch (action) {
    case "created":
      return { kind: "container", action, changes: event().repositories.map(added) };
    case "deleted":
      return {
        kind: "container",
        action,
        changes: event().repositories.map((repository) => removed(repository, "app_uninstalled")),
      };
    case "suspend":
    case "unsuspend": {
      const kind = action === "suspend" ? "suspended" : "unsuspended";
      const change: ContainerChange = { kind, installationId: event().installation.id };
      return { kind: "container", action, changes: [change] };
    }
    case "new_permissions_accepted":
      return irrelevant(action, "nothing_moved");
    default:
      return irrelevant(action, "unknown_action");
  }
}

function translateInstallationRepositories(payload: unknown): Translation {
  const event = readPayload(
    installationRepositoriesEventShape,
    payload,
    "installation_repositories",
  );
  return {
    kind: "container",
    action: event.action,
    changes: [
      ...event.repositories_added.map(added),
      ...event.repositories_removed.map((one) => removed(one, "removed_from_installation")),
    ],
  };
}

function added(repository: { readonly id: string; readonly full_name: string }): ContainerChange {
  return { kind: "added", containerId: repository.id, name: repository.full_name };
}

function removed(repository: { readonly id: string }, why: string): ContainerChange {
  return { kind: "removed", containerId: repository.id, why };
}

function observed(
  action: string,
  containerId: string,
  ...all: readonly Observation[]
): Translation {
  const observations = all.map((observation) => ({ containerId, observation }));
  return { kind: "observations", action, observations };
}

function irrelevant(action: string | null, reason: keyof typeof IRRELEVANT): Translation {
  return { kind: "irrelevant", action, reason };
}

function actionOf(payload: unknown, event: string): string {
  return readPayload(actionShape, payload, event).action;
}
