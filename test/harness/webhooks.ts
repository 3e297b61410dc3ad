/** Webhook requests as GitHub sends them, for what the simulator would not say by itself. */
import { createHmac, randomUUID } from "node:crypto";
import type { Delivery } from "../../src/testing/github/index.ts";
import { TEST_SECRET } from "../../src/testing/test-tandem.ts";
import type { SampleTandem } from "./sample-tandem.ts";

export interface Webhook {
  readonly event: string;
  readonly body: string;
  /** The integration it is sent to. Default: `github`. */
  readonly to?: string;
  /** Replaces headers, or takes them away. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Without a `content-length`. */
  readonly streamed?: boolean;
}

/** Sends a webhook, signed and with a delivery id of its own, and returns what was answered. */
export async function postWebhook(
  app: SampleTandem,
  { event, body, to = "github", headers = {}, streamed = false }: Webhook,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const sent = new Headers({
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": signatureOf(body, TEST_SECRET),
    ...(streamed ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  });
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) sent.delete(name);
    else sent.set(name, value);
  }
  const response = await app.tandem.fetch(
    new Request(`http://localhost/webhooks/${to}`, { method: "POST", headers: sent, body }),
  );
  return { status: response.status, body: await response.json() };
}

export function signatureOf(body: string, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** Two held deliveries, in the order in which they were made. */
export function twoOf(deliveries: readonly Delivery[]): readonly [Delivery, Delivery] {
  const [first, second] = deliveries;
  if (first === undefined || second === undefined) throw new Error("two webhooks should be held");
  return [first, second];
}
