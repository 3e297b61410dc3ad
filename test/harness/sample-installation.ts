/** The sample app with a second project, joined to a repository by a GitHub App's installation. */
import { generateKeyPairSync } from "node:crypto";
import type { AnyConfig } from "../../src/config.ts";
import type { Installation } from "../../src/testing/github/index.ts";
import { TEST_SECRET, type TestTandemOptions } from "../../src/testing/test-tandem.ts";
import type { TestDatabase } from "./databases.ts";
import { givenSampleTandem, type SampleTandem } from "./sample-tandem.ts";

/** The repository of project 2. */
export const SHOP = "globex/shop";
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

export interface Installed extends SampleTandem {
  readonly installation: Installation;
}

/** Project 2 is joined to `globex/shop` by an App's installation, and has one task with its issue. */
export async function givenInstallation(
  database: TestDatabase,
  change: (config: AnyConfig) => AnyConfig = (config) => config,
  options: Pick<TestTandemOptions, "failpoints" | "log" | "onWebhook"> = {},
): Promise<Installed> {
  const app = await givenSampleTandem(database, change, options);
  await app.sql("insert into projects (name) values ('Shop')");
  app.github.createUser({ login: "tandem[bot]", type: "Bot" });
  app.github.createRepository({ owner: "globex", name: "shop" });
  app.github.createRepository({ owner: "globex", name: "docs" });
  const installation = app.github.installApp("globex");
  await app.tandem.connect({
    account: {
      name: "globex",
      integration: "github",
      credentials: {
        appId: 1_001,
        privateKey,
        installationId: Number(installation.id),
        baseUrl: app.github.apiUrl,
      },
      webhookSecret: TEST_SECRET,
    },
    container: SHOP,
    scope: "2",
  });
  await app.addTask({ project_id: "2", title: "Before" });
  await app.settle();
  app.github.clearRequests();
  return { ...app, installation };
}
