/** Situation 46, for a GitHub App: webhooks that failed are asked for again, and few calls are made. */
import { expect, it } from "vitest";
import { redeliverDue } from "../../../src/runtime/receive/redelivery.ts";
import { addMillis, formatInstant, SECOND } from "../../../src/model/instant.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog, toldOf } from "../../harness/kept-log.ts";
import { givenInstallation, type Installed, SHOP } from "../../harness/sample-installation.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EVERY = 5 * MINUTE;

/** A look at the App's log when its turn has come; returns how many webhooks were asked for. */
async function look(app: Installed, after = EVERY): Promise<number> {
  await app.advance(after);
  const asked = await redeliverDue(app.tandem.services, EVERY);
  await app.settle();
  return asked;
}

/** The requests about the App itself: `GET` of its log and `POST` of an attempt. */
function calls(app: Installed): { readonly looks: number; readonly asks: number } {
  const path = /^\/app\/hook\/deliveries/;
  return {
    looks: app.github.calls({ method: "GET", path }),
    asks: app.github.calls({ method: "POST", path }),
  };
}

/** Lets the receiver answer 503 to every webhook, as on a full disk; returns how to end it. */
async function breakReceiver(app: Installed): Promise<() => Promise<void>> {
  await app.sql(`
    create or replace function disk_full() returns trigger language plpgsql as $$
    begin raise exception 'No space left on device' using errcode = '53100'; end $$`);
  await app.sql(`create trigger disk_full before insert on tandem.deliveries
    for each statement execute function disk_full()`);
  return async () => {
    await app.sql("drop trigger disk_full on tandem.deliveries");
  };
}

/** A task with a comment, both paired, and the first look at the log taken. */
async function givenComment(...given: Parameters<typeof givenInstallation>): Promise<Installed> {
  const app = await givenInstallation(...given);
  app.github.as("globex").comment(SHOP, 1, "Old news");
  await app.settle();
  await redeliverDue(app.tandem.services, EVERY);
  expect(await app.comments()).toHaveLength(1);
  app.github.clearRequests();
  return app;
}

function deleteComment(app: Installed): void {
  const [comment] = app.github.comments(SHOP, 1);
  if (comment === undefined) throw new Error("there is no comment");
  app.github.as("globex").deleteComment(SHOP, comment.id);
}

/** The comment is deleted while the receiver is broken; it is whole again afterwards. */
async function missDeletion(app: Installed): Promise<void> {
  const repair = await breakReceiver(app);
  deleteComment(app);
  await app.settle();
  await repair();
}

const missed = async (app: Installed) => (await app.status()).missed_deliveries;
const lastEvents = async (app: Installed) => (await app.story()).slice(-1);

describeOnOneDatabase("a webhook that failed at an App", (open) => {
  it("S46 is asked for with the next look, and what it says is done", async () => {
    const { log, lines } = keptLog();
    const app = await givenComment(await open(), undefined, { log });
    await missDeletion(app);
    expect(await app.comments()).toHaveLength(1);

    expect(await look(app)).toBe(1);
    expect(await app.comments()).toEqual([]);
    expect(app.github.comments(SHOP, 1)).toEqual([]);
    expect(await lastEvents(app)).toEqual(["inbound completed deleted_record"]);
    expect(calls(app)).toEqual({ looks: 1, asks: 1 });
    const [failed, again] = app.github.deliveries.slice(-2);
    expect([failed?.statusCode, again?.statusCode]).toEqual([503, 202]);
    expect(again).toMatchObject({ guid: failed?.guid, redelivery: true });
    expect((await app.storedDeliveries()).at(-1)).toMatchObject({ times_received: 1 });
    expect(toldOf(lines, "failed webhooks were requested again")).toEqual([
      {
        ...{ integration: "github", account: "globex", deliveries: 1 },
        log: expect.stringContaining("app 1001") as string,
      },
    ]);

    expect(await missed(app)).toEqual({ waiting: 1, given_up: 0 });
    expect(await look(app)).toBe(0);
    expect(await missed(app)).toEqual({ waiting: 0, given_up: 0 });
    expect(lines.at(-1)).toEqual({
      message: "webhooks that had failed have arrived",
      deliveries: 1,
    });
    expect(calls(app)).toEqual({ looks: 2, asks: 1 });
    expect(app.writes()).toBe(0);
  });

  it("S46 after an outage of days is held up by nothing that is over, or has come", async () => {
    const { log, lines } = keptLog();
    const app = await givenComment(await open(), undefined, { log });
    await missDeletion(app);
    const stored = (await app.storedDeliveries()).length;
    await app.sql(`
      insert into tandem.missed_deliveries
        (log_id, delivery_key, attempt_id, event, status, failed_at, asks, run_at, state)
      select id, 'over ' || number, '1', 'issues', 503, timestamptz '2020-01-01', 0, timestamptz '2020-01-01', 'waiting'
      from tandem.delivery_logs, generate_series(1, 450) as number
      union all
      select logs.id, delivery_key, '1', 'issues', 503, timestamptz '2020-01-01', 0, timestamptz '2020-01-01', 'waiting'
      from tandem.delivery_logs as logs, tandem.deliveries`);
    expect(await look(app)).toBe(1);
    expect(calls(app)).toEqual({ looks: 1, asks: 1 });
    expect(await app.comments()).toEqual([]);
    expect(await missed(app)).toEqual({ waiting: 1, given_up: 450 });
    expect(toldOf(lines, "webhooks that had failed have arrived")).toEqual([
      { deliveries: 2 },
      { deliveries: stored - 2 },
    ]);
    const over = toldOf(lines, "failed webhooks are not requested any more");
    expect(over).toHaveLength(3);
    expect(over[0]).toEqual({
      ...{ integration: "github", account: "globex", status: 503 },
      log: expect.stringContaining("app 1001") as string,
      deliveries: expect.arrayContaining(["over 1"]) as string[],
      hint: expect.stringContaining("the App's recent deliveries") as string,
    });
  });

  it("S46 comes twice after all: the second is counted, and makes no event", async () => {
    const app = await givenComment(await open());
    await missDeletion(app);
    const failed = app.github.deliveries.at(-1);
    await look(app);
    const told = await app.story();
    if (failed !== undefined) app.github.redeliver(failed.id);
    await app.settle();
    expect((await app.storedDeliveries()).at(-1)).toMatchObject({ times_received: 2 });
    expect(await app.story()).toEqual(told);
    expect(await app.comments()).toEqual([]);
  });

  it("S46 is not asked for where a later attempt at it arrived", async () => {
    const app = await givenComment(await open());
    await missDeletion(app);
    const failed = app.github.deliveries.at(-1);
    if (failed !== undefined) app.github.redeliver(failed.id);
    await app.settle();
    expect(await app.comments()).toEqual([]);

    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 1, asks: 0 });
    expect(await missed(app)).toEqual({ waiting: 0, given_up: 0 });
  });

  it("S46 is not asked for where it came and only our answer was late", async () => {
    const network = { isSlow: false };
    const late: (() => void)[] = [];
    const app = await givenComment(await open(), undefined, {
      async onWebhook(_payload, receive) {
        const answer = await receive();
        if (network.isSlow) {
          await new Promise<void>((arrive) => {
            late.push(arrive);
          });
        }
        return answer;
      },
    });
    const stored = (await app.storedDeliveries()).length;
    network.isSlow = true;
    deleteComment(app);
    app.clock.advance(50);
    await expect.poll(() => app.storedDeliveries()).toHaveLength(stored + 1);
    // GitHub's patience ends while the answer is still on its way.
    app.clock.advance(10_000);
    await app.advance(1);
    for (const arrive of late) arrive();
    await app.settle();
    expect(app.github.deliveries.at(-1)).toMatchObject({ state: "failed", statusCode: 504 });
    expect(await app.comments()).toEqual([]);

    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 1, asks: 0 });
    expect(await lastEvents(app)).toEqual(["inbound completed deleted_record"]);
  });

  it("S46 while the receiver stays broken: asked for five times with growing pauses, then given up", async () => {
    const { log, lines } = keptLog();
    const app = await givenComment(await open(), undefined, { log });
    await breakReceiver(app);
    deleteComment(app);
    await app.settle();
    const asks: number[] = [];
    const start = app.clock.now();
    for (let step = 0; step < 66; step += 1) {
      const asked = await look(app, 30 * MINUTE);
      if (asked > 0) asks.push(Math.round((app.clock.now() - start) / (HOUR * 1_000)));
    }
    // Half an hour, an hour, two, eight and twenty hours after the failure.
    expect(asks).toEqual([1, 1, 2, 8, 20]);
    expect(calls(app)).toEqual({ looks: 66, asks: 5 });
    expect(await missed(app)).toEqual({ waiting: 0, given_up: 1 });
    expect(lines.map(({ message }) => message)).toContain(
      "failed webhooks are not requested any more",
    );
    const metrics = await app.tandem.fetch(new Request("http://localhost/metrics"));
    expect(await metrics.text()).toContain('tandem_missed_deliveries{state="given_up"} 1');
    expect(await app.comments()).toHaveLength(1);
  });

  it("S46 is given up where GitHub refuses to send it again, and is not asked for once more", async () => {
    const app = await givenComment(await open());
    await missDeletion(app);
    app.github.failNext({ method: "POST", path: /attempts$/, with: 422 });
    await look(app);
    expect(await missed(app)).toEqual({ waiting: 0, given_up: 1 });
    await look(app, HOUR);
    expect(calls(app)).toEqual({ looks: 2, asks: 1 });
  });

  it("S46 counts as asked for where GitHub's answer is none, and is asked for later", async () => {
    const { log, lines } = keptLog();
    const app = await givenComment(await open(), undefined, { log });
    await missDeletion(app);
    app.github.failNext({ method: "POST", path: /attempts$/, with: 503 });
    expect(await look(app)).toBe(0);
    expect(lines.at(-1)).toMatchObject({
      message: "failed webhooks could not be requested again; the next turn tries again",
      account: "globex",
      error: expect.stringContaining("503") as string,
    });
    expect(await app.sql("select asks from tandem.missed_deliveries")).toEqual([{ asks: 1 }]);
    expect(await look(app, HOUR)).toBe(1);
    expect(await app.comments()).toEqual([]);
  });

  it("S46 is asked for although another account's token is missing on this host", async () => {
    const app = await givenComment(await open());
    await missDeletion(app);
    await app.sql(`update tandem.accounts set credentials = '{"token": {"env": "GITHUB_GONE"}}'
      where name = 'acme'`);
    expect(await look(app)).toBe(1);
    expect(await app.comments()).toEqual([]);
  });

  it("S46 of an installation that is not connected, or of what is not synced: not asked for", async () => {
    const app = await givenComment(await open());
    app.github.createRepository({ owner: "initech", name: "reports" });
    app.github.installApp("initech");
    await app.settle();
    const repair = await breakReceiver(app);
    app.github.as("initech").openIssue("initech/reports", { title: "Not ours" });
    app.github.pingHook(app.github.deliveries[0]?.hookId ?? 0);
    await app.settle();
    await repair();
    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 1, asks: 0 });
    expect(await missed(app)).toEqual({ waiting: 0, given_up: 0 });
  });

  it("S46 that says the installation is suspended: not asked for, since it is not any more", async () => {
    const app = await givenComment(await open());
    const repair = await breakReceiver(app);
    app.github.suspendInstallation(app.installation);
    app.github.selectRepositories(app.installation, ["globex/docs"]);
    await app.settle();
    await repair();
    app.github.selectRepositories(app.installation, "all");
    app.github.unsuspendInstallation(app.installation);
    await app.settle();
    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 1, asks: 0 });
    expect(await missed(app)).toEqual({ waiting: 0, given_up: 0 });
    const { connections } = await app.status();
    const shop = connections.find(({ container }) => container === SHOP);
    expect(shop).toMatchObject({ inbound: true, outbound: true, paused_reason: null });
  });
});

describeOnOneDatabase("an App's log of deliveries", (open) => {
  it("S46 is not read before its first turn, and what failed before then is left to the poll", async () => {
    const app = await givenInstallation(await open());
    const repair = await breakReceiver(app);
    app.github.as("globex").comment(SHOP, 1, "Before the first turn");
    await app.settle();
    await repair();
    await app.advance(10 * MINUTE);
    expect(await redeliverDue(app.tandem.services, EVERY)).toBe(0);
    expect(calls(app)).toEqual({ looks: 0, asks: 0 });
    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 1, asks: 0 });
    await app.tandem.syncNow();
    await app.settle();
    expect(await app.comments()).toMatchObject([{ markdown: "Before the first turn" }]);
  });

  it("S46 is read by one process at a time, once for each interval", async () => {
    const app = await givenComment(await open());
    await app.advance(EVERY);
    const { services } = app.tandem;
    await Promise.all([1, 2, 3].map(() => redeliverDue(services, EVERY)));
    await app.advance(EVERY - SECOND / 1_000);
    await redeliverDue(services, EVERY);
    expect(calls(app)).toEqual({ looks: 1, asks: 0 });
    await app.advance(1_000);
    await redeliverDue(services, EVERY);
    expect(calls(app)).toEqual({ looks: 2, asks: 0 });
  });

  it("S46 that is long is read in steps that go on where the last one was", async () => {
    const app = await givenComment(await open());
    await missDeletion(app);
    const elsewhere = () => new Response(null, { status: 204 });
    const { id } = app.github.addHook({ secret: "s", events: ["none"], deliver: elsewhere });
    for (let count = 0; count < 1_050; count += 1) app.github.pingHook(id);
    await app.settle();

    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 10, asks: 0 });
    // Deliveries that come meanwhile are read when this reading is through.
    app.github.pingHook(id);
    await app.settle();
    expect(await look(app, MINUTE)).toBe(1);
    expect(calls(app)).toEqual({ looks: 11, asks: 1 });
    expect(await app.comments()).toEqual([]);
    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 12, asks: 1 });
  });

  it("S46 is read again if its place was forgotten", async () => {
    const app = await givenComment(await open());
    await missDeletion(app);
    await app.sql(`update tandem.delivery_logs set walk_begun_at = seen_to,
      walk_cursor = '${app.github.apiUrl}/app/hook/deliveries?per_page=100&cursor=v1_0'`);
    expect(await look(app)).toBe(1);
    expect(calls(app)).toEqual({ looks: 2, asks: 1 });
    expect(await app.comments()).toEqual([]);
  });

  it("S46 that is asked too much of: nothing is asked until GitHub allows it, and no ask is counted", async () => {
    const { log, lines } = keptLog();
    const app = await givenComment(await open(), undefined, { log });
    await missDeletion(app);
    app.github.failNext({
      method: "POST",
      path: /attempts$/,
      with: "secondary-limit",
      retryAfterSeconds: 1_800,
    });
    expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 1, asks: 1 });
    expect(lines.at(-1)).toMatchObject({
      log: expect.stringContaining("app 1001"),
      code: "rate_limited",
      hint: /./,
    });
    const [row] = await app.sql<{ asks: number }>("select asks from tandem.missed_deliveries");
    expect(row).toEqual({ asks: 0 });
    for (let turn = 0; turn < 5; turn += 1) expect(await look(app)).toBe(0);
    expect(calls(app)).toEqual({ looks: 1, asks: 1 });
    expect(await look(app)).toBe(1);
    expect(calls(app)).toEqual({ looks: 2, asks: 2 });
    expect(await app.comments()).toEqual([]);
    // The installation has a budget of its own, and goes on meanwhile.
    expect((await app.status()).accounts.map(({ state }) => state)).toEqual(["active", "active"]);
  });

  it("S46 is looked at by workers by themselves, and by none where the configuration says so", async () => {
    for (const redelivery of [{ minutes: 5 }, false] as const) {
      const app = await givenComment(await open(), (config) => ({ ...config, redelivery }));
      await missDeletion(app);
      await app.sql("update tandem.delivery_logs set next_look_at = $1", [
        formatInstant(addMillis(app.clock.now(), -1_000)),
      ]);
      const worker = app.tandem.startWorker({ name: "watcher", pollMillis: 24 * HOUR });
      if (redelivery === false) {
        await app.addTask({ project_id: "2", title: "It works on other things" });
        await expect.poll(() => app.github.issues(SHOP)).toHaveLength(2);
      } else await expect.poll(() => calls(app)).toEqual({ looks: 1, asks: 1 });
      await worker.stop();
      await app.settle();
      expect(await app.comments()).toHaveLength(redelivery === false ? 1 : 0);
      expect(calls(app).asks).toBe(redelivery === false ? 0 : 1);
    }
  });

  it("S46 is asked of no token, which may not see it", async () => {
    const app = await givenSampleTandem(await open());
    await app.advance(HOUR);
    expect(await redeliverDue(app.tandem.services, EVERY)).toBe(0);
    expect(app.github.calls({})).toBe(0);
  });
});
