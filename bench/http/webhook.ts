/** A webhook as it is sent: signed, over a connection that stays open. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The secret of all webhooks of the bench. */
export const SECRET = "the bench's own secret";

export function signatureOf(body: Uint8Array): string {
  return `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
}

/** The check of a signature in a hand-written server. */
export function isSigned(body: Uint8Array, signature: string | undefined): boolean {
  const expected = Buffer.from(signatureOf(body));
  const given = Buffer.from(signature ?? "");
  return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
}

export function readAll(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      resolve(Buffer.concat(chunks));
    });
    request.on("error", reject);
  });
}

/** The whole request as bytes. */
export function requestOf(path: string, key: string, body: Uint8Array, signature: string): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    "host: 127.0.0.1",
    "user-agent: GitHub-Hookshot/bench",
    "accept: */*",
    "content-type: application/json",
    "x-github-event: issues",
    `x-github-delivery: ${key}`,
    "x-github-hook-id: 292430182",
    "x-github-hook-installation-target-id: 79929171",
    "x-github-hook-installation-target-type: repository",
    `x-hub-signature-256: ${signature}`,
    `content-length: ${String(body.byteLength)}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}
