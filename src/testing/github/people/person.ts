/** A person who uses GitHub's web pages: the actor in a test's story. */
import { createComment, deleteComment, editComment } from "./comment-operations.ts";
import type {
  ActingUser,
  Comment,
  Id,
  Issue,
  LockReason,
  RepositoryRef,
  StateReason,
  World,
} from "../world/index.ts";
import {
  convertToPullRequest,
  deleteIssue,
  type IssueInput,
  type IssuePatch,
  openIssue,
  openPullRequest,
  type PullRequestInput,
  setLock,
  setPinned,
  transferIssue,
  updateIssue,
} from "./issue-operations.ts";

/**
 * Each action returns the new state and sends GitHub's webhooks. An action that GitHub would refuse throws a
 * `GitHubFailure`; an unknown repository throws an `Error`.
 *
 * @example
 * const mona = sim.as("mona");
 * const { number } = mona.openIssue("acme/site", { title: "Broken link" });
 * mona.comment("acme/site", number, "Still broken.");
 */
export class Person {
  readonly login: string;
  readonly #world: World;
  readonly #actor: ActingUser;

  constructor(world: World, login: string) {
    this.#world = world;
    this.login = world.user(login).login;
    this.#actor = { login: this.login, viaApp: false };
  }

  openIssue(ref: RepositoryRef, input: IssueInput): Issue {
    return openIssue(this.#world, this.#actor, this.#world.repository(ref), input);
  }

  openPullRequest(ref: RepositoryRef, input: PullRequestInput): Issue {
    return openPullRequest(this.#world, this.#actor, this.#world.repository(ref), input);
  }

  /** Converts an issue to a pull request, as `POST /pulls` of the API does with an issue. */
  convertToPullRequest(ref: RepositoryRef, number: number): Issue {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    return convertToPullRequest(this.#world, this.#actor, repository, issue);
  }

  /** Saves one edit form: a change of title and body sends one `edited` webhook. */
  editIssue(ref: RepositoryRef, number: number, patch: IssuePatch): Issue {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    return updateIssue(this.#world, this.#actor, repository, issue, patch);
  }

  closeIssue(ref: RepositoryRef, number: number, reason: StateReason = "completed"): Issue {
    return this.editIssue(ref, number, { state: "closed", stateReason: reason });
  }

  reopenIssue(ref: RepositoryRef, number: number): Issue {
    return this.editIssue(ref, number, { state: "open" });
  }

  addLabel(ref: RepositoryRef, number: number, name: string): Issue {
    const labels = [...this.#issue(ref, number).labels, name];
    return this.editIssue(ref, number, { labels });
  }

  removeLabel(ref: RepositoryRef, number: number, name: string): Issue {
    const labels = without(this.#issue(ref, number).labels, name);
    return this.editIssue(ref, number, { labels });
  }

  /** Assigns a user, who is created if unknown. */
  assign(ref: RepositoryRef, number: number, login: string): Issue {
    const assignees = [...this.#issue(ref, number).assignees, this.#world.user(login).login];
    return this.editIssue(ref, number, { assignees });
  }

  unassign(ref: RepositoryRef, number: number, login: string): Issue {
    const assignees = without(this.#issue(ref, number).assignees, login);
    return this.editIssue(ref, number, { assignees });
  }

  lock(ref: RepositoryRef, number: number, reason: LockReason | null = null): Issue {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    return setLock(this.#world, this.#actor, repository, issue, { reason });
  }

  unlock(ref: RepositoryRef, number: number): Issue {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    return setLock(this.#world, this.#actor, repository, issue, null);
  }

  pin(ref: RepositoryRef, number: number): Issue {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    return setPinned(this.#world, this.#actor, repository, issue, true);
  }

  unpin(ref: RepositoryRef, number: number): Issue {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    return setPinned(this.#world, this.#actor, repository, issue, false);
  }

  deleteIssue(ref: RepositoryRef, number: number): void {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    deleteIssue(this.#world, this.#actor, repository, issue);
  }

  /** Transfers an issue to another repository and returns the new issue. */
  transferIssue(ref: RepositoryRef, number: number, to: RepositoryRef): Issue {
    const from = this.#world.repository(ref);
    const issue = this.#world.issue(from, number);
    return transferIssue(this.#world, this.#actor, from, issue, this.#world.repository(to));
  }

  comment(ref: RepositoryRef, number: number, body: string): Comment {
    const repository = this.#world.repository(ref);
    const issue = this.#world.issue(repository, number);
    return createComment(this.#world, this.#actor, repository, issue, body);
  }

  editComment(ref: RepositoryRef, id: Id, body: string): Comment {
    const repository = this.#world.repository(ref);
    const comment = this.#world.comment(repository, id);
    return editComment(this.#world, this.#actor, repository, comment, body);
  }

  deleteComment(ref: RepositoryRef, id: Id): void {
    const repository = this.#world.repository(ref);
    const comment = this.#world.comment(repository, id);
    deleteComment(this.#world, this.#actor, repository, comment);
  }

  #issue(ref: RepositoryRef, number: number): Issue {
    return this.#world.issue(this.#world.repository(ref), number);
  }
}

function without(names: readonly string[], name: string): string[] {
  return names.filter((entry) => entry.toLowerCase() !== name.toLowerCase());
}
