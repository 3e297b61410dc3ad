/** An App's log of its webhooks: how it is read, and how one is asked for again. */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { DeliveryLog } from "../../../src/integrations/integration.ts";
import { SECOND, truncateInstant } from "../../../src/model/instant.ts";
import { createGitHubSimulator } from "../../../src/testing/github/index.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { alwaysAnswering, connectTo, failureOf, givenSite, SITE } from "./given.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

/** An App installed at acme, whose receiver answers with the status that is set. */
function givenApp() {
  const clock = new VirtualClock();
  const sim = createGitHubSimulator({ clock, random: seededRandom(1), app: { publicKey } });
  sim.createRepository({ owner: "acme", name: "site" });
  sim.createUser({ login: "mona" });
  const installation = sim.installApp("acme");
  const receiver = { status: 503 };
  const hook = sim.addHook({
    secret: "s",
    deliver: () => new Response(null, { status: receiver.status }),
  });
  const installationId = Number(installation.id);
  const account = connectTo(sim.fetch, clock, { appId: 1_001, privateKey, installationId });
  const log = account.deliveryLog;
  if (log === undefined) throw new Error("an App has a log");
  const pass = async (): Promise<void> => {
    clock.advance(1_000);
    await sim.answered();
  };
  return { clock, sim, installation, receiver, hook, log, pass };
}

async function allOf(log: DeliveryLog) {
  const pages = [];
  let cursor: string | null = null;
  do {
    const page = await log.page(cursor);
    pages.push(page.attempts);
    ({ cursor } = page);
  } while (cursor !== null);
  return pages;
}

describe("an App's log of deliveries", () => {
  test("names each attempt, whose it is, and whether anybody took it", async () => {
    const { clock, sim, receiver, installation, log, pass } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Failed" });
    await pass();
    receiver.status = 302;
    sim.as("mona").openIssue(SITE, { title: "Led elsewhere" });
    await pass();
    receiver.status = 202;
    sim.as("mona").openIssue(SITE, { title: "Taken" });
    await pass();
    const [first] = sim.deliveries.filter(({ event }) => event === "issues");
    const { attempts, cursor } = await log.page(null);
    const shared = {
      event: "issues",
      installationId: String(installation.id),
      isRepeatable: true,
    };
    expect(attempts.filter(({ event }) => event === "issues")).toMatchObject([
      { ...shared, status: 202, succeeded: true },
      { ...shared, status: 302, succeeded: false },
      {
        ...shared,
        attemptId: String(first?.id),
        deliveryKey: first?.guid,
        at: truncateInstant(first?.sentAt ?? clock.now(), SECOND),
        status: 503,
        succeeded: false,
      },
    ]);
    expect(cursor).toBeNull();
  });

  test("says what is not to be repeated: what is not synced, and news of installations", async () => {
    const { sim, hook, installation, log, pass } = givenApp();
    sim.pingHook(hook.id);
    await pass();
    const { attempts } = await log.page(null);
    expect(attempts[0]).toMatchObject({ event: "ping", installationId: null, isRepeatable: false });

    sim.suspendInstallation(installation);
    sim.unsuspendInstallation(installation);
    sim.selectRepositories(installation, []);
    await pass();
    const news = (await log.page(null)).attempts.slice(0, -1);
    expect(news.map(({ event }) => event).sort()).toEqual([
      "installation",
      "installation",
      "installation_repositories",
    ]);
    expect(news.map((one) => one.isRepeatable)).toEqual([false, false, false]);
  });

  test("is paged by cursors, and no page moves when more is delivered meanwhile", async () => {
    const { sim, hook, log, pass } = givenApp();
    for (let count = 0; count < 250; count += 1) sim.pingHook(hook.id);
    await pass();
    const whole = (await allOf(log)).flat().map(({ attemptId }) => attemptId);
    const first = await log.page(null);
    sim.pingHook(hook.id);
    await pass();
    const second = await log.page(first.cursor);
    const read = [...first.attempts, ...second.attempts].map(({ attemptId }) => attemptId);
    expect(read).toEqual(whole.slice(0, 200));
    expect((await allOf(log)).map((page) => page.length)).toEqual([100, 100, whole.length - 199]);
  });

  test("says so where a cursor is known no more", async () => {
    const { log } = givenApp();
    const failure = await failureOf(
      log.page("https://api.github.com/app/hook/deliveries?cursor=v1_0"),
    );
    expect(failure).toMatchObject({ kind: "permanent", status: 400 });
    const foreign = await failureOf(log.page("https://elsewhere.example/app/hook/deliveries"));
    expect(foreign).toMatchObject({ kind: "retryable", code: "foreign_address" });
  });

  test("forgets what is older than three days", async () => {
    const { clock, sim, log, pass } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Failed" });
    await pass();
    clock.advance(3 * 24 * 3_600_000 + 1);
    expect((await log.page(null)).attempts).toEqual([]);
  });

  test("has a delivery sent again, under its own id", async () => {
    const { sim, receiver, log, pass } = givenApp();
    sim.as("mona").openIssue(SITE, { title: "Failed" });
    await pass();
    const failed = sim.deliveries.at(-1);
    receiver.status = 202;
    await log.redeliver(String(failed?.id));
    await pass();
    expect(sim.deliveries.at(-1)).toMatchObject({
      guid: failed?.guid,
      redelivery: true,
      state: "delivered",
    });
    const [again, before] = (await log.page(null)).attempts;
    expect([again?.deliveryKey, again?.succeeded]).toEqual([before?.deliveryKey, true]);
    expect(await failureOf(log.redeliver("1"))).toMatchObject({ kind: "not_found" });
  });

  test("is asked for nothing by a worker that stops", async () => {
    const { sim, log } = givenApp();
    const before = sim.calls({});
    const stopped = AbortSignal.abort();
    expect(await failureOf(log.page(null, stopped))).toMatchObject({ code: "aborted" });
    expect(await failureOf(log.redeliver("1", stopped))).toMatchObject({ code: "aborted" });
    expect(sim.calls({})).toBe(before);
  });

  test("is one for all installations of an App, and none for a token", () => {
    const { log } = givenApp();
    expect(log.name).toBe("https://api.github.com app 1001");
    expect(givenSite().account.deliveryLog).toBeUndefined();
  });

  test("that makes no sense may pass", async () => {
    const fetch = alwaysAnswering('[{"id":1,"guid":""}]');
    const credentials = { appId: 1, privateKey, installationId: 1 };
    const { deliveryLog } = connectTo(fetch, new VirtualClock(), credentials);
    if (deliveryLog === undefined) throw new Error("an App has a log");
    expect(await failureOf(deliveryLog.page(null))).toMatchObject({
      kind: "retryable",
      code: "malformed_answer",
    });
  });
});
