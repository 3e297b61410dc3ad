/** The simulated GitHub, as tests and demos use it. */
import type { Clock, Random } from "../../model/clock.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import { seededRandom } from "../random.ts";
import {
  announceInstallation,
  announceOwner,
  announceRename,
  announceSelection,
  type Delivery,
  type Hook,
  type HookInput,
  Webhooks,
} from "./webhooks/index.ts";
import {
  AccessTokens,
  installationKey,
  RateLimits,
  SimulatedApi,
  type TokenInput,
  type WriteLimit,
} from "./api/index.ts";
import { createFetch, type Listening, type ListenOptions, serveSimulator } from "./transport.ts";
import { Exchange, type RequestMatch } from "./exchange.ts";
import {
  type Faults,
  type Hold,
  noFaults,
  type RequestEntry,
  type RequestFilter,
  RequestLog,
  type ScriptedFault,
} from "./faults/index.ts";
import {
  type App,
  type Comment,
  fullNameOf,
  type Happening,
  type Id,
  type IdKind,
  type Installation,
  type Issue,
  nodeId,
  type Repository,
  type RepositoryInput,
  type RepositoryRef,
  type User,
  type UserInput,
  World,
} from "./world/index.ts";
import { Person } from "./people/index.ts";

export interface SimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Creates the random numbers of one part of the simulator. Default: seeded from `random`. */
  readonly stream?: () => Random;
  readonly app?: Partial<Omit<App, "createdAt">>;
  /** The path of the API, such as `/api/v3` on GitHub Enterprise Server. Default: the root. */
  readonly basePath?: string;
  /** The base of links in responses and webhooks. Default `https://api.github.com`, or its own address. */
  readonly apiUrl?: string;
  /** Default `https://github.com`. */
  readonly htmlUrl?: string;
  /** Requests an hour for each login. Default 5000. */
  readonly rateLimit?: number;
  /** The secondary limit on writes. Default: none; GitHub's is about 80 a minute, 500 an hour. */
  readonly writeLimit?: WriteLimit;
}

/** A repository's state, for assertions. */
export interface RepositoryState {
  readonly id: Id;
  readonly nodeId: string;
  readonly owner: string;
  readonly name: string;
  readonly fullName: string;
  readonly private: boolean;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

interface Listeners {
  readonly change: (happening: Happening) => void;
  readonly request: (entry: RequestEntry) => void;
  readonly delivery: (delivery: Delivery) => void;
}

/**
 * A stateful GitHub: people act on it, a client calls its API, a receiver gets its webhooks.
 * All randomness comes from `random` and all times from `clock`, so a seed repeats exactly.
 *
 *
 * @example
 * const clock = new VirtualClock();
 * const sim = createGitHubSimulator({ clock, random: seededRandom(1) });
 * sim.createRepository({ owner: "acme", name: "site" });
 * sim.token("ghs_secret", { login: "tandem[bot]" });
 * const issue = sim.as("mona").openIssue("acme/site", { title: "Broken link" });
 * await sim.fetch(`https://api.github.com/repos/acme/site/issues/${issue.number}`, {
 *   headers: { authorization: "Bearer ghs_secret" },
 * });
 */
export function createGitHubSimulator(options: SimulatorOptions): GitHubSimulator {
  return new GitHubSimulator(options);
}

export class GitHubSimulator {
  /** The active faults. Set its fields at any time. */
  readonly faults: Faults = noFaults();
  /** Calls the API in process, for every host name. Fails as Node's `fetch` does. */
  readonly fetch: typeof globalThis.fetch;
  readonly #world: World;
  readonly #webhooks: Webhooks;
  readonly #access: AccessTokens;
  readonly #limits: RateLimits;
  readonly #log = new RequestLog();
  readonly #exchange: Exchange;
  readonly #basePath: string;
  readonly #ownUrl: boolean;

  constructor(options: SimulatorOptions) {
    const { clock, random } = options;
    // Each part has random numbers of its own: a fault of the API must not change the fate of a webhook.
    const stream = options.stream ?? (() => seededRandom(Math.floor(random() * 2 ** 32)));
    this.#basePath = (options.basePath ?? "").replace(/(?<!\/)\/+$/, "");
    this.#ownUrl = options.apiUrl === undefined;
    const apiUrl = options.apiUrl ?? `https://api.github.com${this.#basePath}`;
    const app = describeApp(options);
    this.#world = new World(clock, app, apiUrl, options.htmlUrl ?? "https://github.com");
    this.#webhooks = new Webhooks(this.#world, stream(), this.faults.webhooks);
    this.#access = new AccessTokens(this.#world, stream());
    this.#limits = new RateLimits(options.rateLimit ?? 5_000, options.writeLimit ?? null);
    const world = this.#world;
    const faults = this.faults.api;
    const api = new SimulatedApi({
      world,
      faults,
      webhooks: this.#webhooks,
      access: this.#access,
      limits: this.#limits,
      random: stream(),
    });
    this.#exchange = new Exchange({ world, api, faults, log: this.#log, random: stream() });
    this.fetch = createFetch({ exchange: this.#exchange, clock, faults, basePath: this.#basePath });
  }

  /** The base of links in responses and webhooks. */
  get apiUrl(): string {
    return this.#world.apiUrl;
  }

  createUser(input: UserInput): User {
    return this.#world.createUser(input);
  }

  /** Creates a repository, and its owner if unknown. */
  createRepository(input: RepositoryInput): RepositoryState {
    return describe(this.#world.createRepository(input));
  }

  /** Renames a repository; the former name redirects. */
  renameRepository(ref: RepositoryRef, name: string): RepositoryState {
    const repository = this.#world.repository(ref);
    const before = repository.name;
    this.#world.rename(repository, name);
    const actor = { login: repository.owner, viaApp: false };
    announceRename(this.#world, actor, repository, before);
    return describe(repository);
  }

  /** Transfers a repository to another owner, who is created if unknown; the former address redirects. */
  transferRepository(ref: RepositoryRef, owner: string): RepositoryState {
    const repository = this.#world.repository(ref);
    const before = repository.owner;
    this.#world.rename(repository, repository.name, owner);
    announceOwner(this.#world, { login: before, viaApp: false }, repository, before);
    return describe(repository);
  }

  /** A person who uses the web pages, created if unknown. */
  as(login: string): Person {
    return new Person(this.#world, login);
  }

  /** Sets the next id of a kind, to test ids above 2^31 or, as a `bigint`, above 2^53. */
  startIdsAt(kind: IdKind, id: Id): void {
    this.#world.ids.startAt(kind, id);
  }

  /** Makes a token valid for the API; all others are answered with 401. */
  token(token: string, input: TokenInput): void {
    this.#access.grant(token, input);
  }

  revokeToken(token: string): void {
    this.#access.revoke(token);
  }

  /** The owner of a repository blocks a user, who can no longer open issues or comment there. */
  blockUser(ref: RepositoryRef, login: string): void {
    this.#world.repository(ref).blocked.add(this.#world.user(login).login);
  }

  /** Installs the app on all or some repositories of an account. */
  installApp(account: string, repositories: Installation["repositories"] = "all"): Installation {
    const installation = this.#world.addInstallation(account, repositories);
    this.#announceInstallation("created", installation);
    return installation;
  }

  /** Removes the app from an account: its tokens are answered with 401. */
  uninstallApp(installation: Installation): void {
    this.#world.removeInstallation(installation);
    this.#announceInstallation("deleted", installation);
  }

  /** Suspends an installation: its tokens are answered with 403. */
  suspendInstallation(installation: Installation): void {
    installation.suspendedAt = this.#world.now();
    this.#announceInstallation("suspend", installation);
  }

  unsuspendInstallation(installation: Installation): void {
    installation.suspendedAt = null;
    this.#announceInstallation("unsuspend", installation);
  }

  /** Changes the repositories of an installation, as its owner does in the settings. */
  selectRepositories(installation: Installation, repositories: Installation["repositories"]): void {
    const before = this.#world.repositoriesOf(installation);
    installation.repositories = repositories;
    const actor = { login: installation.account, viaApp: false };
    announceSelection(this.#world, actor, installation, before);
  }

  /** Leaves this much of the hourly limit of a login or an installation, for this many seconds. */
  setRateLimit(who: string | Installation, remaining: number, resetInSeconds = 3_600): void {
    const reset = addMillis(this.#world.now(), resetInSeconds * 1_000);
    this.#limits.set(typeof who === "string" ? who : installationKey(who), remaining, reset);
  }

  /** Serves the API over HTTP; on the real clock only. */
  async listen(options: ListenOptions = {}): Promise<Listening> {
    const { clock } = this.#world;
    const parts = { exchange: this.#exchange, clock, faults: this.faults.api };
    const listening = await serveSimulator({ ...parts, basePath: this.#basePath }, options);
    if (this.#ownUrl) this.#world.apiUrl = listening.url;
    return listening;
  }

  addHook(input: HookInput): Hook {
    return this.#webhooks.addHook(input);
  }

  removeHook(id: Id): void {
    this.#webhooks.removeHook(id);
  }

  /** Sends the event that GitHub sends for a new hook. */
  pingHook(id: Id): void {
    this.#webhooks.ping(id);
  }

  /** All deliveries, oldest first, in any state. */
  get deliveries(): readonly Delivery[] {
    return this.#webhooks.deliveries();
  }

  /** The number of deliveries that are scheduled or being sent; held and dropped ones do not count. */
  get pendingDeliveries(): number {
    return this.#webhooks.pending;
  }

  /** Resolves when no delivery is pending. On a virtual clock that may never happen: see `answered`. */
  idle(): Promise<void> {
    return this.#webhooks.idle();
  }

  /** Resolves when every delivery that was sent is answered; those that are not yet due do not count. */
  answered(): Promise<void> {
    return this.#webhooks.answered();
  }

  /** Sends a delivery again, under the same GUID. */
  redeliver(id: Id): Delivery {
    return this.#webhooks.redeliver(id);
  }

  /** Sends the deliveries that `faults.webhooks.hold` kept, in the given order; resolves when answered. */
  releaseDeliveries(ids?: readonly Id[]): Promise<void> {
    return this.#webhooks.release(ids);
  }

  /** Fails the next requests that match. Scripted faults have precedence over random ones. */
  failNext(fault: ScriptedFault, times = 1): void {
    this.#exchange.failNext(fault, times);
  }

  /** Catches the next request that matches, before it takes effect. */
  holdNext(match: RequestMatch = {}): Hold {
    return this.#exchange.holdNext(match);
  }

  /** Ends all faults: rates, scripts, and holds that have caught nothing. */
  clearFaults(): void {
    const fresh = noFaults();
    Object.assign(this.faults.webhooks, fresh.webhooks);
    Object.assign(this.faults.api, fresh.api);
    this.#exchange.clearScript();
  }

  get requests(): readonly RequestEntry[] {
    return this.#log.entries;
  }

  /** The number of requests that match. */
  calls(filter: RequestFilter = {}): number {
    return this.#log.find(filter).length;
  }

  /** Empties the log of requests, so that counts restart at zero. */
  clearRequests(): void {
    this.#log.clear();
  }

  repository(ref: RepositoryRef): RepositoryState {
    return describe(this.#world.repository(ref));
  }

  /** `undefined` if the issue never existed, was deleted or was transferred. */
  issue(ref: RepositoryRef, number: number): Issue | undefined {
    const slot = this.#world.repository(ref).issues.get(number);
    return slot?.kind === "issue" ? slot.issue : undefined;
  }

  /** All issues and pull requests, by number. */
  issues(ref: RepositoryRef): readonly Issue[] {
    return this.#world.issues(this.#world.repository(ref));
  }

  /** All comments, or those of one issue, oldest first. */
  comments(ref: RepositoryRef, issueNumber?: number): readonly Comment[] {
    const found = this.#world.comments(this.#world.repository(ref));
    if (issueNumber === undefined) return found;
    return found.filter((comment) => comment.issueNumber === issueNumber);
  }

  /** Listens to changes, answered requests, or each step of a delivery. Returns how to stop. */
  on<K extends keyof Listeners>(kind: K, listener: Listeners[K]): () => void {
    const subscribe: { readonly [P in keyof Listeners]: (to: Listeners[P]) => () => void } = {
      change: (to) => this.#world.onHappening(to),
      request: (to) => this.#log.onAnswered(to),
      delivery: (to) => this.#webhooks.onDelivery(to),
    };
    return subscribe[kind](listener);
  }

  #announceInstallation(
    action: "created" | "deleted" | "suspend" | "unsuspend",
    installation: Installation,
  ): void {
    const actor = { login: installation.account, viaApp: false };
    announceInstallation(this.#world, actor, action, installation);
  }
}

function describeApp({ app = {}, clock }: SimulatorOptions): App {
  const slug = app.slug ?? "tandem";
  return {
    id: app.id ?? 1_001,
    slug,
    name: app.name ?? slug,
    clientId: app.clientId ?? "Iv1.5ca1ab1e0ddba11",
    owner: app.owner ?? "tandem-makers",
    publicKey: app.publicKey ?? null,
    createdAt: clock.now(),
  };
}

function describe(repository: Repository): RepositoryState {
  const { id, owner, name, createdAt, updatedAt } = repository;
  return {
    id,
    nodeId: nodeId("R", id),
    owner,
    name,
    fullName: fullNameOf(repository),
    private: repository.private,
    createdAt,
    updatedAt,
  };
}
