/** The whole demo over HTTP: sample app, GitHub and Tandem between them, as the page meets them. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { compareSides } from "../../src/dashboard/data/agreement.ts";
import type { DemoState, TroubleId } from "../../src/demo/api-types.ts";
import { type Demo, type DemoOptions, startDemo } from "../../src/demo/demo.ts";
import { silentLog } from "../../src/runtime/services/log.ts";
import { systemClock } from "../../src/runtime/services/system-clock.ts";
import type { ApiEvents } from "../../src/server/protocol/api-types.ts";
import { createGitHubSimulator } from "../../src/testing/github/index.ts";

const PATIENCE = { timeout: 40_000, interval: 100 };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function start(given: Partial<DemoOptions> = {}): Promise<Demo> {
  return startDemo({
    port: 0,
    githubPort: 0,
    host: "127.0.0.1",
    dataDir: null,
    github: null,
    log: silentLog,
    ...given,
  });
}

/** Takes a port, so that others find it taken. */
async function takePort(): Promise<{ port: number; free: () => Promise<unknown> }> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
    });
  });
  return { port, free: () => new Promise((resolve) => server.close(resolve)) };
}

function send(demo: Demo, method: string, path: string, body: object = {}): Promise<Response> {
  return fetch(`${demo.url}${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

const press = (demo: Demo, trouble: TroubleId, on = true): Promise<Response> =>
  send(demo, "POST", `/demo/trouble/${trouble}`, { on });

async function stateOf(demo: Demo): Promise<DemoState> {
  return (await (await fetch(`${demo.url}/demo/state`)).json()) as DemoState;
}

async function eventsOf(demo: Demo): Promise<ApiEvents["events"]> {
  const answer = (await (await fetch(`${demo.url}/api/events?limit=500`)).json()) as ApiEvents;
  return answer.events;
}

/** Waits until both sides agree and what the story did is visible on both. */
async function agreed(demo: Demo, onBothSides: (state: DemoState) => boolean): Promise<DemoState> {
  const read = async () => {
    const state = await stateOf(demo);
    const { differences } = compareSides(state.tasks, state.issues, state.pairs);
    return { state, differences, seen: onBothSides(state) };
  };
  await expect.poll(read, PATIENCE).toMatchObject({ differences: [], seen: true });
  return (await read()).state;
}

const seeded = (state: DemoState) => state.tasks.length === 6 && state.issues.length === 6;
const titled =
  (title: string) =>
  ({ tasks, issues }: DemoState) =>
    tasks.some((task) => task.title === title) && issues.some((issue) => issue.title === title);

describe("the demo", () => {
  let demo: Demo;
  let taken: number;

  beforeAll(async () => {
    const { port, free } = await takePort();
    taken = port;
    demo = await start({ port });
    await free();
  });
  afterAll(() => demo.close());

  it("takes the next port where one is taken", () => {
    expect(Number(new URL(demo.url).port)).toBeGreaterThan(taken);
  });

  it("begins with tasks and issues that find each other", async () => {
    const state = await agreed(demo, seeded);
    expect(state.mode).toBe("simulator");
    expect(state.pairs).toHaveLength(6);
    expect(state.users).toContainEqual({
      id: expect.any(String),
      name: "mona",
      github_login: "mona",
      placeholder: true,
    });
  });

  it("carries edits both ways, tasks and issues alike", async () => {
    await send(demo, "POST", "/demo/app/tasks", { title: "From the app" });
    await agreed(demo, titled("From the app"));
    await send(demo, "POST", "/demo/github/issues", { title: "From GitHub", body: "Hello" });
    const state = await agreed(demo, titled("From GitHub"));

    const issue = state.issues.find((each) => each.title === "From the app");
    await send(demo, "PATCH", `/demo/github/issues/${issue?.number}`, { title: "Renamed there" });
    await agreed(demo, titled("Renamed there"));
  });

  it("closes the issue of a deleted task, and archives the task of a deleted issue", async () => {
    const before = await agreed(demo, ({ pairs }) => pairs.length >= 6);
    const [one, other] = before.pairs;
    await send(demo, "DELETE", `/demo/app/tasks/${one?.task}`);
    await send(demo, "DELETE", `/demo/github/issues/${other?.issue}`);
    const state = await agreed(
      demo,
      ({ tasks, issues }) =>
        tasks.length === before.tasks.length - 2 &&
        issues.find((issue) => issue.number === one?.issue)?.state === "closed",
    );
    expect(state.pairs.filter((pair) => pair.ended)).toHaveLength(2);
  });

  it("survives every trouble at once", async () => {
    for (const trouble of ["drop-webhooks", "duplicate-webhooks", "reorder-webhooks"] as const) {
      await press(demo, trouble);
    }
    await press(demo, "api-down");
    await press(demo, "two-edits-in-one-second");
    await press(demo, "edit-both-sides");
    await press(demo, "lost-answer");
    await press(demo, "kill-worker");
    await press(demo, "restart-worker");
    await send(demo, "POST", "/demo/app/tasks", { title: "Through all of it" });
    const reasons = async () => (await eventsOf(demo)).map((event) => event.reason);
    await expect.poll(reasons, PATIENCE).toContain("retry");
    await press(demo, "kill-worker");
    for (const trouble of ["drop-webhooks", "duplicate-webhooks", "reorder-webhooks"] as const) {
      await press(demo, trouble, false);
    }
    await press(demo, "api-down", false);
    await press(demo, "restart-worker");
    const state = await agreed(demo, titled("Through all of it"));
    expect(state.issues.filter((issue) => issue.title.startsWith("Survive"))).toHaveLength(1);
  });

  it("shows the conflict of an edit on both sides in the ledger", async () => {
    const conflicts = async () => (await eventsOf(demo)).flatMap((event) => event.conflicts);
    const before = await conflicts();
    await press(demo, "edit-both-sides");
    await expect
      .poll(async () => (await conflicts()).length, PATIENCE)
      .toBeGreaterThan(before.length);
    expect((await conflicts()).map((conflict) => conflict.field)).toContain("title");
  });

  it("refuses another page, a form, and what makes no sense", async () => {
    const tasks = `${demo.url}/demo/app/tasks`;
    const json = { "content-type": "application/json" };
    const body = JSON.stringify({ title: "Planted" });
    const foreign = { ...json, origin: "https://elsewhere.example" };
    expect((await fetch(tasks, { method: "POST", headers: foreign, body })).status).toBe(403);
    expect((await fetch(tasks, { method: "POST", body })).status).toBe(415);
    expect((await send(demo, "POST", "/demo/app/tasks", { title: " " })).status).toBe(400);
    expect((await send(demo, "PATCH", "/demo/app/tasks/999", { title: "x" })).status).toBe(404);
    expect((await send(demo, "PATCH", "/demo/app/tasks/one", { title: "x" })).status).toBe(400);
    expect((await send(demo, "PATCH", "/demo/github/issues/999", { title: "x" })).status).toBe(422);
    expect((await press(demo, "flood" as TroubleId)).status).toBe(400);
    expect((await fetch(`${demo.url}/demo/nothing`)).status).toBe(404);
  });

  it("says how to build the page when it runs from the sources", async () => {
    const answer = await fetch(demo.url);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("npm run build");
  });

  it("sends the state again when either side changed", async () => {
    const stop = new AbortController();
    const answer = await fetch(`${demo.url}/demo/stream`, { signal: stop.signal });
    const reader = (answer.body ?? new ReadableStream()).getReader();
    const decoder = new TextDecoder();
    let heard = "";
    const read = async (): Promise<string> => {
      const { value } = await reader.read();
      heard += decoder.decode(value, { stream: true });
      return heard;
    };
    await expect.poll(read, PATIENCE).toContain("event: state");
    await send(demo, "POST", "/demo/github/issues", { title: "Watch this" });
    await expect.poll(read, PATIENCE).toContain("Watch this");
    stop.abort();
  });
});

describe("a demo of its own", () => {
  it("goes on after a restart with what it had", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "tandem-demo-"));
    closing.push(() => rm(dataDir, { recursive: true }));
    const first = await start({ dataDir });
    closing.push(() => first.close());
    const before = await agreed(first, seeded);
    await first.close();

    const demo = await start({ dataDir });
    closing.push(() => demo.close());
    const after = await stateOf(demo);
    expect(after.pairs).toEqual(before.pairs);
    const [task] = after.tasks;
    await send(demo, "PATCH", `/demo/app/tasks/${task?.id}`, { title: "After the restart" });
    const state = await agreed(demo, titled("After the restart"));
    expect(state.issues).toHaveLength(before.issues.length);
  });

  it("does the same with a real GitHub by polling, and makes no trouble there", async () => {
    const real = createGitHubSimulator({ clock: systemClock, random: Math.random });
    real.createRepository({ owner: "octo", name: "app" });
    real.token("ghp_real", { login: "octo" });
    const { number } = real.as("mona").openIssue("octo/app", { title: "Opened there" });
    real.as("mona").comment("octo/app", number, "And discussed.");
    const listening = await real.listen();
    closing.push(() => listening.close());
    const demo = await start({
      github: { token: "ghp_real", repository: "octo/app", baseUrl: listening.url },
    });
    closing.push(() => demo.close());

    // The issue may be seen before its comment has come.
    const discussed = ({ issues }: DemoState) =>
      issues.some((issue) => issue.number === number && issue.comments.length === 1);
    const state = await agreed(demo, (seen) => titled("Opened there")(seen) && discussed(seen));
    expect(state.mode).toBe("github");
    expect(state.troubles.map((trouble) => trouble.id)).toEqual([
      "kill-worker",
      "restart-worker",
      "poll-now",
    ]);
    expect(real.issues("octo/app")).toHaveLength(1);
    await send(demo, "POST", "/demo/app/tasks", { title: "Sent there" });
    await expect
      .poll(() => real.issues("octo/app").map((issue) => issue.title), PATIENCE)
      .toContain("Sent there");
  });
});
