/**
 * A GitHub that is not ours: npm `emulate`, in a process of its own. It keeps documented paths only
 * (`/repos/:owner/:repo/...`), lacks the list of a repository's comments, and answers times in milliseconds.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { freePort } from "../harness/free-port.ts";
import { until } from "../processes/crash/until.ts";

/** Another version is another server: what we know of it was seen with this one. It needs Node 24. */
const PROGRAM = ["-y", "-p", "node@24", "-p", "emulate@0.12.1", "emulate"];
export const OWNER = "tandem-bot";
const PERSON_TOKEN = "mona-token";

/**
 * The bot's token for a repository. Each token has a budget of requests of its own: with one for all, a
 * backfill would leave what is left after a story of polls to others.
 */
export function botToken(repository: string): string {
  return `bot-token-${repository}`;
}

function seedOf(repositories: readonly string[]): object {
  const bot = { login: OWNER, scopes: ["repo", "user", "admin:repo_hook"] };
  return {
    tokens: {
      ...Object.fromEntries(repositories.map((name) => [botToken(name), bot])),
      [PERSON_TOKEN]: { login: "mona", scopes: ["repo"] },
    },
    github: {
      users: [{ login: OWNER }, { login: "mona" }],
      repos: repositories.map((name) => ({ owner: OWNER, name, auto_init: false })),
    },
  };
}

const issueShape = z.looseObject({
  number: z.number(),
  title: z.string(),
  body: z.string().nullable(),
  state: z.string(),
  /** How many. */
  comments: z.number(),
});
const commentShape = z.looseObject({ id: z.number(), body: z.string() });
export type EmulatedIssue = z.infer<typeof issueShape>;
export type EmulatedComment = z.infer<typeof commentShape>;

export interface EmulatedGitHub {
  readonly url: string;
  /** A person's view of a repository, and their acts in it. */
  inRepository(name: string): RepositoryOfAPerson;
  /** Sends the repository's webhooks to an address. */
  addHook(name: string, url: string, secret: string): Promise<void>;
  stop(): Promise<void>;
}

export interface RepositoryOfAPerson {
  /** A page of a hundred, the newest first. */
  issues(page?: number): Promise<readonly EmulatedIssue[]>;
  comments(issue: number): Promise<readonly EmulatedComment[]>;
  openIssue(values: { readonly title: string; readonly body?: string }): Promise<EmulatedIssue>;
  editIssue(number: number, values: Partial<Omit<EmulatedIssue, "number">>): Promise<void>;
  comment(issue: number, body: string): Promise<EmulatedComment>;
  editComment(id: number, body: string): Promise<void>;
  deleteComment(id: number): Promise<void>;
}

/** Starts it with some repositories of the bot's. The first start downloads it. */
export async function startEmulatedGitHub(
  repositories: readonly string[],
): Promise<EmulatedGitHub> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tandem-emulate-"));
  const seed = join(folder, "seed.json");
  writeFileSync(seed, JSON.stringify(seedOf(repositories)));
  const argv = ["start", "--service", "github", "-p", String(port), "--seed", seed];
  // In a group of its own: npx starts others.
  const child = spawn("npx", [...PROGRAM, ...argv], { cwd: folder, detached: true });
  let log = "";
  child.stdout.on("data", (text: Buffer) => (log += text.toString()));
  child.stderr.on("data", (text: Buffer) => (log += text.toString()));
  const url = `http://127.0.0.1:${String(port)}`;
  try {
    await until(
      "emulate answers",
      () => answers(child, url),
      () => log,
    );
  } catch (error) {
    await endGroup(child);
    throw error;
  }

  async function ask(method: string, path: string, token: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${url}/repos/${OWNER}/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${String(answer.status)} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  return {
    url,
    inRepository(name) {
      const issues = `${name}/issues`;
      const of = (number: number) => `${issues}/${String(number)}`;
      const ofComment = (id: number) => `${issues}/comments/${String(id)}`;
      const asPerson = (method: string, path: string, body?: object) =>
        ask(method, path, PERSON_TOKEN, body);
      return {
        issues: async (page = 1) => {
          const query = `state=all&per_page=100&page=${String(page)}`;
          return z.array(issueShape).parse(await asPerson("GET", `${issues}?${query}`));
        },
        comments: async (number) =>
          z.array(commentShape).parse(await asPerson("GET", `${of(number)}/comments`)),
        openIssue: async (values) => issueShape.parse(await asPerson("POST", issues, values)),
        editIssue: async (number, values) => {
          // A stranger's issue is edited by the repository's owner.
          await ask("PATCH", of(number), botToken(name), values);
        },
        comment: async (number, body) =>
          commentShape.parse(await asPerson("POST", `${of(number)}/comments`, { body })),
        editComment: async (id, body) => {
          await ask("PATCH", ofComment(id), botToken(name), { body });
        },
        deleteComment: async (id) => {
          await ask("DELETE", ofComment(id), botToken(name));
        },
      };
    },
    async addHook(name, address, secret) {
      const config = { url: address, secret, content_type: "json" };
      const events = ["issues", "issue_comment"];
      await ask("POST", `${name}/hooks`, botToken(name), { name: "web", events, config });
    },
    async stop() {
      await endGroup(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(child: ChildProcess, url: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`emulate ended with ${String(child.exitCode)}`);
  try {
    return (await fetch(url)).status > 0;
  } catch {
    return false;
  }
}

async function endGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-pid, "SIGTERM");
  await ended;
}
