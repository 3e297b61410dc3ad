/** The begin of this folder's stories: a simulated GitHub and an account that reaches it. */
import { github, type GitHubOptions } from "../../../src/integrations/github/index.ts";
import {
  type AccountClient,
  type ContainerClient,
  IntegrationError,
  type ListPage,
  type ListQuery,
  type Telemetry,
} from "../../../src/integrations/integration.ts";
import type { Observation, ResourceRef } from "../../../src/model/observation.ts";
import {
  createGitHubSimulator,
  type GitHubSimulator,
  type SimulatorOptions,
} from "../../../src/testing/github/index.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

export const SITE = "acme/site";

export interface Story {
  readonly clock: VirtualClock;
  readonly sim: GitHubSimulator;
  readonly account: AccountClient;
  /** The repository acme/site. */
  readonly site: ContainerClient;
  /** Everything the account was told beside the answers. */
  readonly telemetry: Telemetry[];
}

/** A repository acme/site, and the bot tandem[bot] that may write to it. */
export function givenSite(options: Partial<SimulatorOptions> & GitHubOptions = {}): Story {
  const clock = new VirtualClock();
  const sim = createGitHubSimulator({ clock, random: seededRandom(1), ...options });
  const { id } = sim.createRepository({ owner: "acme", name: "site" });
  sim.token("t0ken", { login: "tandem[bot]" });
  const account = connectTo(sim.fetch, clock, { token: "t0ken" }, options);
  const telemetry: Telemetry[] = [];
  account.onTelemetry((told) => telemetry.push(told));
  return {
    clock,
    sim,
    account,
    site: account.container({ id: String(id), name: SITE }),
    telemetry,
  };
}

export function connectTo(
  fetch: typeof globalThis.fetch,
  clock: VirtualClock,
  credentials: unknown,
  options: GitHubOptions = {},
): AccountClient {
  return github(options).connect({
    name: "acme",
    credentials,
    fetch,
    now: () => clock.now(),
    setTimer: (millis, fire) => clock.setTimer(millis, fire),
  });
}

/** A server that says the same to every request; for answers GitHub would never give. */
export function alwaysAnswering(
  body: string,
  init: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): typeof globalThis.fetch {
  const headers = { "content-type": "application/json; charset=utf-8", ...init.headers };
  return () => Promise.resolve(new Response(body, { ...init, headers }));
}

export function issue(number: number): ResourceRef {
  return { type: "issue", externalId: String(number) };
}

export function comment(id: number | bigint): ResourceRef {
  return { type: "issue_comment", externalId: String(id) };
}

/** The error a promise is rejected with; fails where it is kept, or rejected with another. */
export async function failureOf(promise: Promise<unknown>): Promise<IntegrationError> {
  const outcome = await promise.then(
    () => "it succeeded",
    (error: unknown) => error,
  );
  if (outcome instanceof IntegrationError) return outcome;
  throw new Error("expected an IntegrationError", { cause: outcome });
}

export async function pagesOf(
  site: ContainerClient,
  query: Partial<ListQuery> = {},
): Promise<ListPage[]> {
  const pages: ListPage[] = [];
  const whole = { type: "issue", since: null, etag: null, ...query };
  for await (const page of site.list(whole)) pages.push(page);
  return pages;
}

export async function observationsOf(
  site: ContainerClient,
  query: Partial<ListQuery> = {},
): Promise<Observation[]> {
  return (await pagesOf(site, query)).flatMap((page) => page.observations);
}
