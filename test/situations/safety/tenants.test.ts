/** Situation 67: two tenants, each with a webhook secret of its own; neither's webhooks concern the other. */
import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import type { Delivery } from "../../../src/testing/github/index.ts";
import { TEST_SECRET } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { join } from "../../harness/projects.ts";
import { postWebhook, signatureOf } from "../../harness/webhooks.ts";

const SITE = "acme/site";
const SHOP = "globex/shop";
const THEIR_SECRET = "the other tenant's secret";

interface Tenants extends SampleTandem {
  /** The connection of `globex/shop`. */
  readonly theirs: string;
}

function connectShop(app: SampleTandem, webhookSecret: unknown) {
  return app.tandem.connect({
    account: {
      name: "globex",
      integration: "github",
      credentials: { token: "ghs_globex", baseUrl: app.github.apiUrl },
      webhookSecret,
    },
    container: SHOP,
    scope: "2",
  });
}

/** `acme/site` is one tenant's, `globex/shop` another's; each has a task with its issue. */
async function givenTenants(
  database: TestDatabase,
  secret: unknown = THEIR_SECRET,
  takesIn: () => string | null = () => null,
): Promise<Tenants> {
  const app = await givenSampleTandem(database, (config) => config, { takesIn });
  await app.sql("insert into projects (name) values ('Shop')");
  app.github.createUser({ login: "globex-bot", type: "Bot" });
  app.github.createRepository({ owner: "globex", name: "shop" });
  app.github.token("ghs_globex", { login: "globex-bot" });
  const { id: theirs } = await connectShop(app, secret);
  await app.addTask({ title: "Ours" });
  await app.addTask({ project_id: "2", title: "Theirs" });
  await app.settle();
  await app.advance(60_000);
  app.holdWebhooks();
  return { ...app, theirs };
}

/** Sends what GitHub announced, under the signature of a secret. */
function send(
  app: SampleTandem,
  { event, body }: Pick<Delivery, "event" | "body">,
  secret: string,
  key: string = randomUUID(),
) {
  const headers = { "x-hub-signature-256": signatureOf(body, secret), "x-github-delivery": key };
  return postWebhook(app, { event, body, headers });
}

function onlyHeld(app: SampleTandem): Delivery {
  const [delivery, ...others] = app.held();
  if (delivery === undefined || others.length > 0) throw new Error("one webhook should be held");
  return delivery;
}

async function titles(app: SampleTandem): Promise<readonly string[]> {
  return (await app.tasks()).map(({ title }) => title);
}

async function lastDelivery(app: SampleTandem) {
  return (await app.storedDeliveries()).at(-1);
}

const REFUSED = { state: "irrelevant", reason: "other_account" };

describeOnOneDatabase("webhooks of one of two tenants", (open) => {
  it("S67 an edit signed by one tenant names another's issue: irrelevant, and nothing changes", async () => {
    const app = await givenTenants(await open());
    app.github.as("mona").editIssue(SHOP, 1, { title: "Forged" });
    const announced = onlyHeld(app);
    const before = await app.story();
    expect(await send(app, announced, TEST_SECRET)).toMatchObject({ status: 202 });
    await app.settle();

    expect(await titles(app)).toEqual(["Ours", "Theirs"]);
    expect(await lastDelivery(app)).toMatchObject(REFUSED);
    expect(await app.story()).toEqual(before);

    expect(await send(app, announced, THEIR_SECRET)).toMatchObject({ status: 202 });
    await app.settle();
    expect(await titles(app)).toEqual(["Ours", "Forged"]);
  });

  it("S67 a deletion and a new issue signed by another tenant: nothing is deleted or made", async () => {
    const app = await givenTenants(await open());
    app.github.as("mona").openIssue(SHOP, { title: "A second one" });
    app.github.as("mona").deleteIssue(SHOP, 1);
    for (const announced of app.held()) await send(app, announced, TEST_SECRET);
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ deleted_at: null }, { deleted_at: null }]);
    expect((await app.storedDeliveries()).slice(-2)).toMatchObject([REFUSED, REFUSED]);
  });

  it("S67 news of another tenant's repository and installation: it is neither renamed nor switched off", async () => {
    const app = await givenTenants(await open());
    app.github.renameRepository(SHOP, "taken-over");
    const renamed = onlyHeld(app);
    await send(app, renamed, TEST_SECRET);
    const gone = { ...JSON.parse(renamed.body), action: "deleted" } as object;
    await send(app, { event: "repository", body: JSON.stringify(gone) }, TEST_SECRET);
    await app.settle();

    expect((await app.storedDeliveries()).slice(-2)).toMatchObject([REFUSED, REFUSED]);
    const [, theirs] = (await app.status()).connections;
    expect(theirs).toMatchObject({
      id: app.theirs,
      container: SHOP,
      inbound: true,
      outbound: true,
    });

    await send(app, renamed, THEIR_SECRET);
    await app.settle();
    expect((await app.status()).connections[1]).toMatchObject({ container: "globex/taken-over" });
  });

  it("S67 a repository that both tenants have connected: each one's webhooks concern its own connection", async () => {
    const app = await givenTenants(await open());
    await app.sql("insert into projects (name) values ('Shop, too')");
    await join(app, SHOP, "3");
    app.github.renameRepository(SHOP, "taken-over");
    const renamed = onlyHeld(app);
    const gone = { ...(JSON.parse(renamed.body) as object), action: "deleted" };
    await send(app, { event: "repository", body: JSON.stringify(gone) }, TEST_SECRET);
    await app.settle();

    const { connections } = await app.status();
    expect(connections.map(({ scope, inbound }) => [scope, inbound])).toEqual([
      ["1", true],
      ["2", true],
      ["3", false],
    ]);
  });

  it("S67 a transfer of another tenant's issue, told by the wrong one: it stays where it is", async () => {
    const app = await givenTenants(await open());
    app.github.createRepository({ owner: "globex", name: "attic" });
    app.github.as("globex").transferIssue(SHOP, 1, "globex/attic");
    for (const announced of app.held()) await send(app, announced, TEST_SECRET);
    await app.settle();

    expect(await app.tasks()).toMatchObject([{ deleted_at: null }, { deleted_at: null }]);
    expect((await app.storedDeliveries()).map(({ reason }) => reason)).toContain("other_account");
    expect((await app.pairings("2"))[0]).toMatchObject({ connection: SHOP, in_sync: true });
  });

  it.each([
    ["translated when its turn comes", null],
    ["ingested as it comes", "receiver"],
  ])(
    "S67 an issue comes from another tenant, %s: it is new, and takes nothing with it",
    async (_, worker) => {
      const app = await givenTenants(await open(), THEIR_SECRET, () => worker);
      app.github.as("acme").transferIssue(SITE, 1, SHOP);
      for (const announced of app.held()) await send(app, announced, THEIR_SECRET);
      await app.settle();

      // Their own webhook tells what came to them; the other side's tells that it went.
      const [ours, theirs, came] = await app.tasks();
      expect(ours).toMatchObject({ title: "Ours", project_id: "1", deleted_at: null });
      expect(theirs).toMatchObject({ title: "Theirs", project_id: "2" });
      expect(came).toMatchObject({ title: "Ours", project_id: "2" });

      for (const announced of app.held()) await send(app, announced, TEST_SECRET);
      await app.settle();
      expect(await app.story()).toContain("inbound completed moved_away");
      expect(await app.tasks()).toEqual([ours, theirs, came]);
    },
  );

  it("two accounts with one secret: a webhook concerns both", async () => {
    const app = await givenTenants(await open(), TEST_SECRET);
    app.github.as("mona").editIssue(SHOP, 1, { title: "Edited there" });
    await send(app, onlyHeld(app), TEST_SECRET);
    await app.settle();
    expect(await titles(app)).toEqual(["Ours", "Edited there"]);
  });

  it("a delivery id that another tenant used first hides nothing, and neither speaks for the other", async () => {
    const app = await givenTenants(await open());
    app.github.as("mona").editIssue(SHOP, 1, { title: "Edited there" });
    const announced = onlyHeld(app);
    const forged = announced.body.replaceAll("Edited there", "Forged");
    const first = await send(app, { ...announced, body: forged }, TEST_SECRET, "the same id");
    const second = await send(app, announced, THEIR_SECRET, "the same id");
    const again = await send(app, announced, THEIR_SECRET, "the same id");
    expect([first, second, again].map(({ body }) => body)).toMatchObject([
      { seen_before: false },
      { seen_before: false },
      { seen_before: true },
    ]);
    await app.settle();
    expect(await titles(app)).toEqual(["Ours", "Edited there"]);
  });

  it("a secret that is missing for one tenant: the other's webhooks are taken, and the answer names it", async () => {
    const app = await givenTenants(await open());
    await connectShop(app, { env: "GITHUB_SHOP_SECRET" });
    app.github.as("mona").editIssue(SITE, 1, { title: "Edited here" });
    const announced = onlyHeld(app);
    expect(await send(app, announced, TEST_SECRET)).toMatchObject({ status: 202 });
    await app.settle();
    expect(await titles(app)).toEqual(["Edited here", "Theirs"]);
    expect(await send(app, announced, "another")).toMatchObject({
      status: 503,
      body: {
        error: { code: "missing_secret", message: expect.stringContaining("GITHUB_SHOP_SECRET") },
      },
    });
  });

  it("stored before the accounts were kept: it concerns the only account, and of two neither", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Ours" });
    await app.settle();
    await app.advance(60_000);
    app.holdWebhooks();
    const sendUnkept = async (title: string) => {
      app.github.as("mona").editIssue(SITE, 1, { title });
      const announced = app.held().at(-1);
      if (announced === undefined) throw new Error("nothing was announced");
      await send(app, announced, TEST_SECRET);
      await app.sql("update tandem.deliveries set verified_by = null where state = 'received'");
      await app.settle();
    };
    await sendUnkept("Edited by the only one");
    expect(await titles(app)).toEqual(["Edited by the only one"]);

    app.github.createUser({ login: "globex-bot", type: "Bot" });
    app.github.createRepository({ owner: "globex", name: "shop" });
    app.github.token("ghs_globex", { login: "globex-bot" });
    await app.sql("insert into projects (name) values ('Shop')");
    await connectShop(app, THEIR_SECRET);
    await sendUnkept("Edited by one of two");
    expect(await lastDelivery(app)).toMatchObject(REFUSED);
    expect(await titles(app)).toEqual(["Edited by the only one"]);
    await app.tandem.syncNow();
    await app.settle();
    expect(await titles(app)).toEqual(["Edited by one of two"]);
  });
});
