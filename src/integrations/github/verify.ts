/** Verifies that a webhook request comes from GitHub, by the signature over its raw bytes. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Verified, WebhookRequest } from "../integration.ts";

/** GitHub sends a UUID and a word. Postgres refuses an index entry of more than 2,700 bytes. */
const LONGEST_NAME = 255;

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/**
 * Checks the signature against every secret and names the delivery.
 *
 * Uses `node:crypto`: `@octokit/webhooks-methods` expects text, but the signature covers bytes.
 *
 * @example await verify({ headers, body, secrets: [process.env.WEBHOOK_SECRET ?? ""] })
 */
export function verify(request: WebhookRequest): Promise<Verified> {
  return Promise.resolve(verifySync(request));
}

function verifySync({ headers, body, secrets }: WebhookRequest): Verified {
  const type = mediaType(headers);
  if (type !== "application/json") {
    return refusal(
      415,
      "content_type_not_supported",
      `The webhook's content type is ${type === "" ? "missing" : type}.`,
      "In the webhook's settings at GitHub choose the content type application/json.",
    );
  }
  const deliveryKey = headers.get("x-github-delivery")?.trim() ?? "";
  const event = headers.get("x-github-event")?.trim() ?? "";
  if (deliveryKey === "" || event === "") {
    const missing = deliveryKey === "" ? "X-GitHub-Delivery" : "X-GitHub-Event";
    return refusal(
      400,
      "header_missing",
      `The header ${missing} is missing.`,
      "This address accepts GitHub's webhooks only. If a proxy is in front of Tandem, let it pass all X-GitHub headers.",
    );
  }
  if (Math.max(deliveryKey.length, event.length) > LONGEST_NAME) {
    const long = deliveryKey.length > LONGEST_NAME ? "X-GitHub-Delivery" : "X-GitHub-Event";
    return refusal(
      400,
      "header_too_long",
      `The header ${long} has more than ${String(LONGEST_NAME)} characters.`,
      "This address accepts GitHub's webhooks only: look for a proxy that alters headers.",
    );
  }
  const signedWith = fittingSecrets(headers.get("x-hub-signature-256"), body, secrets);
  return "ok" in signedWith ? signedWith : { ok: true, deliveryKey, event, signedWith };
}

function fittingSecrets(
  header: string | null,
  body: Uint8Array,
  secrets: readonly string[],
): readonly string[] | Extract<Verified, { readonly ok: false }> {
  // An empty secret proves nothing: every sender could compute the signature.
  const usable = secrets.filter((secret) => secret !== "");
  if (usable.length === 0) {
    return refusal(
      401,
      "secret_not_configured",
      "No webhook secret is configured, so no webhook can be trusted.",
      "Give Tandem the secret that is set in the webhook's settings at GitHub.",
    );
  }
  if (header === null) {
    return refusal(
      401,
      "signature_missing",
      "The header X-Hub-Signature-256 is missing.",
      "Set a secret in the webhook's settings at GitHub; GitHub then signs each delivery.",
    );
  }
  const signature = SIGNATURE.exec(header.trim())?.[1];
  if (signature === undefined) {
    return refusal(
      401,
      "signature_malformed",
      "The header X-Hub-Signature-256 is not a SHA-256 signature.",
      "Look for a proxy that alters headers.",
    );
  }
  const given = Buffer.from(signature, "hex");
  // All secrets are tried, so that the duration does not reveal which one matches.
  const fitting = usable.filter((secret) =>
    timingSafeEqual(given, createHmac("sha256", secret).update(body).digest()),
  );
  if (fitting.length > 0) return fitting;
  return refusal(
    401,
    "signature_mismatch",
    "The signature fits none of the configured secrets.",
    "Compare the secret in the webhook's settings at GitHub with Tandem's, and look for a proxy that alters bodies.",
  );
}

function mediaType(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";", 1).join("").trim().toLowerCase();
}

function refusal(status: 400 | 401 | 415, code: string, message: string, hint: string) {
  return { ok: false, status, code, message, hint } as const;
}
