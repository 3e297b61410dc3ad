/** Which webhook requests are GitHub's, and what the others are told. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { github } from "../../../src/integrations/github/index.ts";
import type { WebhookRequest } from "../../../src/integrations/integration.ts";
import { createGitHubSimulator } from "../../../src/testing/github/index.ts";
import { seededRandom } from "../../../src/testing/random.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

const BODY = new TextEncoder().encode('{"zen":"Keep it logically awesome."}');

function signed(body: Uint8Array, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** A request that GitHub could have sent, but for what the test changes. */
function request(change: {
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: Uint8Array;
  readonly secrets?: readonly string[];
}): WebhookRequest {
  const body = change.body ?? BODY;
  const headers = new Headers({
    "content-type": "application/json",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "x-github-event": "ping",
    "x-hub-signature-256": signed(body, "new"),
  });
  for (const [name, value] of Object.entries(change.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return { headers, body, secrets: change.secrets ?? ["new", "old"] };
}

const verify = (change: Parameters<typeof request>[0]) => github().verify(request(change));

describe("a webhook request", () => {
  test("signed with the secret is named by its delivery and event", async () => {
    expect(await verify({})).toEqual({
      ok: true,
      deliveryKey: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      event: "ping",
      signedWith: ["new"],
    });
  });

  test("signed with the former secret is taken while a secret is rotated", async () => {
    const signature = { "x-hub-signature-256": signed(BODY, "old") };
    expect(await verify({ headers: signature })).toMatchObject({ ok: true, signedWith: ["old"] });
    expect(await verify({ headers: signature, secrets: ["new"] })).toMatchObject({
      ok: false,
      status: 401,
      code: "signature_mismatch",
    });
  });

  test.each(["x-github-delivery", "x-github-event"])(
    "with a %s that no index could hold is refused, and is no outage (found by fuzzing)",
    async (name) => {
      expect(await verify({ headers: { [name]: "7".repeat(256) } })).toMatchObject({
        ok: false,
        status: 400,
        code: "header_too_long",
        hint: expect.stringContaining("a proxy that alters headers") as string,
      });
      expect(await verify({ headers: { [name]: "7".repeat(255) } })).toMatchObject({ ok: true });
      const longest = { "x-github-delivery": "7".repeat(255), "x-github-event": "7".repeat(255) };
      expect(await verify({ headers: { ...longest, [name]: "7".repeat(256) } })).toMatchObject({
        message: expect.stringMatching(
          new RegExp(`header ${name} has more than 255 characters`, "i"),
        ) as string,
      });
    },
  );

  test("is judged by its bytes, even where they are no text", async () => {
    const bytes = Uint8Array.from([0xff, 0xfe, 0x00, 0x80]);
    expect(await verify({ body: bytes })).toMatchObject({ ok: true });
    const others = Uint8Array.from([0xff, 0xfe, 0x00, 0x81]);
    const headers = { "x-hub-signature-256": signed(bytes, "new") };
    expect(await verify({ body: others, headers })).toMatchObject({ code: "signature_mismatch" });
  });

  const UNSIGNED = "The header X-Hub-Signature-256 is missing.";
  const MALFORMED = "The header X-Hub-Signature-256 is not a SHA-256 signature.";
  const FORM = "application/x-www-form-urlencoded";
  test.each([
    [
      "without a signature",
      { "x-hub-signature-256": null },
      { status: 401, code: "signature_missing", message: UNSIGNED },
      "Set a secret in the webhook's settings",
    ],
    [
      "with half a signature",
      { "x-hub-signature-256": "sha256=12" },
      { status: 401, code: "signature_malformed", message: MALFORMED },
      "a proxy that alters headers",
    ],
    [
      "with an old SHA-1 signature",
      { "x-hub-signature-256": "sha1=0" },
      { status: 401, code: "signature_malformed", message: MALFORMED },
      "a proxy that alters headers",
    ],
    [
      "with another's signature",
      { "x-hub-signature-256": signed(BODY, "another's") },
      {
        status: 401,
        code: "signature_mismatch",
        message: "The signature fits none of the configured secrets.",
      },
      "Compare the secret",
    ],
    [
      "without a delivery",
      { "x-github-delivery": null },
      {
        status: 400,
        code: "header_missing",
        message: "The header X-GitHub-Delivery is missing.",
      },
      "let it pass all X-GitHub headers",
    ],
    [
      "without an event",
      { "x-github-event": " " },
      { status: 400, code: "header_missing", message: "The header X-GitHub-Event is missing." },
      "let it pass all X-GitHub headers",
    ],
    [
      "without a content type",
      { "content-type": null },
      {
        status: 415,
        code: "content_type_not_supported",
        message: "The webhook's content type is missing.",
      },
      "choose the content type application/json",
    ],
    [
      "in form encoding",
      { "content-type": FORM },
      {
        status: 415,
        code: "content_type_not_supported",
        message: `The webhook's content type is ${FORM}.`,
      },
      "choose the content type application/json",
    ],
  ])("%s is refused, with what is wrong and what to do", async (_name, headers, refusal, hint) => {
    expect(await verify({ headers })).toEqual({
      ok: false,
      ...refusal,
      hint: expect.stringContaining(hint) as string,
    });
  });

  test("may name a charset", async () => {
    const headers = { "content-type": "Application/JSON; charset=utf-8" };
    expect(await verify({ headers })).toMatchObject({ ok: true });
  });

  test("is never trusted without a secret, nor with an empty one", async () => {
    const code = "secret_not_configured";
    expect(await verify({ secrets: [] })).toEqual({
      ok: false,
      status: 401,
      code,
      message: "No webhook secret is configured, so no webhook can be trusted.",
      hint: expect.stringContaining("Give Tandem the secret") as string,
    });
    const headers = { "x-hub-signature-256": signed(BODY, "") };
    expect(await verify({ secrets: [""], headers })).toMatchObject({ ok: false, code });
  });
});

test("a delivery as GitHub sends it verifies and translates", async () => {
  const clock = new VirtualClock();
  const sim = createGitHubSimulator({ clock, random: seededRandom(1) });
  sim.createRepository({ owner: "acme", name: "site" });
  const received: Request[] = [];
  sim.addHook({
    secret: "s3cret",
    deliver: (delivery) => {
      received.push(delivery);
      return new Response(null, { status: 202 });
    },
  });

  sim.as("mona").openIssue("acme/site", { title: "Broken link" });
  clock.advance(1_000);
  await sim.idle();

  const opened = received.find(({ headers }) => headers.get("x-github-event") === "issues");
  if (opened === undefined) throw new Error("no delivery of the opened issue");
  const body = new Uint8Array(await opened.arrayBuffer());
  const adapter = github();
  const verified = await adapter.verify({ headers: opened.headers, body, secrets: ["s3cret"] });
  expect(verified).toMatchObject({ ok: true, event: "issues" });
  const payload = new TextDecoder().decode(body);
  expect(adapter.translate({ event: "issues", payload })).toMatchObject({
    kind: "observations",
    action: "opened",
    observations: [{ observation: { externalId: "1", content: { title: "Broken link" } } }],
  });
});
