/** P6 where webhooks come by the dozen: each is answered for itself, and 2xx only once it is stored. */
import { expect, it } from "vitest";
import { TEST_SECRET } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
import { postWebhook, signatureOf } from "../../harness/webhooks.ts";

describeOnOneDatabase("webhooks that come at once", (open) => {
  it("P6: one that cannot be stored is answered 5xx; the others are stored, and 2xx says so", async () => {
    const app = await givenSampleTandem(await open());
    const keys = Array.from({ length: 24 }, (_, index) => `delivery ${String(index)}`);
    await app.sql(
      "alter table tandem.deliveries add constraint odd check (delivery_key <> 'delivery 11')",
    );
    const answers = await Promise.all(
      keys.map(async (key) => {
        const headers = { "x-github-delivery": key };
        const { status } = await postWebhook(app, { event: "ping", body: "{}", headers });
        const stored = await app.sql("select from tandem.deliveries where delivery_key = $1", [
          key,
        ]);
        return [status, stored.length];
      }),
    );
    const [refused] = answers.splice(11, 1);
    expect(refused).toEqual([503, 0]);
    expect(answers).toEqual(answers.map(() => [202, 1]));
    await app.settle();
    expect((await app.storedDeliveries()).map(({ state }) => state)).toEqual(
      answers.map(() => "irrelevant"),
    );
  });

  it("P6: the same one, sent many times at once, is stored once, and each answer names it", async () => {
    const app = await givenSampleTandem(await open());
    const headers = { "x-github-delivery": "the same" };
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => postWebhook(app, { event: "ping", body: "{}", headers })),
    );
    const bodies = answers.map(
      ({ body }) => body as { readonly delivery: string; readonly seen_before: boolean },
    );
    expect(new Set(bodies.map(({ delivery }) => delivery)).size).toBe(1);
    expect(bodies.filter(({ seen_before: seenBefore }) => !seenBefore)).toHaveLength(1);
    expect(await app.storedDeliveries()).toMatchObject([{ times_received: 12 }]);
  });

  it("a secret that is changed by another process is believed at once, and the old one a second more", async () => {
    const app = await givenSampleTandem(await open());
    const statusWith = async (secret: string) => {
      const headers = { "x-hub-signature-256": signatureOf("{}", secret) };
      return (await postWebhook(app, { event: "ping", body: "{}", headers })).status;
    };
    expect(await statusWith("changed")).toBe(401);
    expect(await statusWith(TEST_SECRET)).toBe(202);
    await app.sql(`update tandem.accounts set webhook_secrets = '["changed"]'`);
    expect(await statusWith("changed")).toBe(202);
    await app.advance(1_000);
    expect(await statusWith(TEST_SECRET)).toBe(401);
    expect(await statusWith("changed")).toBe(202);
  });
});
