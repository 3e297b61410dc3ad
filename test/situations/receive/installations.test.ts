/** A GitHub App's installation that is suspended, loses a repository, and gets it again. */
import { expect, it } from "vitest";
import { askForAccess } from "../../../src/runtime/receive/check-access.ts";
import { translateDeliveries } from "../../../src/runtime/receive/intake.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { givenInstallation, type Installed, SHOP } from "../../harness/sample-installation.ts";

/** Refuses every change of a connection, as a trigger of somebody's would. */
const DIRECTORY_FAILS = `
create or replace function directory_fails() returns trigger language plpgsql as $$
begin
  raise exception 'connections stay as they are';
end $$;
create trigger directory_fails before update on tandem.connections
  for each row execute function directory_fails()`;

async function shop(app: Installed) {
  const connections = await app.tandem.services.store.directory.connections();
  const found = connections.find(({ containerName }) => containerName === SHOP);
  if (found === undefined) throw new Error("the shop is not connected");
  return found;
}

async function shopIs(app: Installed) {
  const { connections } = await app.status();
  const shop = connections.find(({ container }) => container === SHOP);
  return { inbound: shop?.inbound, outbound: shop?.outbound, why: shop?.paused_reason };
}

const DOCS = "globex/docs";
const RUNNING = { inbound: true, outbound: true, why: null };
const title = (app: Installed): string | undefined => app.github.issues(SHOP)[0]?.title;
const writesToShop = (app: Installed): number => app.github.calls({ method: "PATCH" });

/** A look when so many minutes have passed: what goes on again, and what the App itself was asked. */
async function ask(app: Installed, minutes: number) {
  await app.advance(minutes * 60_000);
  app.github.clearRequests();
  const regained = await askForAccess(app.tandem.services);
  const calls = app.github.calls({ path: /installation/, method: "GET" });
  await app.settle();
  return { regained, calls };
}

/** Lets something happen of which no webhook comes. */
async function loseWebhook(app: Installed, happens: () => void): Promise<void> {
  app.github.faults.webhooks.drop = 1;
  happens();
  app.github.faults.webhooks.drop = 0;
  await app.settle();
}

describeOnOneDatabase("an App's installation", (open) => {
  it("suspended: nothing is asked of it, both sides' edits wait, and all arrives when it is not", async () => {
    const app = await givenInstallation(await open());
    const { id } = await app.task();
    app.github.suspendInstallation(app.installation);
    await app.settle();
    expect(await shopIs(app)).toEqual({ inbound: false, outbound: false, why: "app_suspended" });

    await app.editTask(id, { title: "While suspended" });
    app.github.as("globex").comment(SHOP, 1, "Anybody there?");
    await app.settleWithin(10);
    expect(app.github.calls({})).toBe(0);
    expect(await app.story(`record=tasks:${id}`)).toContain("outbound disabled connection_paused");
    expect(await app.comments()).toEqual([]);

    app.github.unsuspendInstallation(app.installation);
    await app.settle();
    expect(await shopIs(app)).toEqual(RUNNING);
    expect(title(app)).toBe("While suspended");
    expect(await app.comments()).toMatchObject([{ markdown: "Anybody there?" }]);
    expect(writesToShop(app)).toBe(1);
  });

  it("without the repository: the connection stops, and goes on when it is given back", async () => {
    const app = await givenInstallation(await open());
    const { id } = await app.task();
    app.github.selectRepositories(app.installation, ["globex/docs"]);
    await app.settle();
    expect(await shopIs(app)).toMatchObject({ outbound: false, why: "removed_from_installation" });
    await app.editTask(id, { title: "Meanwhile" });
    await app.settleWithin(10);
    expect(writesToShop(app)).toBe(0);

    app.github.selectRepositories(app.installation, "all");
    await app.settle();
    expect(await shopIs(app)).toEqual(RUNNING);
    expect(title(app)).toBe("Meanwhile");
    expect(writesToShop(app)).toBe(1);
  });

  it("paused by a person before: no news of the installation switches it on", async () => {
    const app = await givenInstallation(await open());
    const paused = { inbound: false, outbound: false, why: "migration" };
    await app.tandem.pause((await shop(app)).id, "migration");
    app.github.suspendInstallation(app.installation);
    app.github.unsuspendInstallation(app.installation);
    await app.settle();
    expect(await shopIs(app)).toEqual(paused);
    app.github.selectRepositories(app.installation, ["globex/docs"]);
    await app.settle();
    app.github.selectRepositories(app.installation, "all");
    await app.settle();
    expect(await shopIs(app)).toEqual(paused);
  });

  it("reports a change that cannot be applied at once: it is applied later, and not lost", async () => {
    const app = await givenInstallation(await open());
    await app.sql(DIRECTORY_FAILS);
    app.github.suspendInstallation(app.installation);
    await app.settle();
    expect(await shopIs(app)).toEqual(RUNNING);
    expect((await app.storedDeliveries()).at(-1)).toMatchObject({
      event: "installation",
      state: "failed",
      error: {
        code: "not_translated",
        message: expect.stringContaining("connections stay as they are") as string,
        hint: expect.stringContaining("a bug in Tandem") as string,
        retryable: true,
        httpStatus: null,
        requestId: null,
      },
    });
    await app.sql("drop trigger directory_fails on tandem.connections");
    await app.advance(60_000);
    await app.settle();
    expect(await shopIs(app)).toMatchObject({ why: "app_suspended" });
    expect((await app.storedDeliveries()).at(-1)).toMatchObject({ state: "translated" });
  });

  it("reports a change that keeps failing: it is retried after longer and longer waits, and the log says so", async () => {
    const { log, lines } = keptLog();
    const app = await givenInstallation(await open(), undefined, { log });
    // Half of the longest wait each time.
    const services = { ...app.tandem.services, random: () => 0.5 };
    await app.sql(DIRECTORY_FAILS);
    app.holdWebhooks();
    app.github.suspendInstallation(app.installation);
    const [news] = app.held();
    if (news === undefined) throw new Error("GitHub tells of it");
    await app.release(news);
    const failed = {
      message: "a delivery was not translated",
      delivery: expect.any(String) as string,
      code: "not_translated",
      error: expect.stringContaining("connections stay as they are") as string,
      hint: expect.stringContaining("a bug in Tandem") as string,
    };
    for (const seconds of [2, 6, 18]) {
      lines.splice(0);
      await translateDeliveries(services, null);
      expect(lines).toContainEqual(failed);
      lines.splice(0);
      await app.advance(seconds * 1_000 - 1);
      await translateDeliveries(services, null);
      expect(lines).toEqual([]);
      await app.advance(1);
    }
  });

  it("resumes within the hour if no webhook reports its unsuspension, and few calls are made", async () => {
    const app = await givenInstallation(await open());
    const { id } = await app.task();
    app.github.suspendInstallation(app.installation);
    await app.settle();
    expect(await ask(app, 0)).toEqual({ regained: 0, calls: 1 });
    await app.editTask(id, { title: "While suspended" });
    await app.settle();
    await loseWebhook(app, () => {
      app.github.unsuspendInstallation(app.installation);
    });

    expect(await ask(app, 59)).toEqual({ regained: 0, calls: 0 });
    expect(await shopIs(app)).toMatchObject({ why: "app_suspended" });
    expect(await ask(app, 1)).toEqual({ regained: 1, calls: 1 });
    expect(await shopIs(app)).toEqual(RUNNING);
    expect(title(app)).toBe("While suspended");
    expect(writesToShop(app)).toBe(1);
    expect(await ask(app, 60)).toEqual({ regained: 0, calls: 0 });
  });

  it("given back a repository without a word goes on with it, and with no other", async () => {
    const app = await givenInstallation(await open());
    app.github.selectRepositories(app.installation, ["globex/docs"]);
    await app.settle();
    // The installation lives, and the repository is public: neither says that it may be written to.
    expect(await ask(app, 0)).toEqual({ regained: 0, calls: 2 });
    expect(await shopIs(app)).toMatchObject({ why: "removed_from_installation" });
    await loseWebhook(app, () => {
      app.github.selectRepositories(app.installation, "all");
    });
    expect(await ask(app, 60)).toEqual({ regained: 1, calls: 2 });
    expect(await shopIs(app)).toEqual(RUNNING);
  });

  it("lets each repository go on by what stopped it: the suspension of one, the loss of another", async () => {
    const { log, lines } = keptLog();
    const app = await givenInstallation(await open(), undefined, { log });
    await app.sql("insert into projects (name) values ('Docs')");
    const { directory } = app.tandem.services.store;
    const own = await shop(app);
    const [, globex] = await directory.accounts();
    const docs = await directory.saveConnection({
      ...{ accountId: own.accountId, integration: "github", scope: "3" },
      ...{ containerId: String(app.github.repository("globex/docs").id), containerName: DOCS },
    });
    expect(globex?.name).toBe("globex");
    const off = { inbound: false, outbound: false };
    await directory.updateConnection(own.id, { ...off, pausedReason: "app_suspended" });
    const removed = "removed_from_installation";
    await directory.updateConnection(docs, { ...off, pausedReason: removed });
    expect(await ask(app, 0)).toEqual({ regained: 2, calls: 2 });
    expect((await app.status()).connections.map((one) => one.paused_reason)).toEqual([
      ...[null, null, null],
    ]);
    expect(lines).toEqual([
      {
        message:
          "a connection was switched on again: the provider allows it, although no webhook said so",
        ...{ connection: own.id, container: SHOP, was: "app_suspended" },
      },
      {
        message:
          "a connection was switched on again: the provider allows it, although no webhook said so",
        ...{ connection: docs, container: DOCS, was: removed },
      },
    ]);
  });

  it("suspended late: a webhook that comes after its opposite holds for no longer than a look", async () => {
    const app = await givenInstallation(await open());
    app.github.faults.webhooks.hold = true;
    app.github.suspendInstallation(app.installation);
    app.github.faults.webhooks.hold = false;
    app.github.unsuspendInstallation(app.installation);
    await app.settle();
    await app.github.releaseDeliveries();
    await app.settle();
    expect(await shopIs(app)).toMatchObject({ why: "app_suspended" });
    expect(await ask(app, 0)).toEqual({ regained: 1, calls: 1 });
    expect(await shopIs(app)).toEqual(RUNNING);

    // The next one is other news, and is not held up by the look at this one.
    app.github.suspendInstallation(app.installation);
    await app.settle();
    expect(await ask(app, 0)).toEqual({ regained: 0, calls: 1 });
  });

  it("that cannot be asked is asked again an hour later, and the log says why", async () => {
    const { log, lines } = keptLog();
    const app = await givenInstallation(await open(), undefined, { log });
    app.github.suspendInstallation(app.installation);
    await app.settle();
    app.github.faults.api.down = true;
    expect(await ask(app, 0)).toEqual({ regained: 0, calls: 1 });
    expect(lines).toContainEqual(
      expect.objectContaining({
        message:
          "the provider could not be asked whether an installation may be used again; Tandem asks in an hour",
        account: "globex",
        code: expect.any(String) as string,
        error: expect.any(String) as string,
      }),
    );
    app.github.faults.api.down = false;
    app.github.unsuspendInstallation(app.installation);
    expect(await ask(app, 59)).toMatchObject({ calls: 0 });
  });

  it("is not asked about a connection that a person paused", async () => {
    const app = await givenInstallation(await open());
    await app.tandem.pause((await shop(app)).id, "migration");
    expect(await ask(app, 60)).toEqual({ regained: 0, calls: 0 });
    expect(await shopIs(app)).toMatchObject({ why: "migration" });
  });
});
