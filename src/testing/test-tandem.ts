/**
 * A whole Tandem on a virtual clock: the real runtime and store, the GitHub simulator in process,
 * and a database that the test gives. Nothing moves until the test says so.
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
  /** The configuration; its database is the test's own. */
  readonly config: AnyConfig;
  /** Runs one statement on that database as the app would; a `MemoryDatabase` needs none. */
  readonly sql?: (text: string, params?: unknown[]) => Promise<unknown>;
  /** The same seed tells the same story. Default: 1. */
  readonly seed?: number;
  /** Wraps the way out, to hear what Tandem is told. */
  readonly listenIn?: (fetch: typeof globalThis.fetch) => typeof globalThis.fetch;
  /** Stands between GitHub and the receiver, to hear each webhook and to say when it is received. */
  readonly onWebhook?: (payload: string, receive: () => Promise<Response>) => Promise<Response>;
  /** The scope value joined to the repository. Default: `1`. */
  readonly scope?: string;
  /** Where randomness comes from instead of the seed: Tandem's, and each part of GitHub's. */
  readonly chance?: { readonly tandem: Random; readonly github: () => Random };
  /** Where named secrets are looked up, at the time they are needed. Default: there are none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Puts itself between Tandem and its store, to watch it or to doctor it. */
  readonly wrapStore?: (store: Store) => Store;
  /** Whether the database was migrated before, by this code and these mappings. Default: no. */
  readonly isMigrated?: boolean;
  /** Told where a worker may die, so that a test can let it. */
  readonly failpoints?: Failpoints;
  /** Who takes in at once what webhooks say; `null`: it is stored, and `settle` does it. Default: nobody. */
  readonly takesIn?: () => string | null;
  /** Default: says nothing. */
  readonly log?: Log;
  /** How far GitHub's clock is ahead of ours. Default: 0. */
  readonly githubAheadMillis?: number;
  /** How far the clock of Tandem's process is ahead of the database's. Default: 0. */
  readonly processAheadMillis?: number;
}

export interface TestTandem {
  readonly tandem: Tandem;
  readonly github: GitHubSimulator;
  readonly clock: VirtualClock;
  readonly connection: Connection;
  /** Sets GitHub's clock so far ahead of ours; less than before, and it steps back. */
  setGitHubAhead(millis: number): void;
  /** Moves every clock, SQL's included. */
  advance(millis: number): Promise<void>;
  /** Delivers webhooks and processes until nothing is due; time moves by fractions of a second. */
  settle(): Promise<void>;
  /** Lets waits and retries pass, from one due time to the next, until nothing waits any more. */
  settleWithin(minutes: number): Promise<void>;
  close(): Promise<void>;
}

/** The repository every test Tandem is connected to, and who Tandem is there. */
export const TEST_REPOSITORY = "acme/site";
export const TEST_LOGIN = "tandem-bot";
/** Signs its webhooks. */
export const TEST_SECRET = "a webhook secret";
/** What stands in the environment: a key, so that accounts may be given their secrets literally. */
export const TEST_ENVIRONMENT = {
  TANDEM_ENCRYPTION_KEY: "a key that is used in tests and nowhere else",
};
/** Its account's. */
export const TEST_TOKEN = "ghs_test";

/**
 * Opens a test Tandem: migrated, connected to `acme/site`, with a webhook hooked up.
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
    // The test's own object, which it may change later.
    environment: Object.assign(options.environment ?? {}, TEST_ENVIRONMENT),
    // Tests ask the handler itself, and nothing tells it from where.
    authorize: () => true,
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.takesIn === undefined ? {} : { takesIn: options.takesIn }),
  };
  const { failpoints = NO_FAILPOINTS, wrapStore } = options;
  // Time stands still while a test settles: no edit waits for the one before, and the answer to our own write
  // stands for a read, unless that is asked for.
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
    // What has left is answered first, or GitHub's patience would run out while a real database is slow.
    await github.answered();
    // The database first: what a timer sets going must not find it at an earlier time.
    await tellTime(addMillis(clock.now(), millis));
    clock.advance(millis);
  }

  async function settle(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      // What is on its way arrives first, or the order would be the machine's.
      await github.answered();
      // GitHub may have lost patience, where time has jumped on: what it sent is stored all the same.
      await Promise.allSettled(receiving);
      const { deliveries, changes, events } = await tandem.settle();
      if (deliveries + changes + events + github.pendingDeliveries === 0) return;
      if (github.pendingDeliveries > 0) await advance(50);
    }
    throw new Error("still not settled after 200 rounds: something goes in circles");
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
        // Never by less than a second: what is due may wait behind something that is not.
        await advance(Math.max(1_000, (due - now) / MILLISECOND + 1));
      }
    },
    close: () => tandem.stop(),
  };
}

/**
 * A test that jumps over ten seconds cuts off every webhook whose body is being read, although the body is
 * there: such a webhook is received after the jump. Otherwise each jump would lose what was under way.
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

/** Puts the database under the clock; returns how it is told of a new time. */
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

/** The same clock as somebody reads it whose own is set wrong. */
function aheadOf(clock: Clock, ahead: { readonly millis: number }): Clock {
  return {
    now: () => addMillis(clock.now(), ahead.millis),
    setTimer: (wait, fire) => clock.setTimer(wait, fire),
  };
}
