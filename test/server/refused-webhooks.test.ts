/** Webhooks that were refused stay counted: after a restart, in every process, and through an outage. */
import { expect, it } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { describeOnOneDatabase } from "../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

const FORGED = {
  "content-type": "application/json",
  "x-github-event": "issues",
  "x-github-delivery": "1",
  "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
};

async function forge(app: SampleTandem, integration = "github"): Promise<void> {
  const init = { method: "POST", headers: FORGED, body: "{}" };
  await app.tandem.fetch(new Request(`http://localhost/webhooks/${integration}`, init));
}

const refused = async (app: SampleTandem) =>
  (await app.status()).refused_webhooks.map(
    ({ integration, code, count }) => `${integration} ${code} ${String(count)}`,
  );

describeOnOneDatabase("refused webhooks", (open) => {
  it("are counted by cause within ten seconds, with one write for many, and forgotten after a day", async () => {
    const app = await givenSampleTandem(await open());
    await forge(app);
    await forge(app);
    await forge(app, "made-up");
    expect(await refused(app)).toEqual([]);
    await app.advance(10_000);
    const counted = ["github signature_mismatch 2", "unknown unknown_integration 1"];
    await expect.poll(() => refused(app)).toEqual(counted);
    expect(await app.sql("select from tandem.refusals")).toHaveLength(2);

    await app.advance(24 * 3_600_000 + 60_000);
    expect(await refused(app)).toEqual([]);
  });

  it("that could not be written count with the next ones", async () => {
    let isDown = true;
    const app = await givenSampleTandem(await open(), (config) => config, {
      wrapStore: (store: Store): Store => ({
        ...store,
        refusals: {
          ...store.refusals,
          add: (counts) =>
            isDown ? Promise.reject(new Error("no database")) : store.refusals.add(counts),
        },
      }),
    });
    await forge(app);
    await app.advance(10_000);
    isDown = false;
    await forge(app);
    await app.advance(10_000);
    await expect.poll(() => refused(app)).toEqual(["github signature_mismatch 2"]);
  });

  it("that wait are written when the process stops", async () => {
    const app = await givenSampleTandem(await open());
    await forge(app);
    await app.tandem.stop();
    expect(await app.sql("select count from tandem.refusals")).toEqual([{ count: 1 }]);
  });
});
