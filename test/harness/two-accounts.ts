/** Two accounts, each with a repository of its own. */
import type { TestDatabase } from "./databases.ts";
import { givenSampleTandem, type SampleTandem } from "./sample-tandem.ts";

export const SHOP = "globex/shop";

/** A second account with a connection of its own, for project 2. */
export async function givenTwoAccounts(
  database: TestDatabase,
  options: Parameters<typeof givenSampleTandem>[2] = {},
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, undefined, options);
  await app.sql("insert into projects (name) values ('Shop')");
  app.github.createUser({ login: "globex-bot", type: "Bot" });
  app.github.createRepository({ owner: "globex", name: "shop" });
  app.github.token("ghs_globex", { login: "globex-bot" });
  await app.tandem.connect({
    account: {
      name: "globex",
      integration: "github",
      credentials: { token: "ghs_globex", baseUrl: app.github.apiUrl },
    },
    container: SHOP,
    scope: "2",
  });
  app.github.clearRequests();
  return app;
}
