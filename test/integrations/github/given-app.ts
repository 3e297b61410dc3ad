/** A GitHub App that is installed at acme, and what speaks for it. */
import { generateKeyPairSync } from "node:crypto";
import { createGitHubSimulator } from "../../../src/testing/github/index.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { connectTo, SITE } from "./given.ts";

export const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
/** An App that is installed at acme, and its account. */
export function givenApp(
  change: { readonly privateKey?: string; readonly installationId?: number } = {},
) {
  const clock = new VirtualClock();
  const sim = createGitHubSimulator({ clock, random: seededRandom(1), app: { publicKey } });
  const { id } = sim.createRepository({ owner: "acme", name: "site", private: true });
  sim.createUser({ login: "tandem[bot]" });
  const installation = sim.installApp("acme");
  const credentials = {
    appId: 1_001,
    privateKey: change.privateKey ?? privateKey,
    installationId: change.installationId ?? Number(installation.id),
  };
  const account = connectTo(sim.fetch, clock, credentials);
  return {
    clock,
    sim,
    account,
    installation,
    site: account.container({ id: String(id), name: SITE }),
  };
}
