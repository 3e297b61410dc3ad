/**
 * A crowd at one `tandem serve`: its memory is bounded by what they may hold together, ordinary webhooks
 * are taken meanwhile, and each of the others is told why not.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseKinds } from "../harness/databases.ts";
import { type Fleet, openFleet, REPOSITORY } from "./fleet.ts";
import { peakFromNow } from "./peak-memory.ts";

const MEGABYTE = 2 ** 20;
const SENDERS = 60;
const BODY_BYTES = 25 * MEGABYTE;
/**
 * What bodies under way may hold is 64 MB. A body is there twice while its pieces become one, and V8 clears
 * away what was refused somewhat later. Without a budget these senders take 1.5 GB.
 */
const MOST_GROWTH = 4 * 64 * MEGABYTE;
/** A machine under load may be late with a body; then its sender is told so. */
const ANSWERS = ["401", "408", "503, again in 5", "hung up"];
const SOON = { timeout: 60_000, interval: 50 };

// Only Linux tells how much memory another process had at most.
const measures = databaseKinds.includes("postgres") && process.platform === "linux";

describe.runIf(measures)("a crowd at one server", () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await openFleet();
  });
  afterAll(() => fleet.close());

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
});

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
