/** The simulated GitHub as tests and demos hold it in their hands. */
import type { Clock, Random } from "../../model/clock.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import { seededRandom } from "../random.ts";
import {
  announceInstallation,
  announceOwner,
  announceRename,
  announceSelection,
} from "./announce.ts";
import { AccessTokens, installationKey, type TokenInput } from "./api/access.ts";
import { SimulatedApi } from "./api/api.ts";
import { RateLimits, type WriteLimit } from "./api/rate-limits.ts";
import { Exchange, type RequestMatch } from "./exchange.ts";
import { type Faults, noFaults, type ScriptedFault } from "./faults.ts";
import type { Hold } from "./hold.ts";
import type { Hook } from "./hook.ts";
import { type Id, type IdKind, nodeId } from "./identifiers.ts";
import { Person } from "./person.ts";
import { type RequestEntry, type RequestFilter, RequestLog } from "./request-log.ts";
import type {
  App,
  Comment,
  Installation,
  Issue,
  Repository,
  RepositoryRef,
  User,
} from "./state.ts";
import { createFetch, serveSimulator, type Listening, type ListenOptions } from "./transport.ts";
import { type Delivery, type HookInput, Webhooks } from "./webhooks.ts";
import {
  fullNameOf,
  type Happening,
  type RepositoryInput,
  type UserInput,
  World,
} from "./world.ts";

export interface SimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Makes the stream of randomness of one part of it. Default: one seeded out of `random`. */
  readonly stream?: () => Random;
  readonly app?: Partial<Omit<App, "createdAt">>;
  /** Where the API lives, as `/api/v3` on GitHub Enterprise Server. Default: at the root. */
  readonly basePath?: string;
  /** Where links in answers and webhooks point. Default `https://api.github.com`, or where it listens. */
  readonly apiUrl?: string;
  /** Default `https://github.com`. */
  readonly htmlUrl?: string;
  /** Requests an hour for each login. Default 5000. */
  readonly rateLimit?: number;
  /** The secondary limit on writes. Default: none; GitHub's is about 80 a minute, 500 an hour. */
  readonly writeLimit?: WriteLimit;
}

/** A repository as assertions see it. */
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
 * A stateful GitHub: people act on it, a client talks to its API, a receiver gets its webhooks.
 * Everything random comes from `random` and every time from `clock`, so a seed repeats exactly.
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
  /** What goes wrong. Set its fields at any time. */
  readonly faults: Faults = noFaults();
  /** Reaches the API in process, whatever the host; fails as Node's `fetch` does. */
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
    // A stream each, so that a fault of the API does not change the fate of a webhook.
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

  /** Where links in answers and webhooks point. */
  get apiUrl(): string {
    return this.#world.apiUrl;
  }

  createUser(input: UserInput): User {
    return this.#world.createUser(input);
  }

  /** The owner is created where unknown. */
  createRepository(input: RepositoryInput): RepositoryState {
    return describe(this.#world.createRepository(input));
  }

  /** Gives it another name; the former one redirects. */
  renameRepository(ref: RepositoryRef, name: string): RepositoryState {
    const repository = this.#world.repository(ref);
    const before = repository.name;
    this.#world.rename(repository, name);
    const actor = { login: repository.owner, viaApp: false };
    announceRename(this.#world, actor, repository, before);
    return describe(repository);
  }

  /** Gives it to another owner, who is created where unknown; the former address redirects. */
  transferRepository(ref: RepositoryRef, owner: string): RepositoryState {
    const repository = this.#world.repository(ref);
    const before = repository.owner;
    this.#world.rename(repository, repository.name, owner);
    announceOwner(this.#world, { login: before, viaApp: false }, repository, before);
    return describe(repository);
  }

  /** A person in the browser, who is created where unknown. */
  as(login: string): Person {
    return new Person(this.#world, login);
  }

  /** Makes `id` the next one of its kind, to try ids above 2^31 or, as a `bigint`, above 2^53. */
  startIdsAt(kind: IdKind, id: Id): void {
    this.#world.ids.startAt(kind, id);
  }

  /** Makes a token valid for the API; any other is answered 401. */
  token(token: string, input: TokenInput): void {
    this.#access.grant(token, input);
  }

  revokeToken(token: string): void {
    this.#access.revoke(token);
  }

  /** The owner of a repository blocks a user, who then opens no issue there and writes no comment. */
  blockUser(ref: RepositoryRef, login: string): void {
    this.#world.repository(ref).blocked.add(this.#world.user(login).login);
  }

  /** Installs the app on all or some repositories of an account. */
  installApp(account: string, repositories: Installation["repositories"] = "all"): Installation {
    const installation = this.#world.addInstallation(account, repositories);
    this.#announceInstallation("created", installation);
    return installation;
  }

  /** Removes the app from an account: its tokens answer 401. */
  uninstallApp(installation: Installation): void {
    this.#world.removeInstallation(installation);
    this.#announceInstallation("deleted", installation);
  }

  /** Suspends an installation: its tokens answer 403. */
  suspendInstallation(installation: Installation): void {
    installation.suspendedAt = this.#world.now();
    this.#announceInstallation("suspend", installation);
  }

  unsuspendInstallation(installation: Installation): void {
    installation.suspendedAt = null;
    this.#announceInstallation("unsuspend", installation);
  }

  /** Gives an installation other repositories than it has, as its owner does in the settings. */
  selectRepositories(installation: Installation, repositories: Installation["repositories"]): void {
    const before = this.#world.repositoriesOf(installation);
    installation.repositories = repositories;
    const actor = { login: installation.account, viaApp: false };
    announceSelection(this.#world, actor, installation, before);
  }

  /** Leaves so much of the hourly budget of a login or an installation, for so many seconds. */
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

  /** Sends the event GitHub sends when a hook is made. */
  pingHook(id: Id): void {
    this.#webhooks.ping(id);
  }

  /** All deliveries, oldest first, whatever became of them. */
  get deliveries(): readonly Delivery[] {
    return this.#webhooks.deliveries();
  }

  /** How many deliveries are on their way; held and dropped ones are not. */
  get pendingDeliveries(): number {
    return this.#webhooks.pending;
  }

  /** Resolves when no delivery is on its way. On a virtual clock that may never be: see `answered`. */
  idle(): Promise<void> {
    return this.#webhooks.idle();
  }

  /** Resolves when every delivery that has left is answered; those not yet due do not count. */
  answered(): Promise<void> {
    return this.#webhooks.answered();
  }

  /** Sends a delivery again, under the same GUID. */
  redeliver(id: Id): Delivery {
    return this.#webhooks.redeliver(id);
  }

  /** Sends what `faults.webhooks.hold` held back, in the order given; resolves when answered. */
  releaseDeliveries(ids?: readonly Id[]): Promise<void> {
    return this.#webhooks.release(ids);
  }

  /** Fails the next requests that match. Scripted faults come before random ones. */
  failNext(fault: ScriptedFault, times = 1): void {
    this.#exchange.failNext(fault, times);
  }

  /** Catches the next request that matches, before it takes effect. */
  holdNext(match: RequestMatch = {}): Hold {
    return this.#exchange.holdNext(match);
  }

  /** Ends all faults: rates, scripts, and holds that caught nothing. */
  clearFaults(): void {
    const fresh = noFaults();
    Object.assign(this.faults.webhooks, fresh.webhooks);
    Object.assign(this.faults.api, fresh.api);
    this.#exchange.clearScript();
  }

  get requests(): readonly RequestEntry[] {
    return this.#log.entries;
  }

  /** How many requests match. */
  calls(filter: RequestFilter = {}): number {
    return this.#log.find(filter).length;
  }

  /** Empties the log of requests, to count anew. */
  clearRequests(): void {
    this.#log.clear();
  }

  repository(ref: RepositoryRef): RepositoryState {
    return describe(this.#world.repository(ref));
  }

  /** `undefined` where it never was, was deleted or moved away. */
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
