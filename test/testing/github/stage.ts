/** A repository with people, a token, an app and a receiver of webhooks: where the stories begin. */
import { parseInstant } from "../../../src/model/instant.ts";
import {
  createGitHubSimulator,
  type GitHubSimulator,
  type SimulatorOptions,
} from "../../../src/testing/github/index.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

export const TOKEN = "ghp_mona";
export const SECRET = "a webhook secret";
export const SITE = "/repos/acme/site";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** `null` where there is no content. */
  readonly body: unknown;
}

export interface Received {
  readonly event: string;
  readonly guid: string;
  readonly headers: Headers;
  readonly body: string;
  readonly payload: Record<string, unknown>;
}

export interface Stage {
  readonly clock: VirtualClock;
  readonly sim: GitHubSimulator;
  /** The deliveries that the receiver got, in their order. */
  readonly inbox: Received[];
  /** Asks the API as `mona`, unless told otherwise. */
  readonly ask: (method: string, path: string, more?: AskOptions) => Promise<Reply>;
  /** Moves time on and lets the deliveries that fall due arrive. */
  readonly pass: (millis: number) => Promise<void>;
}

export interface AskOptions {
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
  readonly token?: string | null;
  readonly signal?: AbortSignal;
  readonly redirect?: RequestRedirect;
}

export function setStage(
  options: Partial<SimulatorOptions> & { readonly seed?: number } = {},
): Stage {
  const clock = new VirtualClock(parseInstant("2026-03-02T09:00:00.400Z"));
  const { seed = 1, ...rest } = options;
  const sim = createGitHubSimulator({ clock, random: seededRandom(seed), ...rest });
  sim.createRepository({ owner: "acme", name: "site" });
  sim.token(TOKEN, { login: "mona" });
  const inbox: Received[] = [];
  sim.addHook({
    secret: SECRET,
    deliver: async (request) => {
      inbox.push(await received(request));
      return new Response(null, { status: 204 });
    },
  });
  return {
    clock,
    sim,
    inbox,
    ask: asker(sim.fetch, "https://api.github.com"),
    pass: async (millis) => {
      clock.advance(millis);
      await sim.answered();
    },
  };
}

export function asker(fetch: typeof globalThis.fetch, baseUrl: string): Stage["ask"] {
  return async (method, path, more = {}) => {
    const { token = TOKEN, json, signal, redirect } = more;
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...more.headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(signal === undefined ? {} : { signal }),
      ...(redirect === undefined ? {} : { redirect }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const body: unknown = text === "" ? null : isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body };
  };
}

export async function received(request: Request): Promise<Received> {
  const body = await request.text();
  return {
    event: request.headers.get("x-github-event") ?? "",
    guid: request.headers.get("x-github-delivery") ?? "",
    headers: request.headers,
    body,
    // Webhooks are JSON objects.
    payload: JSON.parse(body) as Record<string, unknown>,
  };
}

/** Lets promises run until something holds; gives up rather than wait for ever. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn += 1) {
    if (holds()) return;
    await Promise.resolve();
  }
  throw new Error("it did not come about");
}
