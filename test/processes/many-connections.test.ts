/**
 * A crowd at one `tandem serve`: its memory is bounded by what they may hold together, what others ask is
 * answered meanwhile, and those for whom there is no room are told so.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseKinds, openTestDatabase } from "../harness/databases.ts";
import { type Fleet, openFleet, REPOSITORY } from "./fleet.ts";
import { peakFromNow } from "./peak-memory.ts";
import { countStatements, type StatementCount } from "./statement-count.ts";

const MEGABYTE = 2 ** 20;
const SENDERS = 60;
const BODY_BYTES = 25 * MEGABYTE;
/**
 * Bodies under way may hold 64 MB. A body is there twice while its pieces become one, and V8 clears
 * away what was refused somewhat later. Without a budget these senders take 1.5 GB.
 */
const MOST_GROWTH = 4 * 64 * MEGABYTE;
/** A machine under load may be late with a body; then its sender is told so. */
const ANSWERS = ["401", "408", "503, again in 5", "hung up"];
const STREAMS = 500;
/** More are told to come again. */
const MOST_STREAMS = 256;
const SOON = { timeout: 60_000, interval: 50 };

// Only Linux tells how much memory another process had at most.
const measures = databaseKinds.includes("postgres") && process.platform === "linux";

describe.runIf(measures)("a crowd at one server", () => {
  let fleet: Fleet;
  let statements: StatementCount;
  beforeAll(async () => {
    const database = await openTestDatabase("postgres");
    const url = new URL(database.url ?? "");
    statements = await countStatements(Number(url.port));
    url.port = String(statements.port);
    fleet = await openFleet({
      url: url.href,
      sql: (text, params) => database.sql(text, params),
      close: () => database.close(),
    });
  });
  afterAll(async () => {
    await fleet.close();
    await statements.close();
  });

  it("500 event streams ask the database as often as one, and the rest is answered meanwhile", async () => {
    const first = openStream(fleet.serverUrl);
    expect(await first.answer).toBe("200");
    const ofOne = await statementsPerSecond();
    const growth = await peakFromNow(fleet.server.pid);

    const others = Array.from({ length: STREAMS - 1 }, () => openStream(fleet.serverUrl));
    const answers = await Promise.all(others.map(({ answer }) => answer));
    const served = answers.filter((answer) => answer === "200");
    expect(served).toHaveLength(MOST_STREAMS - 1);
    expect(new Set(answers)).toEqual(new Set(["200", "503, again in 5"]));

    const ofAll = await statementsPerSecond();
    for (const path of ["/healthz", "/metrics", "/api/status"]) {
      const signal = AbortSignal.timeout(10_000);
      const { status } = await fetch(fleet.serverUrl + path, { signal });
      expect({ path, status }).toEqual({ path, status: 200 });
    }
    expect(ofAll / ofOne).toBeLessThan(3);
    expect(await growth()).toBeLessThan(MOST_STREAMS * 0.5 * MEGABYTE);

    // Those that leave make room for others.
    for (const { leave } of others) leave();
    await expect
      .poll(async () => {
        const another = openStream(fleet.serverUrl);
        const answer = await another.answer;
        another.leave();
        return answer;
      }, SOON)
      .toBe("200");
    first.leave();
  });

  it("60 unsigned bodies of 25 MB take no more memory than their budget, and a webhook gets through", async () => {
    fleet.github.as("mona").openIssue(REPOSITORY, { title: "Before" });
    await expect.poll(() => fleet.github.deliveries.at(-1)?.statusCode, SOON).toBe(202);
    const growth = await peakFromNow(fleet.server.pid);

    const url = `${fleet.serverUrl}/webhooks/github`;
    const senders = Array.from({ length: SENDERS }, (_, n) => openSender(url, n % 2 === 0));
    // Each has sent all but its last byte, or was refused.
    await Promise.all(senders.map((sender) => sender.isWaiting));
    fleet.github.as("mona").openIssue(REPOSITORY, { title: "Meanwhile" });
    await expect
      .poll(() => fleet.github.deliveries.map(({ statusCode }) => statusCode), SOON)
      .toEqual([202, 202]);
    for (const sender of senders) sender.finish();

    const answers = await Promise.all(senders.map((sender) => sender.answer));
    expect(await growth()).toBeLessThan(MOST_GROWTH);
    for (const answer of answers) expect(ANSWERS).toContain(answer);
    // A sender that goes on writing may lose its answer; the server has one for each of them.
    const refused = await refusals(fleet.serverUrl);
    expect(refused.receiver_full).toBeGreaterThan(SENDERS / 2);
    expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(SENDERS);
  });

  /** The server's statements: no worker runs. */
  async function statementsPerSecond(): Promise<number> {
    const before = statements.total();
    const began = performance.now();
    await expect.poll(() => statements.total() - before, SOON).toBeGreaterThan(60);
    return (statements.total() - before) / ((performance.now() - began) / 1_000);
  }
});

/** Asks for a live stream of the ledger, and takes nothing but the beginning of its answer. */
function openStream(serverUrl: string) {
  const asking = request(`${serverUrl}/api/stream`, { agent: false });
  const answer = new Promise<string>((resolve, reject) => {
    asking.on("response", (response) => {
      const again = response.headers["retry-after"];
      resolve(String(response.statusCode) + (again === undefined ? "" : `, again in ${again}`));
    });
    asking.on("error", reject);
  });
  asking.end();
  return { answer, leave: () => asking.destroy() };
}

/** @param isAnnounced Its length is; else it is streamed, as long as the server takes it. */
function openSender(url: string, isAnnounced: boolean) {
  const headers = {
    "content-type": "application/json",
    "x-github-delivery": randomUUID(),
    "x-github-event": "issues",
    ...(isAnnounced ? { "content-length": String(BODY_BYTES) } : {}),
  };
  const sending = request(url, { method: "POST", agent: false, headers });
  const leaving = new AbortController();
  const answer = new Promise<string>((resolve) => {
    sending.on("response", (response) => {
      response.resume();
      const again = response.headers["retry-after"];
      resolve(String(response.statusCode) + (again === undefined ? "" : `, again in ${again}`));
    });
    sending.on("error", () => {
      resolve("hung up");
    });
  }).finally(() => {
    leaving.abort();
  });

  async function send(): Promise<void> {
    const piece = Buffer.alloc(64 * 1024, "x");
    for (let left = BODY_BYTES - 1; left > 0 && !leaving.signal.aborted; left -= piece.length) {
      if (sending.write(piece.subarray(0, left))) continue;
      await once(sending, "drain", { signal: leaving.signal }).catch(() => undefined);
    }
  }
  return {
    isWaiting: send(),
    answer,
    finish() {
      if (!leaving.signal.aborted) sending.end("x");
    },
  };
}

/** How many webhooks a server has refused, by cause. */
async function refusals(serverUrl: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${serverUrl}/metrics`)).text();
  const lines = text.matchAll(/^tandem_webhooks_refused_total\{.*code="(\w+)".*\} (\d+)$/gm);
  const counts = [...lines].map(([, code = "", count]) => [code, Number(count)] as const);
  return Object.fromEntries(counts);
}
