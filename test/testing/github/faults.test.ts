/** Faults between a caller and the API, at the moment a test chooses, or by a seed. */
import { describe, expect, it } from "vitest";
import type { ApiFaults } from "../../../src/testing/github/faults/faults.ts";
import { setStage, SITE, type Stage, until } from "./stage.ts";

const CREATE = { method: "POST", path: `${SITE}/issues` };

/** The caller's view: a status, or the code under "fetch failed". */
async function seen(reply: ReturnType<Stage["ask"]>): Promise<number | string> {
  try {
    return (await reply).status;
  } catch (error) {
    if (!(error instanceof TypeError) || error.message !== "fetch failed") throw error;
    return String((error.cause as { code?: unknown }).code);
  }
}

function create(stage: Stage, title = "New"): ReturnType<Stage["ask"]> {
  return stage.ask("POST", `${SITE}/issues`, { json: { title } });
}

describe("scripted faults", () => {
  it.each([
    ["refused", undefined, "ECONNREFUSED", 0],
    ["reset", undefined, "ECONNRESET", 0],
    ["reset", true, "ECONNRESET", 1],
    ["lost-answer", undefined, "ECONNRESET", 1],
    [500, undefined, 500, 0],
    [502, true, 502, 1],
    [503, undefined, 503, 0],
    ["rate-limit", undefined, 403, 0],
    ["secondary-limit", undefined, 403, 0],
    [{ status: 200, body: "<html>" }, undefined, 200, 0],
  ] as const)("%s, applied %s: the caller sees %s", async (how, applied, outcome, issues) => {
    const stage = setStage();
    stage.sim.failNext({ ...CREATE, with: how, ...(applied === undefined ? {} : { applied }) });
    expect(await seen(create(stage))).toBe(outcome);
    expect(stage.sim.issues("acme/site")).toHaveLength(issues);
    await stage.pass(50);
    expect(stage.inbox).toHaveLength(issues);
    expect(stage.sim.requests).toMatchObject([{ applied: issues === 1 }]);
  });

  it("fails as many times as asked, and only what matches", async () => {
    const stage = setStage();
    stage.sim.failNext({ method: "POST", path: /\/comments$/, with: 502 }, 2);
    expect(await seen(create(stage))).toBe(201);
    const comment = (): Promise<number | string> =>
      seen(stage.ask("POST", `${SITE}/issues/1/comments`, { json: { body: "Seen." } }));
    expect([await comment(), await comment(), await comment()]).toEqual([502, 502, 201]);
  });

  it("says how long to wait, or that nothing is left", async () => {
    const { ask, sim } = setStage();
    sim.failNext({ with: "secondary-limit", retryAfterSeconds: 17 });
    sim.failNext({ with: "rate-limit" });
    expect((await ask("GET", SITE)).headers.get("retry-after")).toBe("17");
    const { headers } = await ask("GET", SITE);
    expect(headers.get("x-ratelimit-remaining")).toBe("0");
    expect(headers.get("retry-after")).toBeNull();
  });
});

describe("an answer that never comes", () => {
  it("fails after the time a fetch waits", async () => {
    const stage = setStage();
    stage.sim.failNext({ ...CREATE, with: "timeout", applied: true });
    const outcome = seen(create(stage));
    await until(() => stage.sim.requests[0]?.failure === "timeout");
    expect(stage.sim.issues("acme/site")).toHaveLength(1);
    await until(() => stage.clock.nextTimer() !== null);
    stage.clock.advance(300_000);
    expect(await outcome).toBe("UND_ERR_HEADERS_TIMEOUT");
  });

  it("ends when the caller gives up, for the caller's reason", async () => {
    const stage = setStage();
    const patience = new AbortController();
    stage.sim.failNext({ ...CREATE, with: "timeout" });
    const outcome = stage.ask("POST", `${SITE}/issues`, {
      json: { title: "New" },
      signal: patience.signal,
    });
    patience.abort(new Error("took too long"));
    await expect(outcome).rejects.toThrow("took too long");
    await expect(
      stage.ask("GET", SITE, { signal: AbortSignal.abort(new Error("never asked")) }),
    ).rejects.toThrow("never asked");
    expect(stage.sim.calls({ method: "GET" })).toBe(0);
  });
});

describe("a request held in flight", () => {
  it("lets the echo overtake the answer", async () => {
    const stage = setStage();
    const hold = stage.sim.holdNext(CREATE);
    const answer = create(stage);
    const caught = await hold.arrived;
    expect(caught).toMatchObject({ method: "POST", login: "mona", applied: false });
    expect(stage.sim.issues("acme/site")).toHaveLength(0);
    hold.apply();
    await stage.pass(50);
    expect(stage.inbox).toMatchObject([{ event: "issues" }]);
    hold.release();
    expect((await answer).status).toBe(201);
    expect(stage.sim.issues("acme/site")).toHaveLength(1);
  });

  it("lets a dead worker's request land after its successor's", async () => {
    const stage = setStage();
    const hold = stage.sim.holdNext(CREATE);
    const dead = seen(create(stage, "from the dead"));
    await hold.arrived;
    hold.drop();
    expect(await dead).toBe("ECONNRESET");
    await create(stage, "from its successor");
    hold.apply();
    expect(stage.sim.issues("acme/site")).toMatchObject([
      { number: 1, title: "from its successor" },
      { number: 2, title: "from the dead" },
    ]);
  });

  it("goes on when its caller aborts", async () => {
    const stage = setStage();
    const patience = new AbortController();
    const hold = stage.sim.holdNext(CREATE);
    const answer = stage.ask("POST", `${SITE}/issues`, {
      json: { title: "New" },
      signal: patience.signal,
    });
    await hold.arrived;
    patience.abort(new Error("gave up"));
    await expect(answer).rejects.toThrow("gave up");
    hold.release();
    expect(stage.sim.issues("acme/site")).toHaveLength(1);
  });

  it("says so when nothing was caught yet", () => {
    const { sim } = setStage();
    expect(() => {
      sim.holdNext().apply();
    }).toThrow("no request has arrived yet");
  });
});

describe("faults that last", () => {
  it.each<[string, Partial<ApiFaults>, number | string]>([
    ["down", { down: true }, 503],
    ["refusing connections", { refuseConnections: true }, "ECONNREFUSED"],
    ["refusing every token", { unauthorized: true }, 401],
    ["denying access", { forbidden: true }, 403],
    ["slowing down", { secondaryLimit: { retryAfterSeconds: 60, status: 429 } }, 429],
  ])("%s, until they end", async (_name, faults, outcome) => {
    const stage = setStage();
    Object.assign(stage.sim.faults.api, faults);
    expect([await seen(create(stage)), await seen(create(stage))]).toEqual([outcome, outcome]);
    expect(stage.sim.issues("acme/site")).toHaveLength(0);
    stage.sim.clearFaults();
    expect(await seen(create(stage))).toBe(201);
  });

  it("takes its time: the request takes effect half way, by the clock", async () => {
    const stage = setStage();
    const { clock, sim } = stage;
    sim.faults.api.latencyMs = 400;
    const answer = create(stage);
    await until(() => clock.nextTimer() !== null);
    clock.advance(200);
    await until(() => sim.issues("acme/site").length === 1);
    await until(() => sim.pendingDeliveries === 1);
    await stage.pass(50);
    expect(stage.inbox).toHaveLength(1);
    expect(sim.requests).toMatchObject([{ answeredAt: null }]);
    clock.advance(150);
    expect((await answer).status).toBe(201);
  });

  it("reads what was true a while ago, in lists and alone", async () => {
    const { ask, clock, sim } = setStage();
    const mona = sim.as("mona");
    mona.openIssue("acme/site", { title: "first" });
    clock.advance(5_000);
    mona.editIssue("acme/site", 1, { title: "second" });
    mona.openIssue("acme/site", { title: "fresh" });
    mona.comment("acme/site", 1, "Fresh too.");
    sim.faults.api.staleReads = { rate: 1, lagMs: 3_000 };
    expect((await ask("GET", `${SITE}/issues/1`)).body).toMatchObject({
      title: "first",
      comments: 0,
    });
    expect((await ask("GET", `${SITE}/issues/2`)).status).toBe(404);
    expect((await ask("GET", `${SITE}/issues`)).body).toMatchObject([{ title: "first" }]);
    expect((await ask("GET", `${SITE}/issues/comments`)).body).toEqual([]);
    const write = await ask("PATCH", `${SITE}/issues/1`, { json: { title: "third" } });
    expect(write.body).toMatchObject({ title: "third", comments: 1 });
    clock.advance(4_000);
    expect((await ask("GET", `${SITE}/issues/1`)).body).toMatchObject({ title: "third" });
  });

  it("still shows what was deleted a moment ago", async () => {
    const { ask, clock, sim } = setStage();
    const mona = sim.as("mona");
    mona.openIssue("acme/site", { title: "doomed" });
    clock.advance(5_000);
    mona.deleteIssue("acme/site", 1);
    expect((await ask("GET", `${SITE}/issues/1`)).status).toBe(410);
    sim.faults.api.staleReads = { rate: 1, lagMs: 1_000 };
    expect((await ask("GET", `${SITE}/issues/1`)).status).toBe(200);
  });

  it("lists nothing, or half a page as if it were all", async () => {
    const { ask, sim } = setStage();
    for (let n = 1; n <= 6; n += 1) sim.as("mona").openIssue("acme/site", { title: String(n) });
    sim.faults.api.lists = "empty";
    expect((await ask("GET", `${SITE}/issues`)).body).toEqual([]);
    sim.faults.api.lists = "partial";
    const half = await ask("GET", `${SITE}/issues?per_page=4`);
    expect(half.body).toHaveLength(2);
    expect(half.headers.get("link")).toBeNull();
  });
});

describe("seeded faults", () => {
  /** Forty creates under errors and lost answers: what was seen, and what took effect. */
  async function tell(seed: number): Promise<unknown> {
    const stage = setStage({ seed });
    const { api } = stage.sim.faults;
    api.errorRate = 0.3;
    api.lostAnswer = { rate: 0.3, applied: "either", as: "reset" };
    const story: unknown[] = [];
    for (let n = 1; n <= 40; n += 1) {
      const outcome = await seen(create(stage, String(n)));
      story.push([outcome, stage.sim.requests.at(-1)?.applied]);
    }
    return story;
  }

  it("tells the same story for the same seed, and another for another", async () => {
    const story = await tell(7);
    expect(await tell(7)).toEqual(story);
    expect(await tell(8)).not.toEqual(story);
    expect(story).toContainEqual(["ECONNRESET", true]);
    expect(story).toContainEqual(["ECONNRESET", false]);
    expect(story).toContainEqual([201, true]);
  });
});

describe("the log of requests", () => {
  it("counts writes and reads, and the requests that took effect, and restarts", async () => {
    const stage = setStage();
    const { ask, sim } = stage;
    await create(stage);
    await ask("GET", `${SITE}/issues/1?x=1`);
    await ask("PATCH", `${SITE}/issues/1`, { json: { title: "" } });
    await ask("GET", "/app/installations", { token: "e30.e30.c2ln" });
    expect(sim.calls()).toBe(4);
    expect(sim.calls({ writes: true })).toBe(2);
    expect(sim.calls({ writes: true, applied: true })).toBe(1);
    expect(sim.calls({ writes: false })).toBe(1);
    expect(sim.requests[1]).toMatchObject({ path: `${SITE}/issues/1`, query: "?x=1", status: 200 });
    sim.clearRequests();
    expect(sim.requests).toEqual([]);
  });

  it("tells a listener of each change, request and delivery", async () => {
    const stage = setStage();
    const told: string[] = [];
    const stop = stage.sim.on("change", ({ event, action }) => told.push(`${event} ${action}`));
    stage.sim.on("request", ({ method, status }) => told.push(`${method} ${String(status)}`));
    stage.sim.on("delivery", ({ event, state }) => told.push(`${event} ${state}`));
    await create(stage);
    await stage.pass(50);
    stop();
    stage.sim.as("mona").closeIssue("acme/site", 1);
    expect(told).toEqual([
      "issues scheduled",
      "issues opened",
      "POST 201",
      "issues sending",
      "issues delivered",
      "issues scheduled",
    ]);
  });
});
