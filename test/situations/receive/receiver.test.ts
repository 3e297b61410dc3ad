/** Situations 15 and 16: what the receiver answers to what it cannot use, and what it keeps of it. */
import { expect, it } from "vitest";
import { TEST_SECRET } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { postWebhook, signatureOf } from "../../harness/webhooks.ts";

const MEBIBYTE = 1024 * 1024;

describeOnOneDatabase("the receiver", (open) => {
  it("S15 malformed JSON with a valid signature: taken, and kept as failed, saying so", async () => {
    const app = await givenSampleTandem(await open());
    const answer = await postWebhook(app, { event: "issues", body: '{"action":"opened","issue":' });
    expect(answer).toMatchObject({ status: 202, body: { seen_before: false } });
    await app.settle();

    expect(await app.storedDeliveries()).toMatchObject([
      {
        event: "issues",
        action: null,
        state: "failed",
        error: {
          code: "malformed_json",
          message: "The payload is not JSON.",
          hint: expect.stringMatching(/./) as string,
          retryable: true,
          httpStatus: null,
          requestId: null,
        },
      },
    ]);
    await expectNothingDone(app);
    // It stays and is tried again, and holds nothing up.
    app.github.as("mona").openIssue(app.repo, { title: "Well formed" });
    await app.advance(3_600_000);
    await app.settle();
    expect((await app.storedDeliveries()).map(({ state }) => state)).toEqual([
      "failed",
      "translated",
    ]);
    expect(await app.task()).toMatchObject({ title: "Well formed" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Well formed", state: "open" }]);
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    expect(app.writes() + app.reads()).toBe(0);
  });

  it("S15 JSON that is not what its event claims: kept as failed, saying what is missing", async () => {
    const app = await givenSampleTandem(await open());
    const answer = await postWebhook(app, { event: "issues", body: '{"action":"opened"}' });
    expect(answer).toMatchObject({ status: 202, body: { seen_before: false } });
    await app.settle();

    const [stored] = await app.storedDeliveries();
    expect(stored).toMatchObject({
      event: "issues",
      state: "failed",
      error: { code: "malformed_payload" },
    });
    expect(stored?.error?.message).toContain("no usable issue");
    expect(stored?.error?.hint).toContain("update tandem-sync");
    await expectNothingDone(app);
  });

  for (const [what, event, payload, action, reason] of [
    ["an unknown event", "sub_issues_of_tomorrow", { action: "added" }, "added", "unknown_event"],
    ["an event without an action", "push", { ref: "refs/heads/main" }, null, "unknown_event"],
    ["an unknown action", "issues", { action: "teleported" }, "teleported", "unknown_action"],
    ["a greeting", "ping", { zen: "Design for failure." }, null, "ping"],
  ] as const) {
    it(`S15 ${what}: taken, and kept as irrelevant with the reason`, async () => {
      const app = await givenSampleTandem(await open());
      const answer = await postWebhook(app, { event, body: JSON.stringify(payload) });
      expect(answer).toMatchObject({ status: 202, body: { seen_before: false } });
      await app.settle();

      expect(await app.storedDeliveries()).toMatchObject([
        { event, action, state: "irrelevant", reason, error: null },
      ]);
      await expectNothingDone(app);
    });
  }

  it("S15 an issue of an unknown repository: taken, and kept as irrelevant with the reason", async () => {
    const app = await givenSampleTandem(await open());
    app.github.createRepository({ owner: "acme", name: "elsewhere" });
    app.github.as("mona").openIssue("acme/elsewhere", { title: "Not ours" });
    await app.settle();

    expect(app.github.deliveries).toMatchObject([{ statusCode: 202 }]);
    expect(await app.storedDeliveries()).toMatchObject([
      { action: "opened", state: "irrelevant", reason: "unknown_container" },
    ]);
    expect(app.github.issues("acme/elsewhere")).toMatchObject([
      { title: "Not ours", state: "open", author: "mona" },
    ]);
    await expectNothingDone(app);
  });

  for (const [what, headers, status, code] of [
    ["a bad signature", { "x-hub-signature-256": "sha256=0123" }, 401, "signature_malformed"],
    [
      "another secret's signature",
      { "x-hub-signature-256": signatureOf("{}", "another secret") },
      401,
      "signature_mismatch",
    ],
    ["no signature", { "x-hub-signature-256": null }, 401, "signature_missing"],
    ["no event", { "x-github-event": null }, 400, "header_missing"],
    ["no delivery id", { "x-github-delivery": null }, 400, "header_missing"],
    [
      "a form",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "content_type_not_supported",
    ],
  ] as const) {
    it(`S15 ${what}: refused with ${String(status)} and a hint, nothing stored`, async () => {
      const app = await givenSampleTandem(await open());
      const answer = await postWebhook(app, { event: "issues", body: "{}", headers });
      expect(answer).toMatchObject({ status, body: { error: { code } } });
      const { error } = answer.body as { readonly error: { readonly hint: string } };
      expect(error.hint.length).toBeGreaterThan(10);
      await expectNothingStored(app);
    });
  }

  it("S15 an integration that is not configured: 404 with a hint, nothing stored", async () => {
    const app = await givenSampleTandem(await open());
    const answer = await postWebhook(app, { event: "issues", body: "{}", to: "gitlab" });
    expect(answer).toMatchObject({
      status: 404,
      body: {
        error: {
          code: "unknown_integration",
          message: 'there is no integration "gitlab"',
          hint: "Point the webhook at /webhooks/github.",
        },
      },
    });
    await expectNothingStored(app);
  });

  it("a webhook secret is changed here first, then at GitHub, and no delivery is refused between", async () => {
    const app = await givenSampleTandem(await open());
    const connect = (webhookSecret?: string) =>
      app.tandem.connect({
        account: {
          name: "acme",
          integration: "github",
          credentials: { token: "ghs_test", baseUrl: app.github.apiUrl },
          ...(webhookSecret === undefined ? {} : { webhookSecret }),
        },
        container: app.repo,
        scope: "1",
      });
    const statusWith = async (secret: string) => {
      const headers = { "x-hub-signature-256": signatureOf("{}", secret) };
      return (await postWebhook(app, { event: "ping", body: "{}", headers })).status;
    };
    await connect("the next secret");
    expect([await statusWith(TEST_SECRET), await statusWith("the next secret")]).toEqual([
      202, 202,
    ]);
    await connect();
    expect(await statusWith("the next secret")).toBe(202);
    await connect("the one after");
    expect([await statusWith(TEST_SECRET), await statusWith("the next secret")]).toEqual([
      401, 202,
    ]);
  });

  it("S16 a payload of 25 MiB is taken, and its issue becomes a task", async () => {
    const app = await givenSampleTandem(await open());
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "Huge" });
    const [opened] = app.held();
    if (opened === undefined) throw new Error("no webhook was held");
    const body = padded(opened.body, 25 * MEBIBYTE);
    const answer = await postWebhook(app, { event: "issues", body });
    expect(answer).toMatchObject({ status: 202 });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Huge", owner_id: "1" });
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "Huge", state: "open" }]);
    expect(await app.storedDeliveries()).toMatchObject([{ state: "translated" }]);
    expect(await app.story()).toEqual(["inbound completed created_record"]);
    expect(app.writes() + app.reads()).toBe(0);
  });

  for (const [what, streamed] of [
    ["announced", false],
    ["streamed without a length", true],
  ] as const) {
    it(`S16 a payload of 26 MiB, ${what}: refused with 413, nothing stored`, async () => {
      const app = await givenSampleTandem(await open());
      const body = padded("{}", 26 * MEBIBYTE);
      const answer = await postWebhook(app, { event: "issues", body, streamed });
      const error = {
        code: "payload_too_large",
        message: "a payload may have at most 26214400 bytes",
      };
      expect(answer).toMatchObject({ status: 413, body: { error } });
      await expectNothingStored(app);
    });
  }

  it("S16 one byte over 25 MiB is refused", async () => {
    const app = await givenSampleTandem(await open());
    const body = padded("{}", 25 * MEBIBYTE + 1);
    expect(await postWebhook(app, { event: "issues", body })).toMatchObject({ status: 413 });
    await expectNothingStored(app);
  });
});

/** The same JSON object, grown to so many bytes. */
function padded(body: string, bytes: number): string {
  const start = `${body.slice(0, -1)}${body === "{}" ? "" : ","}"padding":"`;
  return `${start}${"x".repeat(bytes - Buffer.byteLength(start) - 2)}"}`;
}

async function expectNothingStored(app: SampleTandem): Promise<void> {
  await app.settle();
  expect(await app.storedDeliveries()).toEqual([]);
  await expectNothingDone(app);
}

/** No record, no event, no call, and nothing at the connected repository. */
async function expectNothingDone(app: SampleTandem): Promise<void> {
  expect(await app.tasks()).toEqual([]);
  expect(await app.events()).toEqual([]);
  expect(app.github.issues(app.repo)).toEqual([]);
  expect(app.writes() + app.reads()).toBe(0);
}
