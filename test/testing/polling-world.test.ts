/** A world whose webhooks are lost, and its judge: what was written over before anybody had read it. */
import { beforeEach, describe, expect, it } from "vitest";
import { isReadInTime } from "../../scripts/simulation-report.ts";
import { openWorld } from "../../scripts/simulation-world.ts";
import { createGitHubSimulator, type GitHubSimulator } from "../../src/testing/github/index.ts";
import { type HeardOf, RemoteEdits } from "../../src/testing/simulation/history/remote-edits.ts";
import { simulate } from "../../src/testing/simulation/simulate.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const TAKES_MS = 60_000;
const NOTHING_NAMED = {
  lanes: [],
  events: [],
  undrained: 0,
  deliveries: { stored: 0, untranslated: 0 },
};

describe("a simulated history without webhooks", () => {
  it.each([1, 2, 4, 7])(
    "comes to rest with every invariant upheld: seed %i",
    async (seed) => {
      const { world } = await openWorld("memory", "polling");
      const { verdict, remote } = await simulate({ seed, world });
      expect(Object.entries(verdict).filter(([, lines]) => lines.length > 0)).toEqual([]);
      expect(remote.remoteEdits).toBeGreaterThan(0);
    },
    TAKES_MS,
  );

  it(
    "is told the same way again by the same seed, and hears of no webhook",
    async () => {
      const { world } = await openWorld("memory", "polling");
      const once = await simulate({ seed: 4, world });
      const again = await simulate({ seed: 4, world });
      expect(again.trace).toBe(once.trace);
      expect(again.remote).toEqual(once.remote);
      expect(once.ledger.length).toBeGreaterThan(0);
    },
    TAKES_MS,
  );
});

describe("the judge of remote edits", () => {
  let github: GitHubSimulator;
  let judge: RemoteEdits;
  let fetch: typeof globalThis.fetch;

  beforeEach(() => {
    github = createGitHubSimulator({ clock: new VirtualClock(), random: seededRandom(1) });
    github.createRepository({ owner: "acme", name: "site" });
    github.createUser({ login: "tandem-bot", type: "Bot" });
    github.token("ghs_test", { login: "tandem-bot" });
    judge = new RemoteEdits();
    judge.follow(github);
    fetch = judge.watch(github.fetch);
  });

  it("counts an edit that a write replaced which had read nothing", async () => {
    await openIssue();
    await editTitle("by a person");
    await write({ title: "by us" }, new Map());
    expect(counts()).toMatchObject({ remoteEdits: 1, overwrittenUnread: 1, withinRoundTrip: 0 });
  });

  it("counts none that was read before", async () => {
    await openIssue();
    await editTitle("by a person");
    const reader: HeardOf = new Map();
    await read(reader);
    await write({ title: "by us" }, reader);
    expect(counts()).toMatchObject({ remoteEdits: 1, overwrittenUnread: 0 });
  });

  it("tells an edit within the round trip from one before it", async () => {
    await openIssue();
    const reader: HeardOf = new Map();
    await read(reader);
    await editTitle("by a person");
    await write({ title: "by us" }, reader);
    expect(counts()).toMatchObject({ overwrittenUnread: 1, withinRoundTrip: 1 });
  });

  it("takes an answer that nothing has changed for a read, but not for one that lags", async () => {
    await openIssue();
    const etag = (await ask("GET", null)).headers.get("etag") ?? "";
    const reader: HeardOf = new Map();
    judge.heardNothingNew("GET /repositories/1/issues/1", await askUnless(etag), reader);
    await editTitle("by a person");
    await write({ title: "by us" }, reader);
    expect(counts()).toMatchObject({ overwrittenUnread: 1, withinRoundTrip: 1 });
    await editTitle("by a person again");
    (await read(new Map())).unsaid = true;
    const wrong = await askUnless((await ask("GET", null)).headers.get("etag") ?? "");
    judge.heardNothingNew("GET /repositories/1/issues/1", wrong, reader);
    await write({ title: "by us again" }, reader);
    expect(counts()).toMatchObject({
      overwrittenUnread: 2,
      withinRoundTrip: 1,
      behindStaleRead: 0,
    });
  });

  it("counts an answer of whoever died of it as unread", async () => {
    await openIssue();
    await editTitle("by a person");
    const saying = await read(new Map());
    saying.unsaid = true;
    await write({ title: "by us" }, new Map());
    expect(counts()).toMatchObject({ overwrittenUnread: 1 });
  });

  it("counts each element of a set, whoever put it there or took it away", async () => {
    await openIssue(["bug", "old"]);
    await read(new Map());
    await judge.act(() => {
      github.as("mona").addLabel("acme/site", 1, "new");
      github.as("mona").removeLabel("acme/site", 1, "old");
      return Promise.resolve();
    });
    await write({ labels: ["bug", "old"] }, new Map());
    expect(counts()).toMatchObject({ remoteEdits: 2, overwrittenUnread: 2 });
  });

  it("counts an edit that people took back unread apart, for the resource says what was read last", async () => {
    await openIssue();
    await read(new Map());
    await editTitle("by a person");
    await editTitle("at first");
    await write({ title: "by us" }, new Map());
    expect(counts()).toMatchObject({ overwrittenUnread: 0, takenBackUnread: 1 });
    await read(new Map());
    await editTitle("at first");
    await write({ title: "by us again" }, new Map());
    expect(counts()).toMatchObject({ overwrittenUnread: 1, takenBackUnread: 1 });
  });

  it("counts what went with a deleted comment, apart", async () => {
    await openIssue();
    let id: number | bigint = 0;
    await judge.act(() => {
      ({ id } = github.as("mona").comment("acme/site", 1, "Said."));
      return Promise.resolve();
    });
    judge.takesEffect(new Map());
    await fetch(`https://api.github.com/repos/acme/site/issues/comments/${String(id)}`, {
      method: "DELETE",
      headers: { authorization: "Bearer ghs_test" },
    });
    expect(counts()).toMatchObject({ overwrittenUnread: 0, deletedUnread: 1 });
  });

  it("holds a run to reading in time: one in a thousand, and each within the round trip", () => {
    const run = {
      remoteEdits: 3_000,
      overwrittenUnread: 3,
      withinRoundTrip: 2,
      behindStaleRead: 1,
    };
    expect(isReadInTime(run)).toBe(true);
    expect(isReadInTime({ ...run, withinRoundTrip: 1 })).toBe(false);
    expect(isReadInTime({ ...run, overwrittenUnread: 5, withinRoundTrip: 4 })).toBe(false);
  });

  function counts() {
    return judge.counts(judge.unnamed(NOTHING_NAMED, []));
  }

  async function openIssue(labels: readonly string[] = []) {
    await judge.act(() => {
      github.as("mona").openIssue("acme/site", { title: "at first", labels });
      return Promise.resolve();
    });
  }

  async function editTitle(title: string) {
    await judge.act(() => {
      github.as("mona").editIssue("acme/site", 1, { title });
      return Promise.resolve();
    });
  }

  async function read(by: HeardOf) {
    const answer = await ask("GET", null);
    const saying = { text: await answer.clone().text(), isList: false, at: 0, unsaid: false };
    judge.heard(saying, answer, by);
    return saying;
  }

  async function write(patch: object, by: HeardOf) {
    judge.takesEffect(by);
    await ask("PATCH", JSON.stringify(patch));
  }

  async function askUnless(etag: string) {
    const answer = await ask("GET", null, { "if-none-match": etag });
    expect(answer.status).toBe(304);
    return answer;
  }

  function ask(method: string, body: string | null, headers: Record<string, string> = {}) {
    return fetch("https://api.github.com/repos/acme/site/issues/1", {
      method,
      body,
      headers: { authorization: "Bearer ghs_test", ...headers },
    });
  }
});
