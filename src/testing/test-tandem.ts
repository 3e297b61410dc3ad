/**
 * A complete Tandem on a virtual clock: the real runtime and store, the GitHub simulator in process, and a
 * database of the test. Nothing runs until the test advances or settles it.
 */
import type { AnyConfig } from "../config.ts";
import type { Clock, Random } from "../model/clock.ts";
import type { Connection } from "../model/connection.ts";
import { addMillis, formatInstant, type Instant, MILLISECOND } from "../model/instant.ts";
import { type Failpoints, type Log, NO_FAILPOINTS } from "../runtime/services/index.ts";
import { assembleTandem, type Tandem } from "../server/tandem.ts";
import { MemoryDatabase } from "../store/memory/memory-database.ts";
import type { Store } from "../store/store.ts";
import { createGitHubSimulator, type GitHubSimulator } from "./github/index.ts";
import { seededRandom } from "./random.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface TestTandemOptions {
  /** The configuration, whose database belongs to the test. */
  readonly config: AnyConfig;
  /** Runs one statement on that database as the app would; a `MemoryDatabase` needs none. */
  readonly sql?: (text: string, params?: unknown[]) => Promise<unknown>;
  /** The same seed gives the same history. Default: 1. */
  readonly seed?: number;
  /** Wraps Tandem's `fetch`, to observe its requests and responses. */
  readonly listenIn?: (fetch: typeof globalThis.fetch) => typeof globalThis.fetch;
  /** Stands between GitHub and the receiver, to observe each webhook and to decide when it is received. */
  readonly onWebhook?: (payload: string, receive: () => Promise<Response>) => Promise<Response>;
  /** The scope value that is connected to the repository. Default: `1`. */
  readonly scope?: string;
  /** Random numbers in place of the seed's: Tandem's, and those of each part of GitHub. */
  readonly chance?: { readonly tandem: Random; readonly github: () => Random };
  /** The environment for named secrets, which is read when one is needed. Default: empty. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Wraps Tandem's store, to observe it or to change its answers. */
  readonly wrapStore?: (store: Store) => Store;
  /** Whether this code and these mappings have migrated the database already. Default: no. */
  readonly isMigrated?: boolean;
  /** Called at each place where a worker may die, so that a test can end it there. */
  readonly failpoints?: Failpoints;
  /** The name of the worker that ingests webhooks as they are stored; `null`: `settle` does. Default: `null`. */
  readonly takesIn?: () => string | null;
  /** Default: silent. */
  readonly log?: Log;
  /** The lead of GitHub's clock over the database's. Default: 0. */
  readonly githubAheadMillis?: number;
  /** The lead of the clock of Tandem's process over the database's. Default: 0. */
  readonly processAheadMillis?: number;
}

export interface TestTandem {
  readonly tandem: Tandem;
  readonly github: GitHubSimulator;
  readonly clock: VirtualClock;
  readonly connection: Connection;
  /** Sets the lead of GitHub's clock; a smaller one than before sets that clock back. */
  setGitHubAhead(millis: number): void;
  /** Advances every clock, including SQL's. */
  advance(millis: number): Promise<void>;
  /** Delivers webhooks and processes events until nothing is due; time advances by fractions of a second. */
  settle(): Promise<void>;
  /** Also waits for retries and backoff, from one due time to the next, until nothing is left. */
  settleWithin(minutes: number): Promise<void>;
  close(): Promise<void>;
}

/** The repository to which every test Tandem is connected, and the login of Tandem's account there. */
export const TEST_REPOSITORY = "acme/site";
export const TEST_LOGIN = "tandem-bot";
/** The secret of the repository's webhooks. */
export const TEST_SECRET = "a webhook secret";
/** The environment of a test: a key, so that literal secrets of accounts can be stored. */
export const TEST_ENVIRONMENT = {
  TANDEM_ENCRYPTION_KEY: "a key that is used in tests and nowhere else",
};
/** The account's token. */
export const TEST_TOKEN = "ghs_test";

/**
 * Opens a test Tandem: migrated, connected to `acme/site`, with a webhook.
 *
 * @example
 * const database = createMemoryDatabase({ tables });
 * const t = await createTestTandem({ config: { ...config, database } });
 * t.github.as("mona").openIssue("acme/site", { title: "Hello" });
 * await t.settle();
 */
export async function createTestTandem(options: TestTandemOptions): Promise<TestTandem> {
  const clock = new VirtualClock();
  const seed = options.seed ?? 1;
  const ahead = { millis: options.githubAheadMillis ?? 0 };
  const theirs = aheadOf(clock, ahead);
  const github = createGitHubSimulator({
    clock: theirs,
    random: seededRandom(seed),
    ...(options.chance === undefined ? {} : { stream: options.chance.github }),
  });
  github.createUser({ login: TEST_LOGIN, type: "Bot" });
  github.createUser({ login: "mona" });
  const [owner = "", name = ""] = TEST_REPOSITORY.split("/");
  github.createRepository({ owner, name });
  github.token(TEST_TOKEN, { login: TEST_LOGIN });

  const surroundings = {
    clock: aheadOf(clock, { millis: options.processAheadMillis ?? 0 }),
    random: options.chance?.tandem ?? seededRandom(seed + 1),
    fetch: options.listenIn === undefined ? github.fetch : options.listenIn(github.fetch),
    // The test's own object, because the test may change it later.
    environment: Object.assign(options.environment ?? {}, TEST_ENVIRONMENT),
    // Tests call the handler directly, without a peer address.
    authorize: () => true,
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.takesIn === undefined ? {} : { takesIn: options.takesIn }),
  };
  const { failpoints = NO_FAILPOINTS, wrapStore } = options;
  // Time stands still while a test settles. So, by default, no edit waits for the one before, and the response
  // to our own write counts as a read.
  const safety = { writePause: false, readFreshness: 1_000, ...options.config.safety } as const;
  const config = { ...options.config, safety };
  const tandem = await assembleTandem(config, surroundings, failpoints, wrapStore);
  if (options.isMigrated !== true) await tandem.migrate();
  const tellTime = await ruleTime(options, clock);
  const connection = await tandem.connect({
    account: {
      name: "acme",
      integration: "github",
      credentials: { token: TEST_TOKEN, baseUrl: github.apiUrl },
      webhookSecret: TEST_SECRET,
    },
    container: TEST_REPOSITORY,
    scope: options.scope ?? "1",
  });
  const receiving = new Set<Promise<unknown>>();
  const receive = (request: Request, body: string) => {
    const answer = receiveWhole(tandem.fetch, request, body);
    receiving.add(answer);
    const forget = () => void receiving.delete(answer);
    void answer.then(forget, forget);
    return answer;
  };
  github.addHook({
    secret: TEST_SECRET,
    url: "http://localhost/webhooks/github",
    deliver: (request, body) => {
      const receiveIt = () => receive(request, body);
      return options.onWebhook?.(body, receiveIt) ?? receiveIt();
    },
    events: [
      ...["issues", "issue_comment", "pull_request"],
      ...["repository", "installation", "installation_repositories"],
    ],
  });
  github.clearRequests();

  async function advance(millis: number): Promise<void> {
    // First wait for sent webhooks: with a slow database GitHub's time-out would pass otherwise.
    await github.answered();
    // Advance the database first: code that a timer starts must not see an earlier time there.
    await tellTime(addMillis(clock.now(), millis));
    clock.advance(millis);
  }

  async function settle(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      // First wait for sent webhooks, so that the order does not depend on the machine.
      await github.answered();
      // GitHub may have timed out after a jump in time, but its webhooks are stored nevertheless.
      await Promise.allSettled(receiving);
      const { deliveries, changes, events } = await tandem.settle();
      if (deliveries + changes + events + github.pendingDeliveries === 0) return;
      if (github.pendingDeliveries > 0) await advance(50);
    }
    throw new Error("still not settled after 200 rounds: some work repeats endlessly");
  }

  return {
    tandem,
    github,
    clock,
    connection,
    setGitHubAhead(millis) {
      ahead.millis = millis;
    },
    advance,
    settle,
    async settleWithin(minutes) {
      const end = addMillis(clock.now(), minutes * 60_000);
      for (;;) {
        await settle();
        const { now, due } = await tandem.services.store.ledger.nextDue();
        if (due === null || due > end) return;
        // At least a second: a due event may be blocked by one that is not due.
        await advance(Math.max(1_000, (due - now) / MILLISECOND + 1));
      }
    },
    close: () => tandem.stop(),
  };
}

/**
 * A test that jumps over ten seconds times out the reading of every webhook's body, although the body is in
 * memory. Such a webhook is received again after the jump; otherwise each jump would lose some.
 */
async function receiveWhole(
  fetch: Tandem["fetch"],
  request: Request,
  body: string,
): Promise<Response> {
  const { url, method, headers } = request;
  const answer = await fetch(request);
  return answer.status === 408 ? fetch(new Request(url, { method, headers, body })) : answer;
}

/** Puts the database under the virtual clock; returns a function that sets the database's time. */
async function ruleTime(
  { config, sql }: TestTandemOptions,
  clock: Clock,
): Promise<(now: Instant) => Promise<void>> {
  if (config.database instanceof MemoryDatabase) {
    config.database.useClock(() => clock.now());
    return () => Promise.resolve();
  }
  if (sql === undefined) throw new Error("a test Tandem on a database of SQL needs `sql`");
  await sql("create table if not exists tandem.virtual_clock (at timestamptz not null)");
  await sql("truncate tandem.virtual_clock");
  await sql("insert into tandem.virtual_clock values ($1)", [formatInstant(clock.now())]);
  await sql(`
    create or replace function tandem.now() returns timestamptz
    language sql volatile as $$ select at from tandem.virtual_clock $$`);
  return async (now) => {
    await sql("update tandem.virtual_clock set at = $1", [formatInstant(now)]);
  };
}

/** The same clock with an offset, for a process whose clock is wrong. */
function aheadOf(clock: Clock, ahead: { readonly millis: number }): Clock {
  return {
    now: () => addMillis(clock.now(), ahead.millis),
    setTimer: (wait, fire) => clock.setTimer(wait, fire),
  };
}
