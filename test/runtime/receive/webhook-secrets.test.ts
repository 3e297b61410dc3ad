/** Webhook secrets that are read once for many webhooks, and not believed longer than they may be. */
import { describe, expect, it } from "vitest";
import { MissingSecretError } from "../../../src/runtime/settings/secrets.ts";
import { createWebhookSecrets } from "../../../src/runtime/receive/webhook-secrets.ts";
import type { AccountRecord } from "../../../src/store/store.ts";
import { accountId } from "../../../src/model/ids.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

const ACCOUNT = {
  integration: "github",
  name: "acme",
  credentials: {},
  identity: null,
  state: "active",
  reason: null,
  pausedUntil: null,
  clockOffset: 0,
  budget: null,
} as const;

/** A directory whose reads are answered by hand, one after the other. */
function givenSecrets(reveal: (secret: unknown) => unknown = (secret) => secret) {
  const clock = new VirtualClock();
  const asked: { answer: (secret: unknown) => void; fail: () => void }[] = [];
  const accounts = () =>
    new Promise<readonly AccountRecord[]>((resolve, reject) => {
      asked.push({
        answer: (secret) => {
          resolve([{ ...ACCOUNT, id: accountId("1"), webhookSecrets: [secret] }]);
        },
        fail: () => {
          reject(new Error("no database"));
        },
      });
    });
  return { clock, asked, secrets: createWebhookSecrets({ accounts }, reveal, clock) };
}

const saying = (secret: string) => ({ accounts: [{ id: "1", secrets: [secret] }], missing: [] });

describe("the secrets of webhooks", () => {
  it("are read once for all webhooks of a second", async () => {
    const { clock, asked, secrets } = givenSecrets();
    const both = [secrets.of("github"), secrets.of("github")];
    asked[0]?.answer("first");
    expect(await Promise.all(both)).toEqual([saying("first"), saying("first")]);
    clock.advance(999);
    expect(await secrets.of("github")).toEqual(saying("first"));
    expect(asked).toHaveLength(1);

    clock.advance(1);
    const later = secrets.of("github");
    asked[1]?.answer("second");
    expect(await later).toEqual(saying("second"));
  });

  it("that could not be read are asked for again by the next webhook", async () => {
    const { asked, secrets } = givenSecrets();
    const failing = secrets.of("github");
    asked[0]?.fail();
    await expect(failing).rejects.toThrow("no database");
    const next = secrets.of("github");
    asked[1]?.answer("first");
    expect(await next).toEqual(saying("first"));
  });

  it("that were read since are not forgotten where an earlier read fails late", async () => {
    const { asked, secrets } = givenSecrets();
    const early = secrets.of("github");
    const now = secrets.of("github", "now");
    asked[1]?.answer("second");
    expect(await now).toEqual(saying("second"));
    asked[0]?.fail();
    await expect(early).rejects.toThrow("no database");
    expect(await secrets.of("github")).toEqual(saying("second"));
    expect(asked).toHaveLength(2);
  });

  it("that this host does not have are named; a value that is no text is no secret", async () => {
    const { asked, secrets } = givenSecrets((secret) => {
      if (secret === "gone") throw new MissingSecretError("WEBHOOK_GONE");
      return null;
    });
    const missing = secrets.of("github");
    asked[0]?.answer("gone");
    expect(await missing).toMatchObject({
      accounts: [{ id: "1", secrets: [] }],
      missing: [
        { code: "missing_secret", message: expect.stringContaining("WEBHOOK_GONE") as string },
      ],
    });
    secrets.forget();
    const none = secrets.of("github");
    asked[1]?.answer("null");
    expect(await none).toEqual({ accounts: [{ id: "1", secrets: [] }], missing: [] });
    expect((await secrets.of("gitlab")).accounts).toEqual([]);
  });
});
