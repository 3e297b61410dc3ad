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
      });
      expect(await verify({ headers: { [name]: "7".repeat(255) } })).toMatchObject({ ok: true });
      const longest = { "x-github-delivery": "7".repeat(255), "x-github-event": "7".repeat(255) };
      expect(await verify({ headers: { ...longest, [name]: "7".repeat(256) } })).toMatchObject({
        message: expect.stringMatching(new RegExp(`header ${name} has more`, "i")) as string,
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

  test.each([
    ["without a signature", { "x-hub-signature-256": null }, 401, "signature_missing"],
    ["with half a signature", { "x-hub-signature-256": "sha256=12" }, 401, "signature_malformed"],
    [
      "with an old SHA-1 signature",
      { "x-hub-signature-256": "sha1=0" },
      401,
      "signature_malformed",
    ],
    ["without a delivery", { "x-github-delivery": null }, 400, "header_missing"],
    ["without an event", { "x-github-event": " " }, 400, "header_missing"],
    ["without a content type", { "content-type": null }, 415, "content_type_not_supported"],
    [
      "in form encoding",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "content_type_not_supported",
    ],
  ])("%s is refused with a hint", async (_name, headers, status, code) => {
    const verified = await verify({ headers });
    expect(verified).toMatchObject({ ok: false, status, code });
    expect(verified).toHaveProperty("hint", expect.stringMatching(/\w/));
  });

  test("may name a charset", async () => {
    const headers = { "content-type": "Application/JSON; charset=utf-8" };
    expect(await verify({ headers })).toMatchObject({ ok: true });
  });

  test("is never trusted without a secret, nor with an empty one", async () => {
    const code = "secret_not_configured";
    expect(await verify({ secrets: [] })).toMatchObject({ ok: false, status: 401, code });
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
