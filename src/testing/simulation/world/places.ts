/** The places of a history: the repositories, and the app's projects that are connected to them. */
import type { ConnectionId } from "../../../model/ids.ts";
import type { Lane } from "../../../model/lane.ts";
import type { Id } from "../../github/world/index.ts";
import { TEST_LOGIN, TEST_REPOSITORY, TEST_TOKEN } from "../../test-tandem.ts";

/**
 * `staying`: one project and its repository. `moving`: two of them, and a project and a repository without a
 * connection. Tasks, comments and issues move between them, repositories are renamed, people sign up, and
 * users have tokens of their own. `polling`: as `staying`, but all or many webhooks are lost, and every remote
 * edit that is overwritten unread is counted.
 */
export const WORLD_KINDS = ["staying", "moving", "polling"] as const;
export type WorldKind = (typeof WORLD_KINDS)[number];

/** The repositories by the key of their project. */
const REPOSITORIES: Readonly<Record<WorldKind, Readonly<Record<string, string>>>> = {
  staying: { "1": TEST_REPOSITORY },
  moving: { "1": TEST_REPOSITORY, "2": "acme/app" },
  polling: { "1": TEST_REPOSITORY },
};

export interface TestAccount {
  readonly name: string;
  readonly login: string;
  readonly token: string;
}

const FIRST: TestAccount = { name: "acme", login: TEST_LOGIN, token: TEST_TOKEN };
const SECOND: TestAccount = { name: "acme-app", login: "tandem-app-bot", token: "ghs_test_app" };

/** Tandem's logins at GitHub. */
export const OUR_LOGINS: ReadonlySet<string> = new Set([FIRST.login, SECOND.login]);

/** In two of four seeds the second repository has an account of its own. */
export function accountOf(repository: string, seed: number): TestAccount {
  return repository === TEST_REPOSITORY || seed % 4 < 2 ? FIRST : SECOND;
}

/** The app's projects, by name, in the order of their keys. */
export const PROJECTS: Readonly<Record<WorldKind, readonly string[]>> = {
  staying: ["Site"],
  moving: ["Site", "App", "Nowhere"],
  polling: ["Site"],
};

/** Repositories without a connection. */
const OUTSIDE: Readonly<Record<WorldKind, readonly string[]>> = {
  staying: [],
  moving: ["acme/elsewhere"],
  polling: [],
};

/** The repositories of a world, connected ones first. */
export function repositoriesOf(kind: WorldKind): readonly string[] {
  return [...Object.values(REPOSITORIES[kind]), ...OUTSIDE[kind]];
}

/** The project that a repository is connected to, if any. */
export function projectOf(kind: WorldKind, repository: string): string | null {
  const found = Object.entries(REPOSITORIES[kind]).find(([, name]) => name === repository);
  return found?.[0] ?? null;
}

/** A repository. It keeps its number and, within a history, its first name. */
export interface Site {
  readonly repository: string;
  readonly id: Id;
}

/** A connected repository, with its project. */
export interface ConnectedSite extends Site {
  readonly project: string;
  readonly connection: ConnectionId;
}

export function issueName(repository: string, number: number | string): string {
  const where = repository === TEST_REPOSITORY ? "" : ` of ${repository}`;
  return `issue:${String(number)}${where}`;
}

/** Numbers of comments are unique over all repositories, as at GitHub. */
export function commentName(id: number | bigint | string): string {
  return `issue_comment:${String(id)}`;
}

export function thingOfRecord({
  recordType,
  recordId,
}: Pick<Lane, "recordType" | "recordId">): string {
  return `${recordType}:${recordId ?? ""}`;
}

export function thingOfResource(
  {
    connectionId,
    resourceType,
    externalId,
  }: Pick<Lane, "connectionId" | "resourceType" | "externalId">,
  places: readonly ConnectedSite[],
): string {
  if (resourceType !== "issue") return `${resourceType}:${externalId ?? ""}`;
  const place = places.find(({ connection }) => connection === connectionId);
  return issueName(place?.repository ?? "", externalId ?? "");
}
