/** The state of the simulated GitHub, its lookups, and the listeners to its changes. */
import type { Clock } from "../../../model/clock.ts";
import { type Instant, SECOND, truncateInstant } from "../../../model/instant.ts";
import { gone, moved, notFound } from "./failures.ts";
import { type Id, IdSequences, type WireJsonObject } from "./identifiers.ts";
import type {
  ActingUser,
  App,
  Comment,
  Installation,
  Issue,
  IssueSlot,
  Label,
  Repository,
  RepositoryRef,
  User,
} from "./state.ts";
import { VersionedMap } from "./versions.ts";

/** One change, with the payload of its webhook. */
export interface Happening {
  readonly at: Instant;
  /** The webhook event: `issues`, `issue_comment`, ... */
  readonly event: string;
  readonly action: string;
  readonly actor: ActingUser;
  readonly repository: Repository | null;
  readonly issueNumber: number | null;
  /** The payload without `installation`, which depends on the receiver. */
  readonly payload: WireJsonObject;
}

export interface UserInput {
  readonly login: string;
  /** `Bot` if the login ends with `[bot]`, else `User`. */
  readonly type?: User["type"];
  readonly name?: string;
  readonly email?: string;
}

export interface RepositoryInput {
  readonly owner: string;
  readonly name: string;
  readonly private?: boolean;
  readonly description?: string;
  /** With `false`, requests for issues are answered with 410. */
  readonly hasIssues?: boolean;
  readonly collaborators?: readonly string[];
}

/** The labels every new repository has. */
export const DEFAULT_LABELS: ReadonlyMap<string, string> = new Map([
  ["bug", "d73a4a"],
  ["documentation", "0075ca"],
  ["duplicate", "cfd3d7"],
  ["enhancement", "a2eeef"],
  ["good first issue", "7057ff"],
  ["help wanted", "008672"],
  ["invalid", "e4e669"],
  ["question", "d876e3"],
  ["wontfix", "ffffff"],
]);

export class World {
  readonly clock: Clock;
  readonly ids = new IdSequences();
  readonly app: App;
  /** The base of links in responses and payloads, without a slash at the end. */
  apiUrl: string;
  readonly htmlUrl: string;
  readonly #users = new Map<string, User>();
  readonly #repositories = new Map<string, Repository>();
  readonly #names = new Map<string, Id>();
  readonly #formerNames = new Map<string, Id>();
  #installations: readonly Installation[] = [];
  readonly #listeners = new Set<(happening: Happening) => void>();

  constructor(clock: Clock, app: App, apiUrl: string, htmlUrl: string) {
    this.clock = clock;
    this.app = app;
    this.apiUrl = apiUrl;
    this.htmlUrl = htmlUrl;
  }

  /** The present time, cut to the second as GitHub's times are. */
  now(): Instant {
    return truncateInstant(this.clock.now(), SECOND);
  }

  onHappening(listener: (happening: Happening) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(happening: Happening): void {
    for (const listener of this.#listeners) listener(happening);
  }

  createUser(input: UserInput): User {
    const { login } = input;
    if (this.#users.has(login.toLowerCase())) throw new Error(`the login ${login} is taken`);
    const user: User = {
      id: this.ids.take("user"),
      login,
      type: input.type ?? (login.endsWith("[bot]") ? "Bot" : "User"),
      name: input.name ?? null,
      email: input.email ?? null,
      createdAt: this.now(),
    };
    this.#users.set(login.toLowerCase(), user);
    return user;
  }

  findUser(login: string): User | undefined {
    return this.#users.get(login.toLowerCase());
  }

  /** The user with that login, created if unknown. */
  user(login: string): User {
    return this.findUser(login) ?? this.createUser({ login });
  }

  users(): readonly User[] {
    return [...this.#users.values()];
  }

  createRepository(input: RepositoryInput): Repository {
    const owner = this.user(input.owner).login;
    const fullName = `${owner}/${input.name}`;
    if (this.#names.has(fullName.toLowerCase())) throw new Error(`${fullName} exists already`);
    const repository: Repository = {
      id: this.ids.take("repository"),
      owner,
      name: input.name,
      private: input.private ?? false,
      description: input.description ?? null,
      hasIssues: input.hasIssues ?? true,
      createdAt: this.now(),
      updatedAt: this.now(),
      nextNumber: 1,
      openIssues: 0,
      collaborators: new Set(input.collaborators ?? []),
      blocked: new Set(),
      labels: new Map(),
      issues: new VersionedMap(),
      comments: new VersionedMap(),
    };
    for (const name of DEFAULT_LABELS.keys()) this.label(repository, name);
    this.#repositories.set(String(repository.id), repository);
    this.#names.set(fullName.toLowerCase(), repository.id);
    this.#formerNames.delete(fullName.toLowerCase());
    return repository;
  }

  repositories(): readonly Repository[] {
    return [...this.#repositories.values()];
  }

  repositoryById(id: Id | string): Repository | undefined {
    return this.#repositories.get(String(id));
  }

  /** By its present or a former name; `moved` says which. Case is ignored. */
  repositoryByName(fullName: string): { repository: Repository; moved: boolean } | undefined {
    const current = this.#names.get(fullName.toLowerCase());
    const id = current ?? this.#formerNames.get(fullName.toLowerCase());
    const repository = id === undefined ? undefined : this.repositoryById(id);
    return repository === undefined ? undefined : { repository, moved: current === undefined };
  }

  /** The repository of a reference in a test. @throws Error if it is unknown. */
  repository(ref: RepositoryRef): Repository {
    const found =
      typeof ref === "string" ? this.repositoryByName(ref)?.repository : this.repositoryById(ref);
    if (found === undefined) throw new Error(`no repository ${String(ref)} in the simulator`);
    return found;
  }

  /** Changes a repository's name, owner or both; the former address leads to it. */
  rename(repository: Repository, name: string, owner: string = repository.owner): void {
    const before = fullNameOf(repository).toLowerCase();
    repository.name = name;
    repository.owner = this.user(owner).login;
    repository.updatedAt = this.now();
    this.#names.delete(before);
    this.#formerNames.set(before, repository.id);
    this.#names.set(fullNameOf(repository).toLowerCase(), repository.id);
    this.#formerNames.delete(fullNameOf(repository).toLowerCase());
  }

  /** The label with that name, created if unknown, as GitHub does for users with push access. */
  label(repository: Repository, name: string): Label {
    const known = repository.labels.get(name.toLowerCase());
    if (known !== undefined) return known;
    const color = DEFAULT_LABELS.get(name) ?? "ededed";
    const label: Label = { id: this.ids.take("label"), name, color, description: null };
    repository.labels.set(name.toLowerCase(), label);
    return label;
  }

  /** @throws GitHubFailure 404, 410 if deleted, 301 if transferred. */
  issue(repository: Repository, number: number, asOf: Instant | null = null): Issue {
    if (!repository.hasIssues) throw gone("Issues are disabled for this repo");
    const slot = repository.issues.get(number, asOf);
    if (slot === undefined) throw notFound();
    if (slot.kind === "deleted") throw gone("This issue was deleted");
    if (slot.kind === "issue") return slot.issue;
    throw moved(301, `/repositories/${String(slot.repositoryId)}/issues/${String(slot.number)}`);
  }

  issues(repository: Repository, asOf: Instant | null = null): Issue[] {
    const found: Issue[] = [];
    for (const slot of repository.issues.values(asOf)) {
      if (slot.kind === "issue") found.push(slot.issue);
    }
    return found;
  }

  /** @throws GitHubFailure 404, also if deleted. */
  comment(repository: Repository, id: Id | string, asOf: Instant | null = null): Comment {
    const slot = repository.comments.get(String(id), asOf);
    if (slot?.kind !== "comment") throw notFound();
    return slot.comment;
  }

  comments(repository: Repository, asOf: Instant | null = null): Comment[] {
    const found: Comment[] = [];
    for (const slot of repository.comments.values(asOf)) {
      if (slot.kind === "comment") found.push(slot.comment);
    }
    return found;
  }

  storeIssue(repository: Repository, number: number, slot: IssueSlot): void {
    repository.openIssues += openCount(slot) - openCount(repository.issues.get(number));
    repository.issues.set(number, slot, this.clock.now());
  }

  storeComment(repository: Repository, comment: Comment): void {
    repository.comments.set(String(comment.id), { kind: "comment", comment }, this.clock.now());
  }

  forgetComment(repository: Repository, comment: Comment): void {
    repository.comments.set(String(comment.id), { kind: "deleted" }, this.clock.now());
  }

  addInstallation(account: string, repositories: Installation["repositories"]): Installation {
    const installation: Installation = {
      id: this.ids.take("installation"),
      account: this.user(account).login,
      repositories,
      createdAt: this.now(),
      suspendedAt: null,
    };
    this.#installations = [...this.#installations, installation];
    return installation;
  }

  removeInstallation(installation: Installation): void {
    this.#installations = this.#installations.filter((entry) => entry !== installation);
  }

  installations(): readonly Installation[] {
    return this.#installations;
  }

  repositoriesOf(installation: Installation): readonly Repository[] {
    return this.repositories().filter((repository) => covers(installation, repository));
  }

  installationOf(repository: Repository): Installation | undefined {
    return this.#installations.find((installation) => covers(installation, repository));
  }
}

function openCount(slot: IssueSlot | undefined): number {
  return slot?.kind === "issue" && slot.issue.state === "open" ? 1 : 0;
}

export function covers(installation: Installation, repository: Repository): boolean {
  if (installation.account !== repository.owner) return false;
  if (installation.repositories === "all") return true;
  const fullName = fullNameOf(repository).toLowerCase();
  return installation.repositories.some((name) => name.toLowerCase() === fullName);
}

export function fullNameOf(repository: Repository): string {
  return `${repository.owner}/${repository.name}`;
}
